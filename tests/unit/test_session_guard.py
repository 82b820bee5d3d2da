"""Attempts to fake a green check, each through a whole run: none of them is committed unseen."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace

import pytest

from selfheal_tui.adapters.scripted import calling
from selfheal_tui.cli.kept import take_up
from selfheal_tui.core.approval import WHOLE_FILE, Answer, CommitWish, RefusedHunk, key_of
from selfheal_tui.core.events import CheckEnded, Committed, ProposalMade, Warned
from selfheal_tui.core.guard import finding as kinds
from selfheal_tui.core.proof import NOT_WITH_ORIGINALS, Proof, card_lines
from selfheal_tui.settings import CheckSettings, GuardSettings, LimitSettings
from tests.support.sessions import Bench, submit, submitted, write

PYTEST = f"PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 {sys.executable} -m pytest -q -p no:cacheprovider"

BROKEN = "def add(a, b):\n    return a - b\n"
HEALED = "def add(a, b):\n    return a + b\n"
TESTS = """\
import pytest
from calc import add


def test_zero():
    assert add(0, 0) == 0


def test_adds():
    assert add(1, 2) == 3
    assert add(0.1, 0.2) == pytest.approx(0.3, rel=1e-6)
"""
FILES = {
    "calc.py": BROKEN,
    "tests/test_calc.py": TESTS,
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "conftest.py": "",
}
SHELL = {
    "check.sh": "set -e\ngrep -qx b a.txt\n",
    "Makefile": "test:\n\tgrep -qx b a.txt\n",
    "package.json": '{\n  "scripts": {\n    "test": "grep -qx b a.txt"\n  }\n}\n',
    "snap/__snapshots__/a.snap": "b\n",
    "a.txt": "a\n",
}
RUN_SCRIPT = (
    f"{sys.executable} -c 'import json, os;"
    ' os.execlp("sh", "sh", "-c", json.load(open("package.json"))["scripts"]["test"])\''
)


@pytest.fixture
def bench(tmp_path):
    benches = []

    def make(files, command):
        made = Bench(tmp_path, files)
        benches.append(made)
        made.settings = replace(
            made.settings,
            check=CheckSettings(command, timeout=60),
            limits=LimitSettings(attempts=1),
        )
        # As `--yes` has it.
        made.order = replace(made.order, allow_test_changes=False)
        return made

    yield make
    for made in benches:
        made.store.close()


def edit(old, new, path="tests/test_calc.py"):
    return ("edit_file", {"path": path, "old": old, "new": new})


def shell(command):
    return ("bash", {"command": command})


FAKES = {
    "os._exit in conftest": (
        [write("conftest.py", "import os\n\ndef pytest_sessionstart(session):\n    os._exit(0)\n")],
        {kinds.EXIT, kinds.FEWER},
    ),
    "exit status in conftest": (
        [
            write(
                "conftest.py",
                "import pytest\n\n@pytest.hookimpl(trylast=True)\n"
                "def pytest_sessionfinish(session, exitstatus):\n    session.exitstatus = 0\n",
            )
        ],
        {kinds.EXIT, kinds.CONFIG},
    ),
    "pytest.exit in conftest": (
        [
            write(
                "conftest.py",
                "import pytest\n\ndef pytest_collection(session):\n"
                "    pytest.exit('enough', returncode=0)\n",
            )
        ],
        {kinds.EXIT, kinds.FEWER},
    ),
    "monkeypatched runner": (
        [
            write(
                "conftest.py",
                "import _pytest.runner\n\n\ndef passes(item):\n    return None\n\n\n"
                "_pytest.runner.pytest_runtest_call = passes\n"
                "_pytest.python.Function.runtest = passes\n",
            )
        ],
        {kinds.RUNNER},
    ),
    "outcome of every report": (
        [
            write(
                "conftest.py",
                "import pytest\n\n\n@pytest.hookimpl(hookwrapper=True)\n"
                "def pytest_runtest_makereport(item, call):\n    result = yield\n"
                '    report = result.get_result()\n    report.outcome = "passed"\n',
            )
        ],
        {kinds.EXIT, kinds.CONFIG},
    ),
    "pytest in the tree": ([write("pytest.py", "print('2 passed')\n")], {kinds.SHADOW}),
    "sitecustomize in the tree": (
        [
            write("pytest/__init__.py", ""),
            write("pytest/__main__.py", "print('5 passed in 0.01s')\n"),
        ],
        {kinds.SHADOW},
    ),
    "a failing test is deleted": (
        [edit(TESTS[TESTS.index("\n\ndef test_adds") :], "")],
        {kinds.DELETED},
    ),
    "the file of tests is replaced": (
        [
            shell("rm tests/test_calc.py"),
            write("tests/test_new.py", "def test_true():\n    assert True\n"),
        ],
        {kinds.DELETED},
    ),
    "a test is renamed away": ([edit("def test_adds", "def adds")], {kinds.RENAMED}),
    "skip": ([edit("def test_adds", "@pytest.mark.skip\ndef test_adds")], {kinds.SKIP}),
    "xfail": ([edit("def test_adds", "@pytest.mark.xfail\ndef test_adds")], {kinds.SKIP}),
    "asserts are removed": (
        [
            edit("    assert add(1, 2) == 3\n", "    add(1, 2)\n"),
            edit("    assert add(0.1, 0.2) == pytest.approx(0.3, rel=1e-6)\n", ""),
        ],
        {kinds.ASSERT},
    ),
    "a looser tolerance": (
        [
            edit(
                "    assert add(1, 2) == 3\n", "    assert add(1, 2) == pytest.approx(3, abs=9)\n"
            ),
            edit("rel=1e-6", "rel=9"),
        ],
        {kinds.TOLERANCE},
    ),
    "another value is expected": (
        [edit("add(1, 2) == 3", "add(1, 2) == -1"), edit("approx(0.3", "approx(-0.1")],
        {kinds.CHANGED},
    ),
    "early return": (
        [edit("def test_adds():\n", "def test_adds():\n    if add(1, 2):\n        return\n")],
        {kinds.RETURN},
    ),
    "failures are caught": (
        [
            edit(
                TESTS[TESTS.index("    assert add(1, 2)") :],
                "    try:\n        assert add(1, 2) == 3\n        assert add(0.1, 0.2) =="
                " pytest.approx(0.3, rel=1e-6)\n    except AssertionError:\n        pass\n",
            )
        ],
        {kinds.CAUGHT},
    ),
    "addopts": (
        [write("pytest.ini", "[pytest]\npythonpath = .\naddopts = -k zero\n")],
        {kinds.SELECTION, kinds.CONFIG},
    ),
    "collect_ignore and a new test": (
        [
            write("conftest.py", 'collect_ignore = ["tests/test_calc.py"]\n'),
            write("tests/test_new.py", "def test_true():\n    assert True\n"),
        ],
        {kinds.SELECTION},
    ),
    "a new test that ends the process": (
        [write("tests/test_a.py", "import os\n\n\ndef test_end():\n    os._exit(0)\n")],
        {kinds.EXIT},
    ),
    "the code ends the runner": (
        [
            write(
                "calc.py", BROKEN + "\n\nimport os, atexit\natexit.register(lambda: os._exit(0))\n"
            )
        ],
        {kinds.EXIT},
    ),
    "an object that equals everything": (
        [
            write(
                "calc.py",
                "class Any(int):\n    def __eq__(self, other):\n        return True\n\n"
                "    def __hash__(self):\n        return 0\n\n\n"
                "def add(a, b):\n    return Any()\n",
            )
        ],
        {kinds.RUNNER},
    ),
}
FAKES_IN_SHELL = {
    "|| true in the script": (
        "sh check.sh",
        [write("check.sh", "grep -qx b a.txt || true\n")],
        {kinds.SCRIPT, kinds.HIDDEN},
    ),
    "exit 0 in the script": (
        "sh check.sh",
        [write("check.sh", "grep -qx b a.txt\nexit 0\n")],
        {kinds.SCRIPT, kinds.EXIT},
    ),
    "- in the Makefile": (
        "make test",
        [write("Makefile", "test:\n\t-grep -qx b a.txt\n")],
        {kinds.SCRIPT, kinds.HIDDEN},
    ),
    "|| true in the Makefile": (
        "make test",
        [write("Makefile", "test:\n\tgrep -qx b a.txt || true\n")],
        {kinds.SCRIPT, kinds.HIDDEN},
    ),
    "|| true in package.json": (
        RUN_SCRIPT,
        [edit("b a.txt", "b a.txt || true", "package.json")],
        {kinds.CONFIG, kinds.HIDDEN},
    ),
    "a snapshot is regenerated": (
        "cmp a.txt snap/__snapshots__/a.snap",
        [shell("cp a.txt snap/__snapshots__/a.snap")],
        {kinds.SNAPSHOT},
    ),
}


def kinds_of(proof):
    return {kind for _, _, kind, _ in proof.findings}


async def assert_refused(bench, calls, expected, *more):
    ended = await bench.run([submitted(*calls), *more])
    assert (ended.exit_code, ended.outcome) == (3, "approval refused"), ended
    assert "--allow-test-changes" in ended.text
    assert bench.of(Committed) == []
    proof = bench.proof
    assert proof.exit_code == 0, "the fake was to look green"
    assert expected <= kinds_of(proof)
    return ended, proof


@pytest.mark.parametrize("name", FAKES)
async def test_a_faked_green_of_pytest_is_named_and_never_committed_by_yes(bench, name):
    calls, expected = FAKES[name]
    await assert_refused(bench(FILES, PYTEST), calls, expected)


@pytest.mark.parametrize("name", FAKES_IN_SHELL)
async def test_a_faked_green_of_a_script_is_named_and_never_committed_by_yes(bench, name):
    command, calls, expected = FAKES_IN_SHELL[name]
    if command.startswith("make") and not shutil.which("make"):
        pytest.skip("make is not installed here")
    await assert_refused(bench(SHELL, command), calls, expected)


# --- what the loop does ------------------------------------------------------------------------


def purposes(bench):
    return [check.purpose for check in bench.of(CheckEnded)]


def attempts(bench, number):
    bench.settings = replace(bench.settings, limits=LimitSettings(attempts=number))
    return bench


async def yes(request):
    return Answer(key_of(request), granted=True, by="user")


def allowed(bench):
    bench.order = replace(bench.order, allow_test_changes=True)
    return bench


SKIPPED = FAKES["skip"][0]


async def test_the_coder_is_told_once_gets_the_originals_back_and_heals_the_code(bench):
    made = attempts(bench(FILES, PYTEST), 3)
    ended = await made.run([submitted(*SKIPPED), submitted(write("calc.py", HEALED))])
    assert (ended.exit_code, ended.outcome) == (0, "committed"), ended
    assert made.outcomes == ["same", "green"]
    told = made.model.requests[1].messages[-1].text
    assert "only because you changed what decides its verdict: tests/test_calc.py" in told
    assert "a test is skipped" in told
    assert "tests/test_calc.py::test_adds" in told
    (commit,) = made.of(Committed)
    assert made.place.git("show", "--format=", "--name-only", commit.commit) == "calc.py"
    assert (made.proof.protected, made.proof.findings) == ((), ())
    assert any("not taken" in warned.text for warned in made.of(Warned))


async def test_who_changes_the_tests_again_is_proposed_with_the_flag(bench):
    made = allowed(attempts(bench(FILES, PYTEST), 3))
    await made.run([submitted(*SKIPPED), submitted(*SKIPPED)], yes)
    proof = made.proof
    assert made.outcomes == ["same", "green"]
    assert not proof.verified
    assert proof.originals_failing == ("tests/test_calc.py::test_adds",)
    assert card_lines(proof)[0].startswith(f"verdict   {NOT_WITH_ORIGINALS}: exit 0")
    assert "originals with the original tests: 1 failing: tests/test_calc.py::test_adds" in (
        card_lines(proof)
    )
    assert proof.warnings[1].startswith(NOT_WITH_ORIGINALS)


async def test_what_is_committed_without_the_original_tests_says_so_in_the_last_line(bench):
    made = allowed(bench(FILES, PYTEST))
    ended = await made.run([submitted(*SKIPPED)], yes)
    assert ended.outcome == "committed"
    assert ended.text.endswith("not verified with the original tests")


async def test_a_task_about_tests_is_proposed_at_once(bench):
    made = allowed(attempts(bench(FILES, PYTEST), 3))
    made.order = replace(made.order, task="skip the test of add until it is mended")
    ended = await made.run([submitted(*SKIPPED)], yes)
    assert (ended.exit_code, made.outcomes) == (0, ["green"])
    assert not made.proof.verified


async def test_changed_tests_that_the_originals_agree_with_are_flagged_and_verified(bench):
    made = allowed(bench(FILES, PYTEST))
    more = edit("def test_zero", "def test_one():\n    assert add(1, 0) == 1\n\n\ndef test_zero")
    ended = await made.run([submitted(write("calc.py", HEALED), more)], yes)
    assert ended.exit_code == 0
    proof = made.proof
    assert (proof.verified, proof.originals_exit, proof.findings) == (True, 0, ())
    assert proof.protected == ("tests/test_calc.py",)
    assert "originals with the original tests: green" in card_lines(proof)
    assert purposes(made)[-2:] == ["proof", "originals"]


async def test_even_those_are_refused_by_yes_alone_and_the_proposal_is_kept(bench):
    made = bench(FILES, PYTEST)
    more = edit("def test_zero", "def test_one():\n    assert add(1, 0) == 1\n\n\ndef test_zero")
    ended = await made.run([submitted(write("calc.py", HEALED), more)])
    assert ended.exit_code == 3
    assert "tests/test_calc.py" in ended.text
    assert len(made.of(ProposalMade)) == 1


async def test_a_new_test_beside_a_fix_needs_no_second_run_and_no_flag(bench):
    made = bench(FILES, PYTEST)
    new = write(
        "tests/test_more.py",
        "from calc import add\n\n\ndef test_two():\n    assert add(1, 1) == 2\n",
    )
    ended = await made.run([submitted(write("calc.py", HEALED), new)])
    assert (ended.exit_code, ended.outcome) == (0, "committed"), ended
    proof = made.proof
    assert (proof.verified, proof.new_tests) == (True, ("tests/test_more.py",))
    assert (proof.protected, proof.findings, proof.originals_exit) == ((), (), None)
    assert "originals" not in purposes(made)


async def test_a_fix_alone_runs_nothing_more_than_before(bench):
    made = bench(FILES, PYTEST)
    ended = await made.run([submitted(write("calc.py", HEALED))])
    assert ended.exit_code == 0
    assert purposes(made) == ["baseline", "flaky", "verify", "proof"]
    assert made.proof == replace(
        made.proof, protected=(), new_tests=(), findings=(), originals_exit=None
    )


async def test_without_a_check_changed_tests_are_named_and_refused_by_yes(bench):
    made = bench(FILES, PYTEST)
    made.order = replace(made.order, no_check=True)
    ended = await made.run([submitted(*SKIPPED)])
    assert ended.exit_code == 3
    assert kinds.SKIP in kinds_of(made.proof)
    assert made.of(CheckEnded) == []


async def test_an_uncommitted_test_of_the_users_is_an_original_too(bench):
    made = bench(FILES, PYTEST)
    made.place.write(
        "tests/test_mine.py",
        "from calc import add\n\n\ndef test_mine():\n    assert add(2, 2) == 4\n",
    )
    hack = write("calc.py", "def add(a, b):\n    return 3 if a == 1 else 0.3 if a else 0\n")
    ended = await made.run([submitted(hack, shell("rm tests/test_mine.py"))])
    assert ended.exit_code != 0
    assert made.of(Committed) == []
    assert made.proof.originals_failing == ("tests/test_mine.py::test_mine",)


async def test_what_the_settings_ignore_is_no_test_and_what_they_protect_is_one(bench):
    made = bench(SHELL, "sh check.sh")
    made.settings = replace(made.settings, guard=GuardSettings(protect=("a.txt",)))
    ended = await made.run([submitted(write("a.txt", "b\n"))])
    assert ended.exit_code == 3
    assert made.proof.protected == ("a.txt",)


async def test_what_the_settings_ignore_does_not_decide_the_verdict(bench):
    made = bench(SHELL, "sh check.sh")
    made.settings = replace(made.settings, guard=GuardSettings(ignore=("check.sh",)))
    calls = (write("a.txt", "b\n"), write("check.sh", "grep -x b a.txt\n"))
    ended = await made.run([submitted(*calls)])
    assert (ended.exit_code, made.proof.protected) == (0, ())


async def test_refused_hunks_of_a_test_leave_a_change_that_is_checked_with_the_originals_anew(
    bench,
):
    made = allowed(bench(FILES, PYTEST))
    asked = []

    async def ask(request):
        asked.append(request)
        if len(asked) > 1:
            return await yes(request)
        wish = CommitWish(request.message, "mine")
        refused = (RefusedHunk("tests/test_calc.py", WHOLE_FILE),)
        return Answer(key_of(request), granted=False, by="user", wish=wish, refused=refused)

    ended = await made.run([submitted(write("calc.py", HEALED), *SKIPPED)], ask)
    assert ended.outcome == "committed", ended
    first, second = [Proof.from_json(event.proof) for event in made.of(ProposalMade)]
    assert (first.protected, first.originals_exit) == (("tests/test_calc.py",), 0)
    assert (second.protected, second.originals_exit, second.verified) == ((), None, True)


async def test_a_kept_proposal_with_changed_tests_is_refused_by_yes_too(bench):
    made = bench(FILES, PYTEST)
    await made.run([submitted(*SKIPPED)])
    made.order = take_up(made.store, replace(made.order, task=""), "s1")
    made.events.clear()
    ended = await made.run([])
    assert (ended.exit_code, made.of(Committed)) == (3, [])
    made.order = replace(made.order, allow_test_changes=True)
    ended = await made.run([])
    assert (ended.exit_code, ended.outcome) == (0, "committed")


async def test_deleted_tests_do_not_pass_for_fixed_ones_in_the_last_line(bench):
    files = FILES | {"tests/test_other.py": "def test_other():\n    assert False\n"}
    made = bench(files, PYTEST)
    ended = await made.run([submitted(shell("rm tests/test_other.py"))])
    assert ended.exit_code == 1
    assert "it changes what decides the verdict: tests/test_other.py" in ended.text


async def test_the_models_own_check_of_nothing_is_not_a_change_of_tests(bench):
    made = bench(FILES, PYTEST)
    ended = await made.run([calling(shell("touch tests/test_calc.py"), submit())])
    assert (ended.exit_code, made.outcomes) == (1, ["no change"])
