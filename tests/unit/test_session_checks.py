"""Whole sessions: several checks, failing tests first, the ledger, reports, partial healing."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from selfheal_tui.adapters.scripted import call
from selfheal_tui.cli.kept import take_up, with_kept_check
from selfheal_tui.core.approval import Answer, CommitRequest, key_of
from selfheal_tui.core.checks import NOT_NAMED
from selfheal_tui.core.events import (
    AttemptEnded,
    CheckChosen,
    CheckEnded,
    CommandStarted,
    Committed,
    ProposalMade,
    RolledBack,
    SnapshotTaken,
    ToolReturned,
    TreeChanged,
    Warned,
)
from selfheal_tui.core.result import Result
from selfheal_tui.headless import yes_to
from selfheal_tui.settings import CheckSettings, LimitSettings
from tests.support.sessions import FILES, Bench, submitted, write

ALL_OF = (
    "echo TAP version 13; for n in 1 2 3; do\n"
    'grep -qx $n a.txt || { echo "not ok $n - has $n"; bad=1; }\n'
    'done; [ -z "$bad" ]\n'
)
PYTHON_TESTS = "import a\n" + "".join(
    f"\n\ndef test_{name}():\n    assert a.{name}() == {value}\n"
    for value, name in enumerate(("one", "two", "three"), 1)
)
BROKEN = "def one(): return 0\n\ndef two(): return 0\n\ndef three(): return 3\n"
NO_PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""Those of this venv are none of the project's, and take longer to load than its tests."""


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path, FILES)
    yield bench
    bench.store.close()


def commands(bench):
    return [(event.purpose, event.command) for event in bench.of(CommandStarted)]


def several(bench, *checks):
    bench.settings = replace(bench.settings, check=CheckSettings(commands=checks))


def attempts(bench, number):
    bench.settings = replace(bench.settings, limits=LimitSettings(attempts=number))


# --- several checks ------------------------------------------------------------------------


async def test_several_checks_are_told_and_run_in_order_and_all_have_to_pass(bench):
    several(bench, "test -e lint.txt", "sh check.sh")
    ended = await bench.run([submitted(write("a.txt", "b\n"), write("lint.txt", "x\n"))])
    assert ended.exit_code == 0, ended.text
    assert bench.of(CheckChosen) == [
        CheckChosen("test -e lint.txt", "set by the user", 1, 2),
        CheckChosen("sh check.sh", "set by the user", 2, 2),
    ]
    assert [purpose for purpose, _ in commands(bench)] == [
        "baseline", "baseline", "flaky", "flaky", "verify", "verify", "proof", "proof",
    ]  # fmt: skip
    assert bench.proof.command == "test -e lint.txt && sh check.sh"
    result = Result()
    for event in bench.events:
        result.see(event)
    assert result.fields["check"] == bench.proof.command


async def test_a_red_check_that_cannot_be_the_best_stops_at_the_first_command(bench):
    several(bench, "test ! -e bad.txt", "sh check.sh")
    attempts(bench, 1)
    bench.place.write("a.txt", "a\n")
    await bench.run([submitted(write("bad.txt", "x\n"))])
    verify = [command for purpose, command in commands(bench) if purpose == "verify"]
    assert verify == ["test ! -e bad.txt"]
    assert bench.outcomes == ["same"]


async def test_a_linter_that_a_fix_broke_does_not_lose_the_fix(bench):
    bench.place.write("check.sh", ALL_OF)
    bench.place.write("lint.sh", "test ! -e bad.txt\n")
    bench.place.write("Makefile", "lint:\n\tsh lint.sh\n")
    bench.place.git("add", "-A")
    bench.place.git("commit", "-qm", "Ask for three")
    several(bench, "make lint", "sh check.sh")
    script = [
        submitted(write("a.txt", "1\n2\n3\n"), write("bad.txt", "x\n")),
        submitted(("bash", {"command": "rm bad.txt"})),
    ]
    ended = await bench.run(script)
    assert ended.exit_code == 0, ended.text
    assert bench.outcomes == ["better", "green"]
    first = bench.of(AttemptEnded)[0]
    assert first.failing == ("(make lint)",)


