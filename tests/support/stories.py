"""Whole sessions as events, made by code, so that they cannot fall behind the events' shapes.

`python -m tests.support.stories` writes those of `STORIES` to tests/stories/NAME.jsonl.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from difflib import unified_diff
from pathlib import Path

from selfheal_tui.core import events as e
from selfheal_tui.core.patch import file_counts
from selfheal_tui.core.proof import Proof

FOLDER = Path(__file__).parents[1] / "stories"
START = 1_760_000_000.0
CHECK = "python -m pytest -q"
BASE = "b" * 40
MODEL = "anthropic/claude-sonnet-4-5"

Timed = list[tuple[e.Event, float]]


class Story:
    """Events with a clock of their own. Every method tells one thing and takes its time."""

    def __init__(self, task: str) -> None:
        self.events: Timed = []
        self.now = START
        self._numbers = iter(range(1, 1_000_000))
        self._turns = iter(range(1, 1_000_000))
        self.cost = 0.0
        self.patch = ""
        self.tree = BASE
        self.tell(e.SessionStarted("k3v9", task, "/home/ada/till", "0.1.0"))
        self.task = task

    def tell(self, event: e.Event, after: float = 0.05) -> None:
        self.now += after
        self.events.append((event, round(self.now, 3)))

    def ready(self) -> None:
        """Everything up to the check that was chosen."""
        self.step("snapshot", 0.1)
        self.tell(
            e.SnapshotTaken(BASE, "c" * 40, "d" * 40, "refs/heads/main", 42, 181_204, ("till.py",))
        )
        self.step("engine", 0.2, "Docker 27.3")
        self.step("image", 1.4, "selfheal-python", printed="Step 1/6 : FROM python\n")
        self.tell(
            e.SandboxOpened(
                "docker",
                "python",
                "container without network, capabilities or host paths",
                "selfheal-python",
                "sha256:1f2e",
                "off",
                "selfheal-k3v9",
            )
        )
        self.step("tree", 0.1, "42 files")
        self.tell(e.CheckChosen(CHECK, "pyproject.toml"))

    def step(self, name: str, took: float, detail: str = "", printed: str = "") -> None:
        number = f"s{next(self._numbers)}"
        self.tell(e.StepStarted(number, name, detail))
        if printed:
            self.tell(e.StepProgressed(number, printed))
        self.tell(e.StepEnded(number, name, took, True, detail), took)

    def command(
        self, command: str, output: str, *, purpose: str = "tool", code: int = 0, took: float = 0.4
    ) -> str:
        number = f"c{next(self._numbers)}"
        self.tell(e.CommandStarted(number, command, purpose))
        half = len(output) // 2
        for piece in (output[:half], output[half:]):
            if piece:
                self.tell(e.CommandPrinted(number, piece))
        self.tell(e.CommandEnded(number, code, took, len(output)), took)
        return number

    def check(
        self,
        purpose: str,
        failing: tuple[str, ...],
        *,
        passed: int,
        flaky: tuple[str, ...] = (),
        took: float = 0.8,
    ) -> None:
        output = pytest_output(failing, passed)
        code = 1 if failing else 0
        number = self.command(CHECK, output, purpose=purpose, code=code, took=took)
        green = not failing
        self.tell(
            e.CheckEnded(number, purpose, self.tree, code, green, took, failing, flaky, passed),
            0.01,
        )

    def turn(
        self,
        role: str,
        text: str = "",
        thinking: str = "",
        tools: tuple[tuple[str, dict[str, object], str, bool], ...] = (),
        finish: str = "tool_calls",
    ) -> str:
        """An answer; `tools` are name, arguments, result and ok of its calls."""
        number = f"t{next(self._turns)}"
        self.tell(e.TurnStarted(number, role, MODEL, 1))
        for piece in _pieces(thinking):
            self.tell(e.ReasoningStreamed(number, piece), 0.2)
        for piece in _pieces(text):
            self.tell(e.TextStreamed(number, piece), 0.1)
        self.cost = round(self.cost + 0.004, 4)
        self.tell(
            e.TurnEnded(
                number,
                role,
                MODEL,
                finish,
                text,
                6_200,
                310,
                5_800,
                0.004,
                self.cost,
                0.031,
            )
        )
        for at, (name, arguments, result, ok) in enumerate(tools, 1):
            call = f"{number}.{at}"
            self.tell(e.ToolCalled(call, role, name, json.dumps(arguments)))
            if name == "bash":
                self.command(str(arguments["command"]), result, code=0 if ok else 1)
            self.tell(e.ToolReturned(call, name, ok, result), 0.2)
        return number

    def change(self, tree: str, patch: str) -> None:
        self.tree, self.patch = tree, patch
        self.tell(e.TreeChanged(tree, file_counts(patch), patch))

    def propose(self, before: tuple[str, ...], attempt: int, message: str) -> None:
        proof = Proof(
            tree=self.tree,
            base=BASE,
            verified=True,
            command=CHECK,
            exit_code=0,
            check_seconds=0.8,
            before=before,
            after=(),
            flaky=(),
            sandbox="container without network, capabilities or host paths",
            image="selfheal-python",
            network="off",
            attempt=attempt,
            attempts=3,
            seconds=21.4,
            cost=self.cost,
            model=MODEL,
            files=file_counts(self.patch),
            warnings=(),
            review="approve: small and to the point",
        )
        self.tell(e.ProposalMade(self.tree, self.tree, proof.to_json(), self.patch, message))

    def commit(self, *, granted: bool = True, reason: str = "") -> None:
        self.tell(e.ApprovalAsked("a1", "commit", "k" * 8, json.dumps({"tree": self.tree})))
        self.tell(e.ApprovalAnswered("a1", "commit", "k" * 8, granted, "user", reason), 8.0)
        if granted:
            ref = "refs/heads/selfheal/fix-the-till"
            self.tell(e.CommitStarted(self.tree, ref, "c" * 40))
            self.tell(e.Committed("9f31c07a" + "0" * 32, self.tree, ref, False))

    def end(self, code: int, outcome: str, text: str) -> Timed:
        self.tell(e.SessionEnded(code, outcome, text, round(self.now - START, 1), self.cost))
        return self.events


def _pieces(text: str) -> list[str]:
    return [text[at : at + 24] for at in range(0, len(text), 24)]


def pytest_output(failing: tuple[str, ...], passed: int) -> str:
    """What pytest prints with colours, shortened."""
    dots = "." * passed + "F" * len(failing)
    lines = [f"{dots}{' ' * max(60 - len(dots), 1)}[100%]"]
    if failing:
        lines.append(
            "=================================== FAILURES ==================================="
        )
    for name in failing:
        test = name.rsplit("::", 1)[-1]
        file = name.split("::")[0]
        lines += [
            f"\x1b[31m\x1b[1m_________________________ {test} _________________________\x1b[0m",
            "",
            f"    \x1b[94mdef\x1b[39;49;00m \x1b[92m{test}\x1b[39;49;00m():",
            ">       \x1b[94massert\x1b[39;49;00m total([\x1b[94m2\x1b[39;49;00m]) == 2.2",
            "\x1b[1m\x1b[31mE       assert 2.0 == 2.2\x1b[0m",
            "",
            "\x1b[1m\x1b[31mtill.py\x1b[0m:12: AssertionError",
            f"\x1b[1m\x1b[31m{file}\x1b[0m:8: AssertionError",
        ]
    lines += [f"\x1b[31mFAILED\x1b[0m {name} - assert 2.0 == 2.2" for name in failing]
    colour = "31" if failing else "32"
    counts = f"{len(failing)} failed, " if failing else ""
    lines.append(
        f"\x1b[{colour}m\x1b[1m{counts}{passed} passed\x1b[0m\x1b[{colour}m in 0.42s\x1b[0m"
    )
    return "\n".join(lines) + "\n"


TESTS = (
    "test_till.py::test_the_total_carries_tax",
    "test_till.py::test_an_empty_basket_costs_nothing",
    "test_till.py::test_a_discount_is_taken_before_tax",
)

BEFORE = '''\
"""A small till."""

from __future__ import annotations

TAX = 0.0


def total(prices: list[float]) -> float:
    """What a basket costs."""
    return sum(prices) * TAX


def tax(price: float) -> float:
    """The part of a price that is tax."""
    return price - price / (1 + TAX)


def receipt(prices: list[float], discount: float = 0.0) -> str:
    """A receipt with the total as its last line."""
    lines = [f"{price:8.2f}" for price in prices]
    lines.append("-" * 8)
    lines.append(f"{total(prices):8.2f}")
    return "\\n".join(lines)
'''

FIRST = BEFORE.replace("TAX = 0.0", "TAX = 0.1").replace(
    '"""What a basket costs."""\n    return sum(prices) * TAX',
    '"""What a basket costs, tax included."""\n    if not prices:\n        return 0.0\n'
    "    return round(sum(prices) * (1 + TAX), 2)",
)

SECOND = FIRST.replace(
    '    lines.append("-" * 8)\n',
    "    # A discount is shown as a line of its own, so that the sum can be followed by hand.\n"
    '    if discount:\n        lines.append(f"{-discount:8.2f}")\n    lines.append("-" * 8)\n',
)

THIRD = SECOND.replace("TAX = 0.1", "TAX = 0.1\nDISCOUNT = 'discount'").replace(
    'f"{-discount:8.2f}"', 'f"{DISCOUNT:<9}{-discount:8.2f}"'
)

NEW_TEST = """\
from till import receipt


