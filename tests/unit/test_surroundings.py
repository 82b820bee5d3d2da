"""What a check lacks is asked for, tried, and kept only when the next run shows that it helped."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from selfheal_tui.adapters.local_provision import LocalProvision
from selfheal_tui.adapters.scripted import calling
from selfheal_tui.core.approval import Answer, SetupRequest, key_of, kind_of
from selfheal_tui.core.checks import CheckResult
from selfheal_tui.core.environment import Missing
from selfheal_tui.core.events import (
    ApprovalAsked,
    CheckEnded,
    EnvironmentHealed,
    EnvironmentLacked,
    EnvironmentNotHealed,
    MessageSent,
    StepEnded,
    ToolReturned,
    Warned,
)
from selfheal_tui.core.setup_asked import AskedSetup, asked_setup
from selfheal_tui.errors import SandboxError, SelfhealError
from selfheal_tui.headless import no_to_all, yes_to
from tests.support.sessions import FILES, Bench, submit, submitted, write

YAML = "pip install PyYAML"
NO_YAML = "ModuleNotFoundError: No module named 'yaml'"
CHECK = f'test -e ../home/yaml || {{ echo "{NO_YAML}"; exit 1; }}\n'


class Images(LocalProvision):
    """A provision whose set-ups only mark the sandboxes that are opened later."""

    def __init__(self, *, brings=("yaml",), fails="", off=""):
        self.brings, self.fails, self.off = brings, fails, off
        self.ran, self.kept, self.marks = [], [], [()]

    @property
    def place(self):
        return "".join(f"touch ../home/{name}; " for name in self.marks[-1]) or "true"

    def extension(self, command, reason):
        return self.off or SetupRequest(command, reason, "image")

    async def extend(self, granted, say):
        self.ran.append(granted.request.command)
        say("installing")
        if self.fails:
            raise SandboxError(self.fails)
        self.marks.append((*self.marks[-1], *self.brings))
        return f"image+{len(self.marks) - 1}"

    def keep_extension(self):
        self.kept.append(self.ran[-1])

    def drop_extension(self):
        self.marks.pop()


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path, FILES | {"check.sh": CHECK + FILES["check.sh"]})
    bench.provision = Images()
    return bench


def told(bench):
    kinds = (EnvironmentLacked, EnvironmentHealed, EnvironmentNotHealed)
    return [event for event in bench.events if isinstance(event, kinds)]


MENDS = [submitted(write("a.txt", "b\n"))]


async def test_a_baseline_that_cannot_start_is_healed_first(bench):
    ended = await bench.run(MENDS)
    assert ended.exit_code == 0, ended.text
    assert told(bench) == [
        EnvironmentLacked(("the Python module yaml",), YAML),
        EnvironmentHealed(YAML, "image+1"),
    ]
    assert bench.provision.kept == [YAML]
    baselines = [e for e in bench.of(CheckEnded) if e.purpose == "baseline"]
    assert len(baselines) == 2
    assert [e.name for e in bench.of(StepEnded) if e.name == "set-up"] == ["set-up"]


async def test_what_cannot_be_kept_still_serves_this_run(bench):
    def full():
        raise SelfhealError("the disk is full")

    bench.provision.keep_extension = full
    ended = await bench.run(MENDS)
    assert ended.exit_code == 0, ended.text
    assert Warned("the set-up is not kept for the next session: the disk is full") in bench.events


async def test_nobody_to_approve_it_is_exit_3_and_nothing_is_run(bench):
    ended = await bench.run(MENDS, no_to_all())
    assert ended.exit_code == 3
    assert bench.provision.ran == []


async def test_a_set_up_that_fails_changes_nothing_and_the_run_goes_on_red(bench):
    bench.provision = Images(fails="the set-up failed: exit code 1\nno such distribution")
    ended = await bench.run(MENDS * 3)
    assert ended.exit_code == 1
    assert told(bench)[1:] == [
        EnvironmentNotHealed(YAML, "the set-up failed: exit code 1\nno such distribution")
    ]
    assert (len(bench.provision.ran), bench.provision.kept) == (1, [])


async def test_a_set_up_that_does_not_help_is_not_kept_and_not_tried_twice(bench):
    bench.provision = Images(brings=())
    await bench.run(MENDS * 3)
    assert told(bench)[1] == EnvironmentNotHealed(
        YAML, "it ran, but does not bring the Python module yaml: it is not kept"
    )
    assert (bench.provision.ran, bench.provision.kept) == ([YAML], [])
    assert bench.provision.marks == [()]


async def test_a_set_up_that_the_user_cuts_short_changes_nothing(bench):
    session = bench.session(MENDS * 3)

    async def cut(granted, say):
        session.cancel_step()
        await asyncio.Event().wait()

    bench.provision.extend = cut
    ended = await session.run()
    assert ended.exit_code == 1, ended.text
    assert told(bench)[1:] == [EnvironmentNotHealed(YAML, "the set-up was ended early")]
    assert bench.provision.kept == []


async def test_without_network_the_reason_is_said(bench):
    bench.provision = Images(off="the network is off")
    await bench.run(MENDS * 3)
    assert told(bench) == [EnvironmentLacked(("the Python module yaml",), "", "the network is off")]


async def test_each_round_may_bring_what_the_one_before_uncovered(bench):
    second = CHECK.replace("yaml", "six")
    bench.place.write("check.sh", CHECK + second + FILES["check.sh"])
    bench.place.git("commit", "-qam", "Need six")
    bench.provision = Images(brings=("yaml",))
    images = bench.provision
    extend = images.extend

    async def in_turn(granted, say):
        images.brings = ("yaml",) if "PyYAML" in granted.request.command else ("six",)
        return await extend(granted, say)

    images.extend = in_turn
    ended = await bench.run(MENDS)
    assert ended.exit_code == 0, ended.text
    assert images.kept == [YAML, "pip install six"]


async def test_a_program_that_is_not_there_is_healed_before_it_is_an_error(bench):
    said = "test -e ../home/yaml || { echo 'sh: 1: jq: not found'; exit 127; }\n"
    bench.place.write("check.sh", said + FILES["check.sh"])
    bench.place.git("commit", "-qam", "Need jq")
    ended = await bench.run(MENDS)
    assert ended.exit_code == 0, ended.text
    assert "install -y --no-install-recommends jq" in bench.provision.kept[0]


async def test_a_program_that_nobody_knows_is_still_a_usage_error(bench):
    bench.place.write("check.sh", "echo 'sh: 1: acmectl: not found'; exit 127\n")
    bench.place.git("commit", "-qam", "Need acmectl")
    ended = await bench.run(MENDS)
    assert ended.exit_code == 2
    assert "name an image that has it" in told(bench)[0].reason
    assert bench.provision.ran == []


async def test_another_interpreter_is_said_in_plain_words(bench):
    said = "ERROR: Package 'a' requires a different Python: 3.11.2 not in '>=3.13'"
    bench.place.write("check.sh", f'echo "{said}"; exit 1\n')
    bench.place.git("commit", "-qam", "Need another Python")
    ended = await bench.run(MENDS * 3)
    assert ended.exit_code == 1
    assert told(bench) == [
        EnvironmentLacked(
            ("Python >=3.13 (there is 3.11.2)",),
            "",
            "Python >=3.13 (there is 3.11.2) is missing: a set-up command cannot change the"
            " interpreter; name an image that has it with --image, or a sandbox with --sandbox",
        )
    ]


async def test_an_attempt_that_adds_an_import_gets_its_package(bench):
    bench.place.write("check.sh", f"if test -e new.txt; then\n{CHECK}fi\n" + FILES["check.sh"])
    bench.place.git("commit", "-qam", "Need yaml later")
    ended = await bench.run([submitted(write("a.txt", "b\n"), write("new.txt", "x\n"))])
    assert ended.exit_code == 0, ended.text
    assert bench.outcomes == ["green"]
    assert bench.provision.kept == [YAML]


async def test_a_no_in_an_attempt_is_told_and_the_run_goes_on(bench):
    bench.place.write("check.sh", f"if test -e new.txt; then\n{CHECK}fi\n" + FILES["check.sh"])
    bench.place.git("commit", "-qam", "Need yaml later")

    async def no_setup(request):
        if kind_of(request) == "setup":
            return Answer(key_of(request), granted=False, by="user", reason="not that")
        return await yes_to(push=False)(request)

    wrong = submitted(write("a.txt", "b\n"), write("new.txt", "x\n"))
    ended = await bench.run([wrong, submitted(("bash", {"command": "rm new.txt"}))], no_setup)
    assert ended.exit_code == 0, ended.text
    assert "was not approved: not that" in told(bench)[1].reason
    assert [e.kind for e in bench.of(ApprovalAsked)] == ["setup", "commit"]


async def asking(bench, command, ask=None):
    """What the model is told when it runs `command`."""
    text = ""
    first = calling(("bash", {"command": command}), write("a.txt", "b\n"))
    ended = await bench.run([first, calling(submit())], ask)
    assert ended.exit_code == 0, ended.text
    for event in bench.of(ToolReturned):
        text = text or event.text
    return text


@pytest.fixture
def plain(bench):
    """A check that lacks nothing."""
    bench.place.write("check.sh", FILES["check.sh"])
    bench.place.git("commit", "-qam", "Need nothing")
    return bench


async def test_the_model_asks_for_a_set_up_by_the_command_it_knows(plain):
    text = await asking(plain, "python3 -m pip install -q PyYAML")
    assert text == f"installed by the set-up `{YAML}`; the shell is a new one"
    assert told(plain) == [EnvironmentHealed(YAML, "image+1")]
    assert plain.provision.kept == [YAML]


async def test_a_name_that_the_model_made_up_is_not_installed(plain):
    text = await asking(plain, "pip install yaml-helper-utils")
    assert "yaml-helper-utils: not a name that the project or selfheal knows" in text
    assert plain.provision.ran == []


async def test_a_name_that_the_model_made_up_is_shown_to_the_user_as_a_guess(plain):
    first = calling(("bash", {"command": "pip install yaml-helper-utils six"}))
    plain.order = replace(plain.order, partial=True)
    await plain.run([first, *MENDS])
    (asked,) = (event for event in plain.of(ApprovalAsked) if event.kind == "setup")
    assert "that yaml-helper-utils is meant is a GUESS: look at the name" in asked.request
    assert "six is meant" not in asked.request


async def test_a_failed_set_up_is_told_to_the_model_and_its_edits_stay(plain):
    plain.provision = Images(fails="exit code 1")
    assert await asking(plain, "pip install six") == "A set-up was tried: exit code 1"


async def test_the_models_set_up_that_the_user_cuts_short_waits_for_the_user(plain):
    first = calling(("bash", {"command": "pip install six"}))
    session = plain.session([first, submitted(write("a.txt", "b\n"))])

    async def cut(granted, say):
        session.cancel_step()
        session.say("do without")
        await asyncio.Event().wait()

    plain.provision.extend = cut
    ended = await session.run()
    assert ended.exit_code == 0, ended.text
    assert "interrupted" in plain.of(ToolReturned)[0].text
    assert [message.text for message in plain.of(MessageSent)] == ["do without"]


async def test_a_no_to_the_models_set_up_is_told(plain):
    async def no_setup(request):
        if kind_of(request) == "setup":
            return Answer(key_of(request), granted=False, by="user", reason="not that")
        return await yes_to(push=False)(request)

    assert "not approved: not that" in await asking(plain, "pip install six", no_setup)


@pytest.mark.parametrize(
    ("command", "asked"),
    [
        ("pip install six", AskedSetup("pip", ("six",))),
        ("python -m pip install -U 'PyYAML>=6'", AskedSetup("pip", ("PyYAML>=6",))),
        ("sudo apt-get install -y jq git", AskedSetup("apt", ("jq", "git"))),
        ("npm i -D left-pad@1.3.0", AskedSetup("npm", ("left-pad@1.3.0",))),
        ("pip install -r requirements.txt", None),
        ("pip install -i https://x.invalid six", None),
        ("pip install ./here", None),
        ("pip install git+https://x.invalid/a", None),
        ("pip install six && rm -rf /", None),
        ("pip install $(cat x)", None),
        ("pip install 'six", None),
        ("pip list", None),
        ("pip install", None),
        ("echo pip install six", None),
        ("apt-get install jq- python3-", None),
        ("apt-get install g++ libstdc++6", AskedSetup("apt", ("g++", "libstdc++6"))),
        ("pip install acme.tar.gz", None),
        ("pip install acme.whl", None),
        ("npm install acme.tgz", None),
        ("npm install re\u0430ct", None),
        ("pip install 'six[\u0430]'", None),
    ],
)
def test_only_a_plain_command_asks_for_a_set_up(command, asked):
    assert asked_setup(command) == asked


async def test_the_local_sandbox_installs_nothing(bench):
    bench.provision = LocalProvision()
    await bench.run(MENDS * 3)
    assert "runs no set-up on your machine" in told(bench)[0].reason


async def test_what_is_missing_beside_tests_that_pass_is_left_alone():
    result = CheckResult("x", 1, 0.1, passed=3, missing=(Missing("module", "yaml", "python"),))
    assert not result.cannot_start
    assert replace(result, passed=0).cannot_start