async def test_a_guard_that_fails_before_any_change_is_left_out_and_told(bench):
    bench.place.write("ruff.toml", "")
    bench.place.write("pytest.ini", "[pytest]\n")
    bench.place.write("Makefile", "lint:\n\truff check . || exit 1\n")
    bench.place.write("test_a.py", "def test_a(): assert open('a.txt').read() == 'b\\n'\n")
    bench.place.git("add", "-A")
    bench.place.git("commit", "-qm", "Set up")
    bench.provision = with_python(bench.provision)
    bench.settings = replace(bench.settings, check=CheckSettings())
    ended = await bench.run([submitted(write("a.txt", "b\n"))])
    assert ended.exit_code == 0, ended.text
    assert [(c.command, c.number, c.of) for c in bench.of(CheckChosen)] == [
        ("make lint", 1, 2),
        ("python -m pytest -q", 2, 2),
        ("python -m pytest -q", 1, 1),
    ]
    assert any("`make lint`" in w.text and "no part of the check" in w.text
               for w in bench.of(Warned))  # fmt: skip
    assert bench.proof.command == "python -m pytest -q"


async def test_a_resumed_run_keeps_all_its_checks(bench):
    several(bench, "true", "sh check.sh")
    attempts(bench, 1)
    await bench.run([submitted(write("c.txt", "c\n"))])
    bench.order = take_up(bench.store, replace(bench.order, session="s2", task=""), "s1")
    plain = replace(bench.settings, check=CheckSettings())
    settings, order = with_kept_check(plain, bench.order, given=False)
    assert settings.check.chosen == ("true", "sh check.sh")
    assert not order.no_check


def with_python(provision):
    """A provision whose `python` is the one that runs the tests."""

    class WithPython(type(provision)):
        place = f"mkdir -p ../home/bin && ln -sf {sys.executable} ../home/bin/python"

        async def open(self):
            sandbox = await super().open()
            environment = sandbox._environment

            def with_path(arguments):
                values = environment(arguments) | NO_PLUGINS
                if "PATH" in values:
                    home = Path(values["HOME"]) / "bin"
                    values["PATH"] = f"{home}:{values['PATH']}"
                return values

            sandbox._environment = with_path
            return sandbox

    return WithPython()


# --- failing tests first -------------------------------------------------------------------


def slow_python(bench, tests=PYTHON_TESTS):
    bench.place.write("a.py", BROKEN)
    bench.place.write("test_a.py", tests)
    bench.place.git("add", "-A")
    bench.place.git("commit", "-qm", "Count to three")
    # The plugins of this venv are none of the project's, and take longer than its tests.
    check = f"PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 {sys.executable} -m pytest -q -p no:cacheprovider"
    bench.settings = replace(bench.settings, check=CheckSettings(check, focus_after=0))
    return check


async def test_the_tests_that_failed_run_first_and_green_ones_are_followed_by_the_whole(bench):
    check = slow_python(bench)
    fixed = BROKEN.replace("one(): return 0", "one(): return 1")
    fixed = fixed.replace("two(): return 0", "two(): return 2")
    ended = await bench.run([submitted(write("a.py", fixed))])
    assert ended.exit_code == 0, ended.text
    names = "test_a.py::test_one test_a.py::test_two"
    assert commands(bench)[2:] == [
        ("focused", f"{check} {names}"), ("verify", check), ("proof", check),
    ]  # fmt: skip
    focused = [event for event in bench.of(CheckEnded) if event.purpose == "focused"]
    assert [(event.green, event.passed, event.seconds > 0) for event in focused] == [
        (True, 2, True)
    ]


async def test_a_focused_red_that_is_no_better_is_judged_without_the_whole(bench):
    slow_python(bench)
    attempts(bench, 1)
    await bench.run([submitted(write("b.py", "x = 1\n"))])
    assert [purpose for purpose, _ in commands(bench)] == ["baseline", "flaky", "focused"]
    assert bench.outcomes == ["same"]


async def test_a_focused_red_never_makes_a_worse_state_look_better(bench):
    """One of two is fixed, so the focused run looks better; the whole shows what it broke."""
    more = "".join(f"\ndef test_more_{n}(): assert a.three() == 3\n" for n in range(4))
    slow_python(bench, PYTHON_TESTS + more)
    attempts(bench, 1)
    worse = "def one(): return 1\n\ndef two(): return 0\n\ndef three(): return 0\n"
    await bench.run([submitted(write("a.py", worse))])
    purposes = [purpose for purpose, _ in commands(bench)]
    assert purposes == ["baseline", "flaky", "focused", "verify", "flaky"]
    assert bench.outcomes == ["worse"]
    (back,) = bench.of(RolledBack)
    assert "5 tests fail that passed there: test_a.py::test_more_0" in back.reason
    assert bench.of(TreeChanged)[-1].tree == bench.of(SnapshotTaken)[0].tree