def test_a_receipt_ends_with_the_total():
    assert receipt([1.0]).endswith("1.10")
"""


def patch_of(path: str, before: str, after: str) -> str:
    """The difference of one file as git writes it; an empty `before` is a file that is new."""
    names = ("/dev/null" if not before else f"a/{path}", f"b/{path}")
    head = f"diff --git a/{path} b/{path}\n"
    head += "new file mode 100644\nindex 0000000..9c0ffee\n" if not before else ""
    head += "index 3b18e51..a9c1f22 100644\n" if before else ""
    lines = unified_diff(before.splitlines(True), after.splitlines(True), *names)
    return head + "".join(lines)


FIRST_PATCH = patch_of("till.py", BEFORE, FIRST)
THIRD_PATCH = patch_of("tests/test_receipt.py", "", NEW_TEST) + patch_of("till.py", BEFORE, THIRD)
BETWEEN = {
    (1, 2): patch_of("tests/test_receipt.py", "", NEW_TEST) + patch_of("till.py", FIRST, SECOND),
    (1, 3): patch_of("tests/test_receipt.py", "", NEW_TEST) + patch_of("till.py", FIRST, THIRD),
    (2, 3): patch_of("till.py", SECOND, THIRD),
}
"""What changed from an attempt to a later one."""
SECOND_PATCH = patch_of("tests/test_receipt.py", "", NEW_TEST) + patch_of("till.py", BEFORE, SECOND)

PLAN = (
    "Read till.py and the failing tests",
    "Apply the tax to the sum, and round to cents",
    "Let an empty basket cost nothing",
    "Run the check and submit",
)


def _opening(task: str = "Fix the failing tests of the till") -> Story:
    story = Story(task)
    story.ready()
    story.tell(e.MessageSent(task))
    story.check("baseline", TESTS, passed=9)
    story.check("flaky", TESTS, passed=9)
    story.turn(
        "planner",
        thinking="The tests name a tax. Let me look at how total() treats it before I plan.",
        tools=(("read_file", {"path": "till.py"}, "1\\tTAX = 0.0\n2\\t...", True),),
    )
    story.turn(
        "planner",
        tools=(("submit_plan", {"steps": list(PLAN), "files": ["till.py"]}, "noted", True),),
    )
    story.tell(e.PlanProposed(PLAN, ("till.py",)))
    return story


def _work(story: Story, number: int, patch: str, done: int) -> None:
    """An attempt up to its verify: talk, edit, ticks."""
    story.tell(e.AttemptStarted(number, 3, story.tree))
    story.turn(
        "coder",
        text=(
            "The sum is multiplied by the **rate itself**, so every basket costs nothing.\n\n"
            "I will:\n\n1. set `TAX` to its real value,\n2. multiply by `1 + TAX` and round.\n\n"
            "```python\nreturn round(sum(prices) * (1 + TAX), 2)\n```\n"
        ),
        thinking=(
            "total() multiplies by TAX, which is 0.0, so everything is free.\n"
            "The tests want ten per cent on top, rounded to cents."
        ),
        tools=(
            ("search", {"pattern": "TAX", "glob": "*.py"}, "till.py:5: TAX = 0.0", True),
            (
                "edit_file",
                {"path": "till.py", "old": "TAX = 0.0", "new": "TAX = 0.1"},
                "replaced once",
                True,
            ),
        ),
    )
    story.change(f"{number}" * 40, patch)
    states = ["done"] * done + ["doing"] + ["todo"] * (len(PLAN) - done - 1)
    story.tell(e.PlanUpdated(tuple(zip(PLAN, states[: len(PLAN)], strict=True))))
    story.turn(
        "coder",
        tools=(
            (
                "bash",
                {"command": "python -m pytest -q test_till.py -x"},
                "2 passed in 0.1s\n",
                True,
            ),
        ),
    )
    story.turn(
        "coder",
        tools=(
            (
                "submit",
                {"summary": "Apply the tax", "commit_message": "Apply the tax to the total"},
                "noted",
                True,
            ),
        ),
    )


def _compare(story: Story, newer: int) -> None:
    for (older, to), patch in BETWEEN.items():
        if to == newer:
            story.tell(e.AttemptsCompared(older, newer, patch))


def _finish(story: Story, attempt: int) -> None:
    story.tell(e.PlanUpdated(tuple((step, "done") for step in PLAN)))
    story.check("verify", (), passed=12)
    story.check("proof", (), passed=12)
    story.turn("reviewer", text="The change is small, and it does what the task asks for.")
    story.tell(e.ReviewGiven("approve", "Small and to the point. The rounding is right for cents."))
    story.tell(e.AttemptEnded(attempt, "green", story.tree, (), "Apply the tax"))
    if attempt > 1:
        _compare(story, attempt)
    story.propose(TESTS, attempt, "Apply the tax to the total\n\nAnd round it to cents.")


def happy() -> Timed:
    """Green at the first attempt, approved and committed."""
    story = _opening()
    _work(story, 1, FIRST_PATCH, 3)
    _finish(story, 1)
    story.commit()
    return story.end(0, "committed", "9f31c07a is on selfheal/fix-the-till")


def healed_at_3() -> Timed:
    """Better, then worse and rolled back, then green; with steering and a retry in between."""
    story = _opening()
    _work(story, 1, FIRST_PATCH, 1)
    story.check("verify", TESTS[2:], passed=11)
    story.tell(e.AttemptEnded(1, "better", story.tree, TESTS[2:], "Apply the tax"))
    story.tell(e.MessageSent("Discounts are taken off before tax, see the docs folder."))
    _work(story, 2, SECOND_PATCH, 2)
    worse = (*TESTS[1:], "tests/test_receipt.py::test_a_receipt_ends_with_the_total")
    story.check("verify", worse, passed=9, flaky=("test_till.py::test_the_clock",))
    story.tell(e.RolledBack("2" * 40, "1" * 40, "attempt 2 fails 3 tests, not 1"))
    story.change("1" * 40, FIRST_PATCH)
    story.tell(e.AttemptEnded(2, "worse", "2" * 40, worse, "Show the discount"))
    _compare(story, 2)
    story.tell(e.TurnStarted("t90", "coder", MODEL, 9))
    story.tell(e.TextStreamed("t90", "This was cut off in the mid"))
    story.tell(e.TurnRetried("t90", "the stream ended early", 2.0, 1, MODEL))
    story.tell(e.TextStreamed("t90", "Back to the best state."))
    story.tell(e.TurnEnded("t90", "coder", MODEL, "stop", "Back to the best state."))
    story.tell(e.Nudged("coder", "you called no tool; go on with a tool call"))
    _work(story, 3, THIRD_PATCH, 3)
    _finish(story, 3)
    story.commit()
    return story.end(0, "committed", "9f31c07a is on selfheal/fix-the-till")


def running() -> Timed:
    """Cut in the middle of the second attempt: a command is printing."""
    story = _opening()
    _work(story, 1, FIRST_PATCH, 1)
    story.check("verify", TESTS[2:], passed=11)
    story.tell(e.AttemptEnded(1, "better", story.tree, TESTS[2:], "Apply the tax"))
    story.tell(e.AttemptStarted(2, 3, story.tree))
    story.tell(e.TurnStarted("t50", "coder", MODEL, 7))
    story.tell(e.ReasoningStreamed("t50", "One test is left: the discount. Taken after tax. "))
    story.tell(e.ReasoningStreamed("t50", "I should look at where receipt() calls total()."))
    story.tell(e.TextStreamed("t50", "One test is left. Let me run it **alone** to"), 1.5)
    story.tell(e.TextStreamed("t50", " see its message."))
    story.tell(
        e.TurnEnded(
            "t50",
            "coder",
            MODEL,
            "tool_calls",
            "One test is left. Let me run it **alone** to see its message.",
        )
    )
    arguments = json.dumps({"command": "python -m pytest -q -k discount --color=yes"})
    story.tell(e.ToolCalled("t50.1", "coder", "bash", arguments))
    story.tell(e.CommandStarted("c900", "python -m pytest -q -k discount --color=yes", "tool"))
    story.tell(e.CommandPrinted("c900", "collecting ...\n"))
    story.tell(e.CommandPrinted("c900", "\x1b[33mwarning\x1b[0m: cache is cold\n"), 3.0)
    return story.events


def refused() -> Timed:
    """The user refuses the commit with a reason."""
    story = _opening()
    _work(story, 1, SECOND_PATCH, 3)
    _finish(story, 1)
    reason = "keep the tests out of this commit"
    story.commit(granted=False, reason=reason)
    return story.end(3, "refused", f"the commit was refused by user: {reason}")


def taken_out() -> Timed:
    """The user takes a file out, is asked anew, takes the files without a commit, and undoes."""
    story = _opening()
    _work(story, 1, SECOND_PATCH, 3)
    _finish(story, 1)
    story.tell(e.ApprovalAsked("a1", "commit", "k" * 8, json.dumps({"tree": story.tree})))
    story.tell(e.ApprovalAnswered("a1", "commit", "k" * 8, False, "user", "not the new test"), 8.0)
    hunks = (
        ("tests/test_receipt.py", "", "no new test in this commit"),
        ("till.py", "@@ -18,6 +21,9 @@", "the discount has its own line elsewhere"),
    )
    story.tell(e.HunksRefused(hunks))
    story.change("4" * 40, FIRST_PATCH)
    story.check("proof", (), passed=11)
    story.propose(TESTS, 1, "Apply the tax to the total")
    story.tell(e.ApprovalAsked("a2", "commit", "l" * 8, json.dumps({"tree": story.tree})))
    moved = "refs/heads/main moved to 77ab01c while you looked"
    story.tell(e.ApprovalWithdrawn("a2", "commit", "l" * 8, moved), 20.0)
    story.tell(e.ApprovalAsked("a3", "worktree", "m" * 8, json.dumps({"tree": story.tree})))
    story.tell(e.ApprovalAnswered("a3", "worktree", "m" * 8, True, "user"), 5.0)
    story.tell(e.WorktreeUpdateStarted(BASE, story.tree, ("till.py",)))
    story.tell(e.WorktreeUpdated(story.tree, ("till.py",)))
    story.end(0, "updated", "till.py is updated; nothing was committed")
    story.tell(e.UndoStarted("9f31c07a" + "0" * 32, "refs/heads/main", "c" * 40), 30.0)
    restored, kept = ("till.py",), ("notes.md",)
    story.tell(e.Undone("9f31c07a" + "0" * 32, "refs/heads/main", "c" * 40, restored, kept))
    return story.events


def cancelled() -> Timed:
    """The user stops a command, then the run."""
    story = _opening()
    story.tell(e.AttemptStarted(1, 3, story.tree))
    story.turn("coder", text="Let me run everything first.")
    story.tell(e.ToolCalled("t9.1", "coder", "bash", json.dumps({"command": "sleep 600"})))
    story.tell(e.CommandStarted("c77", "sleep 600", "tool"))
    story.tell(e.CommandEnded("c77", 137, 12.0, 0, cancelled=True), 12.0)
    story.tell(e.ToolReturned("t9.1", "bash", False, "the user stopped this command"))
    story.tell(e.TurnStarted("t10", "coder", MODEL, 4))
    story.tell(e.TextStreamed("t10", "I was stopped, so"))
    story.tell(e.TurnEnded("t10", "coder", MODEL, "cancelled"))
    story.tell(e.AttemptEnded(1, "stopped", story.tree, (), ""))
    return story.end(130, "interrupted", "ended by signal 2")


def environment() -> Timed:
    """A package is missing: a set-up command is approved and its image kept."""
    story = Story("Make the report work")
    story.ready()
    story.tell(e.MessageSent("Make the report work"))
    request = {
        "command": "pip install -r requirements.txt",
        "reason": "requirements.txt is not installed in the image",
        "image": "selfheal-python",
        "files": ["requirements.txt"],
    }
    story.tell(e.ApprovalAsked("a0", "setup", "k" * 8, json.dumps(request)))
    story.tell(e.ApprovalAnswered("a0", "setup", "k" * 8, True, "user"), 4.0)
    story.command(
        "pip install -r requirements.txt",
        "Collecting jinja2\n  Downloading jinja2-3.1.6-py3-none-any.whl (134 kB)\r"
        "     |################                | 50%\r"
        "     |################################| 100%\n"
        "\x1b[32mSuccessfully installed\x1b[0m jinja2-3.1.6\n",
        purpose="setup",
        took=9.3,
    )
    story.step("setup", 2.2, "kept as an image layer")
    story.check("baseline", TESTS[:1], passed=3)
    _work(story, 1, FIRST_PATCH, 3)
    _finish(story, 1)
    return story.end(0, "committed", "9f31c07a is on selfheal/make-the-report-work")


HOSTILE = (
    "\x1b]52;c;cHduZWQ=\x07 [red]markup[/red] [/] [@click=app.quit]quit[/] \u202egnp.exe \u200bzero"
    " \x9b31mC1 \x07bell \x1b[2J\x1b[H \U000e0041tag \ud800half\ttab"
)


def hostile(line: int = 4_000) -> Timed:
    """Everything that a terminal or a parser of markup could fall for, in every text there is."""
    story = Story(HOSTILE)
    story.ready()
    story.tell(e.MessageSent(HOSTILE))
    story.tell(e.Warned(HOSTILE))
    failing = (f"tests/{HOSTILE}.py::test_x", "plain_test.py::test_y")
    number = story.command(
        HOSTILE, f"{HOSTILE}\n{'x' * line}\n{HOSTILE}", purpose="baseline", code=1
    )
    story.tell(e.CheckEnded(number, "baseline", BASE, 1, False, 0.1, failing, (HOSTILE,), 3))
    story.tell(e.PlanProposed((HOSTILE, "[b]bold[/b]")))
    story.tell(e.AttemptStarted(1, 3, BASE))
    story.turn(
        "coder\x1b[31m",
        text=f"# {HOSTILE}\n\n[link](javascript:{HOSTILE}) <script>{HOSTILE}</script> &#27;[2J\n\n"
        f"```{HOSTILE}\n{HOSTILE}\n```\n\n| a | b |\n| --- | --- |\n| {HOSTILE} | [/x] |\n",
        thinking=HOSTILE,
        tools=((HOSTILE, {HOSTILE: HOSTILE}, HOSTILE, False),),
    )
    patch = (
        'diff --git "a/\\033[31m.py" "b/\\033[31m.py"\nindex 1..2 100644\n'
        '--- "a/\\033[31m.py"\n+++ "b/\\033[31m.py"\n@@ -1 +1 @@ [/red]\n'
        f"-{HOSTILE}\n+{HOSTILE} [/blue]\n"
        "diff --git a/ln b/ln\nnew file mode 120000\nindex 0..1\n--- /dev/null\n+++ b/ln\n"
        "@@ -0,0 +1 @@\n+/etc/passwd\n\\ No newline at end of file\n"
        "diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n"
        "diff --git a/logo.png b/logo.png\nindex 1..2 100644\nBinary files a/logo.png and"
        " b/logo.png differ\n"
    )
    story.change("1" * 40, patch)
    story.tell(e.ReviewGiven("flag", HOSTILE, (HOSTILE,)))
    return story.end(1, HOSTILE, HOSTILE)


def long(count: int = 10_000) -> Timed:
    """A session of `count` events: many turns, tool calls and commands."""
    story = _opening("Work through the backlog")
    story.tell(e.AttemptStarted(1, 3, story.tree))
    number = 0
    while len(story.events) < count - 1:
        number += 1
        story.turn(
            "coder",
            text=f"Step {number}: look at `module_{number}.py` and fix what is **wrong** there.\n",
            thinking=f"Module {number} may hide the cause.",
            tools=(
                ("read_file", {"path": f"src/module_{number}.py"}, "1\\tpass\n" * 20, True),
                (
                    "bash",
                    {"command": f"grep -rn todo_{number} src"},
                    "src/a.py:1: todo\n" * 5,
                    True,
                ),
            ),
        )
    story.events = story.events[: count - 1]
    return story.end(7, "limit", "60 steps are used up")


STORIES: dict[str, Callable[[], Timed]] = {
    "happy": happy,
    "healed-at-3": healed_at_3,
    "running": running,
    "refused": refused,
    "taken-out": taken_out,
    "cancelled": cancelled,
    "environment": environment,
    "hostile": hostile,
}
"""Those that are kept as files, too."""

IN_MEMORY: dict[str, Callable[[], Timed]] = {"ten-thousand": long}
"""Those that are too large to be kept."""


def as_lines(story: Timed) -> str:
    return "".join(e.to_json(event, at=at) + "\n" for event, at in story)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, build in STORIES.items():
        (FOLDER / f"{name}.jsonl").write_text(as_lines(build()), encoding="ascii")


if __name__ == "__main__":
    main()