async def test_a_short_check_runs_as_a_whole(bench):
    check = slow_python(bench)
    bench.settings = replace(bench.settings, check=CheckSettings(check, focus_after=60))
    attempts(bench, 1)
    await bench.run([submitted(write("b.py", "x = 1\n"))])
    assert [purpose for purpose, _ in commands(bench)] == ["baseline", "flaky", "verify"]


# --- ledger --------------------------------------------------------------------------------


async def test_a_test_that_begins_to_flake_does_not_make_an_attempt_worse(bench, tmp_path):
    count = tmp_path / "count"
    bench.place.write(
        "check.sh",
        f"run=$(cat {count} 2>/dev/null || echo 0); echo $((run+1)) > {count}\n"
        + ALL_OF.replace("done; [", 'done; [ $run = 2 ] && { echo "not ok 9 - shaky"; bad=1; }; ['),
    )
    bench.place.git("commit", "-qam", "Flake at the third run")
    attempts(bench, 1)
    ended = await bench.run([submitted(write("a.txt", "1\n2\n"))])
    assert bench.outcomes == ["better"], ended.text
    assert bench.of(AttemptEnded)[0].failing == ("has 3",)
    assert bench.of(CheckEnded)[-1].flaky == ("shaky",)


async def test_the_model_is_told_what_was_lost_and_why(bench):
    bench.place.write("check.sh", ALL_OF)
    bench.place.git("commit", "-qam", "Ask for three")
    script = [submitted(write("a.txt", "1\n2\n")), submitted(write("a.txt", "1\n")), submitted()]
    ended = await bench.run(script)
    told = bench.model.requests[-1].messages[-1].text
    assert "worse than before (1 test fails that passed there: has 2)" in told
    assert "There, 2 of 3 fixed, none broken." in told
    assert "2 of 3 fixed, none broken" in ended.text
    assert ended.exit_code == 1


# --- what is partly healed -----------------------------------------------------------------


def partly(bench):
    bench.place.write("check.sh", ALL_OF)
    bench.place.git("commit", "-qam", "Ask for three")
    attempts(bench, 1)
    return [submitted(write("a.txt", "1\n2\n"), summary="Wrote two.")]


async def test_headless_a_part_is_kept_and_never_offered(bench):
    ended = await bench.run(partly(bench), ask=yes_to(push=False))
    assert (ended.exit_code, ended.outcome) == (1, "not healed")
    assert bench.of(ProposalMade) == bench.of(Committed) == []
    result = Result()
    for event in bench.events:
        result.see(event)
    assert "+2" in result.patch


async def test_a_part_is_offered_where_somebody_is_there_and_is_still_exit_1(bench):
    bench.order = replace(bench.order, partial=True)
    ended = await bench.run(partly(bench))
    (made,) = bench.of(Committed)
    assert bench.place.git("show", f"{made.commit}:a.txt") == "1\n2"
    assert (bench.proof.verified, bench.proof.partial) == (False, "2 of 3 fixed, none broken")
    assert bench.proof.tree == made.tree
    assert (ended.exit_code, ended.text) == (
        1,
        f"committed {made.commit[:12]} to selfheal/try, but only partly healed: 2 of 3 fixed,"
        " none broken; not all that was asked is done",
    )


async def test_a_part_that_is_not_wanted_is_told_as_not_healed(bench):
    async def no(request):
        assert isinstance(request, CommitRequest)
        return Answer(key_of(request), granted=False, by="user", reason="all or nothing")

    bench.order = replace(bench.order, partial=True)
    ended = await bench.run(partly(bench), ask=no)
    assert (ended.exit_code, bench.of(Committed)) == (1, [])
    assert "all or nothing" in ended.text
    # Headless nobody can say so: what is kept is worked on, and not committed.
    bench.order = take_up(bench.store, replace(bench.order, task="", partial=False), "s1")
    bench.events.clear()
    ended = await bench.run([submitted()], ask=yes_to(push=False))
    assert (ended.exit_code, bench.of(Committed)) == (1, [])


async def test_a_kept_part_that_is_committed_later_is_exit_1_too(bench):
    async def no(request):
        return Answer(key_of(request), granted=False, by="user", reason="later")

    bench.order = replace(bench.order, partial=True)
    await bench.run(partly(bench), ask=no)
    bench.order = take_up(bench.store, replace(bench.order, task=""), "s1")
    bench.events.clear()
    ended = await bench.run([])
    assert (ended.exit_code, len(bench.of(Committed))) == (1, 1)
    assert "only partly healed" in ended.text


async def test_what_is_no_better_than_before_is_not_offered(bench):
    bench.order = replace(bench.order, partial=True)
    partly(bench)
    ended = await bench.run([submitted(write("c.txt", "c\n"))])
    assert (ended.exit_code, bench.of(ProposalMade)) == (1, [])


# --- reports, the log, the environment -----------------------------------------------------

REPORT = (
    '<testsuite><testcase classname="A" name="$n"><failure message="no $n"/></testcase></testsuite>'
)


async def test_a_report_that_the_check_wrote_names_its_tests(bench):
    bench.place.write(
        "check.sh",
        "mkdir -p out; for n in 1 2; do grep -qx $n a.txt || { bad=1;"
        f' cat > out/TEST-$n.xml <<E\n{REPORT}\nE\n}}; done; [ -z "$bad" ]\n',
    )
    bench.place.git("commit", "-qam", "Report")
    ended = await bench.run([submitted(write("a.txt", "1\n")), submitted(write("a.txt", "1\n2\n"))])
    assert ended.exit_code == 0, ended.text
    assert bench.proof.before == ("A.1", "A.2")
    # The report of the first run is not the second one's: it was undone with its files.
    assert bench.of(AttemptEnded)[0].failing == ("A.2",)


async def test_a_report_that_lies_decides_nothing(bench):
    bench.place.write("check.sh", "echo '<testsuite/>' > TEST-a.xml; grep -qx b a.txt\n")
    bench.place.git("commit", "-qam", "Lie")
    attempts(bench, 1)
    ended = await bench.run([submitted(write("c.txt", "c\n"))])
    assert ended.exit_code == 1
    assert bench.of(AttemptEnded)[0].failing == (NOT_NAMED,)


async def test_the_whole_output_can_be_read_and_is_no_part_of_the_change(bench):
    flood = "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done\n"
    bench.place.write(
        "check.sh", f"test -e ../tmp/selfheal && echo seen\n{flood}grep -qx b a.txt\n"
    )
    bench.place.git("commit", "-qam", "Say much")

    def read_log(request):
        told = request.messages[-1].text
        assert len(told.encode()) < 8000
        path = told.rsplit("read_file ", 1)[1].rstrip(")").split(")")[0]
        return call("read_file", path=path, start=1700, end=1701)

    script = [submitted(write("c.txt", "c\n")), read_log, submitted(write("a.txt", "b\n"))]
    ended = await bench.run(script)
    assert ended.exit_code == 0, ended.text
    read = next(e.text for e in bench.of(ToolReturned) if e.id.startswith("t2"))
    assert "line 169" in read
    assert [path for path, _, _ in bench.proof.files] == ["a.txt", "c.txt"]


async def test_what_the_environment_lacks_is_told_before_the_code_is_blamed(bench):
    bench.place.write("check.sh", "python3 -c 'import no_such_module_at_all'\n")
    bench.place.git("commit", "-qam", "Need much")
    attempts(bench, 1)
    await bench.run([submitted(write("c.txt", "c\n"))])
    told = bench.model.requests[0].messages[-1].text
    assert (
        "The check cannot start: its environment seems to lack:"
        " the Python module no_such_module_at_all." in told
    )


# --- steps within an attempt ---------------------------------------------------------------


async def test_an_attempt_that_ends_worse_than_its_own_step_goes_back_to_the_step(bench):
    bench.place.write("check.sh", ALL_OF)
    bench.place.git("commit", "-qam", "Ask for three")
    attempts(bench, 2)
    check = ("bash", {"command": "sh check.sh"})
    script = [
        submitted(write("a.txt", "1\n2\n"), check, write("a.txt", "1\n")),
        call("bash", command="cat a.txt; echo 3 >> a.txt"),
        submitted(),
    ]
    ended = await bench.run(script)
    assert ended.exit_code == 0, ended.text
    assert bench.outcomes == ["better", "green"]
    assert bench.of(AttemptEnded)[0].failing == ("has 3",)
    told = bench.model.requests[1].messages[-1].text
    assert "the files went back to where you ran the check within this attempt" in told


async def test_a_step_whose_shell_was_set_up_to_please_counts_only_as_the_check_says(bench):
    bench.place.write("check.sh", ALL_OF.replace("1 2 3", "${ONLY:-1 2 3}"))
    bench.place.git("commit", "-qam", "Ask for three")
    attempts(bench, 1)
    script = [
        submitted(
            write("b.txt", "x\n"),
            ("bash", {"command": "export ONLY=1"}),
            ("bash", {"command": "sh check.sh"}),
            write("c.txt", "x\n"),
        )
    ]
    await bench.run(script)
    assert bench.outcomes == ["same"]
    assert len(bench.of(AttemptEnded)[0].failing) == 3
    assert bench.of(RolledBack) == []
