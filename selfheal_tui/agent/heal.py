"""The healing loop: baseline, plan, attempts with verify and roll back, proof, review.

It ends with a value that says what was reached. Refuses to commit anything: that is `deliver`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from selfheal_tui.agent import prompts
from selfheal_tui.agent.brief import project_brief, review_brief, with_plan
from selfheal_tui.agent.digest import failure_digest
from selfheal_tui.agent.history import History
from selfheal_tui.agent.ledger import Ledger, State
from selfheal_tui.agent.loop import Conversations, Finished, GaveUp
from selfheal_tui.agent.ports import Emit, Repository, Shadow, Snapshot
from selfheal_tui.agent.roles import Roles
from selfheal_tui.agent.steering import Steering, StepCut
from selfheal_tui.agent.verify import Checker
from selfheal_tui.agent.workspace import Workspace
from selfheal_tui.core.checks import CheckResult
from selfheal_tui.core.events import (
    AttemptEnded,
    AttemptStarted,
    PlanProposed,
    ReviewGiven,
    RolledBack,
)
from selfheal_tui.core.task import asks_for_green
from selfheal_tui.core.text import cut_middle
from selfheal_tui.errors import RepositoryRefused

NO_CHANGE = (
    "You submitted, but no file differs from the original. If the task needs no change, say why in"
    " the summary; otherwise change what is wrong and submit again."
)

CHECK_CUT = "The user ended the check of your change early; there is no verdict."

START_PATCH = 8 * 1024
"""Characters of an earlier run's edits that the coder is shown."""


@dataclass(frozen=True)
class Review:
    """The reviewer's verdict: approve, send_back or flag."""

    verdict: str
    comments: str
    risks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Healed:
    """A tree that may be proposed. `check` is the proving run on exactly `commit_tree`, None where
    there is no check; `tree` is the same change on the user's uncommitted edits."""

    tree: str
    commit_tree: str
    check: CheckResult | None
    baseline: CheckResult | None
    flaky: frozenset[str]
    attempt: int
    summary: str
    message: str
    review: Review | None


@dataclass(frozen=True)
class AlreadyGreen:
    """The check passes on the untouched tree, and the task asks for nothing else."""

    check: CheckResult


@dataclass(frozen=True)
class NotHealedYet:
    """The attempts are used up. `best` is the best state, None where there is no check."""

    best: State | None
    baseline: CheckResult | None
    text: str


Outcome = Healed | AlreadyGreen | NotHealedYet


@dataclass(frozen=True)
class Job:
    """What is asked. `instructions` is the project's own notes for agents; `start` a tree of an
    earlier run to go on from, empty for the untouched one."""

    task: str
    attempts: int
    instructions: str = ""
    start: str = ""


class Healing:
    """One run of the loop."""

    def __init__(
        self,
        *,
        job: Job,
        snapshot: Snapshot,
        repository: Repository,
        shadow: Shadow,
        workspace: Workspace,
        checker: Checker | None,
        conversations: Conversations,
        roles: Roles,
        steering: Steering,
        emit: Emit,
    ) -> None:
        self._job = job
        self._snapshot = snapshot
        self._repository = repository
        self._shadow = shadow
        self._workspace = workspace
        self._checker = checker
        self._conversations = conversations
        self._roles = roles
        self._steering = steering
        self._emit = emit
        self._history = History(prompts.load("coder"))
        self._next = 1
        self._ledger: Ledger | None = None
        self._sent_back: Healed | None = None

    async def run(self) -> Outcome:
        """Heal. Raises what the model, the sandbox and the limits raise."""
        before = None
        if self._checker:
            before = await self._checker.baseline()
            if before.green and asks_for_green(self._job.task):
                return AlreadyGreen(before)
            self._ledger = Ledger(State(0, self._workspace.base, before))
        brief = await self._brief(before)
        self._history.user(with_plan(brief, *await self._plan(brief)))
        await self._go_on_from_start(self._history)
        return await self._attempts()

    @property
    def may_go_on(self) -> bool:
        """Whether an attempt is left."""
        return self._next <= self._job.attempts

    async def again(self, reason: str) -> Outcome:
        """Go on after the human refused the change that `run` or this returned."""
        self._sent_back = None
        self._history.user(f"The user read the change and does not want it like this: {reason}")
        return await self._attempts()

    async def _attempts(self) -> Outcome:
        while self.may_go_on:
            number, self._next = self._next, self._next + 1
            healed = await self._attempt(number, self._history)
            if healed is not None:
                return healed
        # A proved change that the reviewer sent back is still the human's to judge.
        return self._sent_back or await self._not_healed()

    async def _brief(self, before: CheckResult | None) -> str:
        red = before is not None and not before.green
        files = await self._shadow.files(self._workspace.base)
        return project_brief(
            task=self._job.task,
            check=self._checker.command if self._checker else "",
            failure=failure_digest(before, None) if before is not None and red else "",
            files=[file.path for file in files],
            instructions=self._job.instructions,
        )

    async def _go_on_from_start(self, history: History) -> None:
        start = self._job.start
        if not start or start == self._workspace.base:
            return
        await self._workspace.restore(start)
        patch = cut_middle(await self._shadow.patch(self._workspace.base, start), START_PATCH)
        history.user(f"An earlier run was interrupted; the files hold its edits:\n{patch}")

    async def _plan(self, brief: str) -> tuple[Sequence[str], Sequence[str]]:
        if self._roles.planner is None:
            return (), ()
        history = History(prompts.load("planner"))
        history.user(brief)
        ended = await self._conversations.converse(self._roles.planner, history)
        # The planner may look around with bash; what it wrote is thrown away.
        await self._workspace.restore(self._workspace.base)
        match ended:
            case Finished(arguments):
                steps = _strings(arguments["steps"])
                files = _strings(arguments.get("files", []))
                self._emit(PlanProposed(steps, files))
                return steps, files
            case GaveUp():
                return (), ()

    async def _attempt(self, number: int, history: History) -> Healed | None:
        self._emit(AttemptStarted(number, self._job.attempts, self._workspace.tree))
        ended = await self._conversations.converse(self._roles.coder, history)
        tree = await self._workspace.sync_or_drop()
        summary = str(ended.arguments["summary"]) if isinstance(ended, Finished) else ""
        if tree == self._workspace.base:
            self._failed(number, "no change", tree, history, NO_CHANGE, summary)
            return None
        if self._checker is None:
            return await self._unchecked(number, ended, tree, history)
        try:
            result = await self._steering.step(self._checker.here("verify"))
        except StepCut:
            await self._check_was_cut(number, tree, history, summary)
            return None
        if not result.green:
            await self._red(number, tree, result, history, summary)
            return None
        healed = await self._proved(number, ended, tree, history)
        if healed is None:
            return None
        return await self._reviewed(healed, history)

    async def _check_was_cut(self, number: int, tree: str, history: History, summary: str) -> None:
        await self._workspace.restore(tree)
        self._failed(number, "stopped", tree, history, CHECK_CUT, summary)
        if self.may_go_on:
            await self._conversations.hold(history)

    async def _unchecked(
        self, number: int, ended: Finished | GaveUp, tree: str, history: History
    ) -> Healed | None:
        """Without a check only the coder's own word ends an attempt; the card says so."""
        match ended:
            case GaveUp(reason):
                self._failed(number, "stopped", tree, history, reason, "")
                return None
            case Finished():
                commit_tree = await self._repository.commit_tree_for(self._snapshot, tree)
                healed = self._healed(number, ended, tree, commit_tree, None)
                return await self._reviewed(healed, history)

    async def _red(
        self, number: int, tree: str, result: CheckResult, history: History, summary: str
    ) -> None:
        ledger = self._kept_ledger()
        previous, best = ledger.states[-1].result, ledger.best
        outcome = ledger.add(State(number, tree, result))
        text = failure_digest(result, previous)
        if outcome == "worse":
            await self._workspace.restore(best.tree)
            now, then = len(result.failing), len(best.result.failing)
            lost = f"attempt {number} fails {now} tests, not {then}"
            self._emit(RolledBack(tree, best.tree, lost))
            state = f"attempt {best.attempt}" if best.attempt else "the original files"
            text += (
                f"\n\nThis is worse than before ({lost}), so the files went back to {state}."
                " Your last edits are gone; start from there."
            )
        self._failed(number, outcome, tree, history, text, summary, result)

    async def _proved(
        self, number: int, ended: Finished | GaveUp, tree: str, history: History
    ) -> Healed | None:
        """A green verdict counts only when a fresh sandbox says the same of the tree to commit."""
        checker = self._needed_checker()
        commit_tree = await self._repository.commit_tree_for(self._snapshot, tree)
        proof = await checker.fresh(commit_tree)
        if not proof.green and proof.failing <= checker.flaky:
            proof = await checker.fresh(commit_tree)
        if proof.green:
            self._kept_ledger().add(State(number, tree, proof))
            return self._healed(number, ended, tree, commit_tree, proof)
        if commit_tree != tree and (await checker.fresh(tree)).green:
            raise RepositoryRefused(
                "the fix passes only together with your uncommitted changes in "
                + ", ".join(self._snapshot.dirty[:5])
                + "; commit or stash them, then run again"
            )
        text = (
            "The check passes in your sandbox, but fails in a fresh one that holds only the files"
            " of the tree: something outside it, or left over, made it pass.\n\n"
        )
        self._kept_ledger().add(State(number, tree, proof))
        digest = failure_digest(proof, None)
        self._failed(number, "not proved", tree, history, text + digest, "", proof)
        return None

    def _healed(
        self,
        number: int,
        ended: Finished | GaveUp,
        tree: str,
        commit_tree: str,
        check: CheckResult | None,
    ) -> Healed:
        arguments = ended.arguments if isinstance(ended, Finished) else {}
        return Healed(
            tree,
            commit_tree,
            check,
            self._ledger.baseline.result if self._ledger else None,
            self._checker.flaky if self._checker else frozenset(),
            number,
            str(arguments.get("summary", "")),
            str(arguments.get("commit_message", "")),
            None,
        )

    async def _reviewed(self, healed: Healed, history: History) -> Healed | None:
        review = await self._review(healed)
        if review and review.verdict == "send_back" and self._may_send_back(healed.attempt):
            self._sent_back = replace(healed, review=review)
            text = f"The check passes, but the reviewer sends the change back:\n{review.comments}"
            self._failed(healed.attempt, "sent back", healed.tree, history, text, healed.summary)
            return None
        outcome = "green" if healed.check else "not verified"
        self._emit(AttemptEnded(healed.attempt, outcome, healed.tree, (), healed.summary))
        return replace(healed, review=review)

    def _may_send_back(self, number: int) -> bool:
        """The reviewer's comments reach the coder once; after that they are for the human."""
        return self._sent_back is None and number < self._job.attempts

    async def _review(self, healed: Healed) -> Review | None:
        if self._roles.reviewer is None:
            return None
        history = History(prompts.load("reviewer"))
        history.user(
            review_brief(
                task=self._job.task,
                summary=healed.summary,
                patch=await self._shadow.patch(self._workspace.base, healed.tree),
                verdict="The check passes." if healed.check else "No check was run.",
            )
        )
        match await self._conversations.converse(self._roles.reviewer, history):
            case Finished(arguments):
                review = Review(
                    str(arguments["verdict"]),
                    str(arguments["comments"]),
                    _strings(arguments.get("risks", [])),
                )
            case GaveUp(reason):
                review = Review("flag", f"the reviewer gave no verdict: {reason}")
        self._emit(ReviewGiven(review.verdict, review.comments, review.risks))
        return review

    def _failed(
        self,
        number: int,
        outcome: str,
        tree: str,
        history: History,
        text: str,
        summary: str,
        result: CheckResult | None = None,
    ) -> None:
        """End an attempt that did not make it; `text` is the coder's next turn."""
        failing = tuple(sorted(result.failing)) if result else ()
        self._emit(AttemptEnded(number, outcome, tree, failing, summary))
        history.user(text)

    async def _not_healed(self) -> NotHealedYet:
        """What is left is the best state, so that what is kept and shown is it."""
        attempts = self._job.attempts
        if self._ledger is None:
            return NotHealedYet(None, None, f"no change was made in {attempts} attempts")
        baseline, best = self._ledger.baseline.result, self._ledger.best
        await self._workspace.restore(best.tree)
        if best.result.green and best.attempt:
            text = f"the change of attempt {best.attempt} passes, but was not approved"
        elif best.attempt == 0:
            text = f"not healed in {attempts} attempts; none was better than the original"
        else:
            still, before = len(best.result.failing), len(baseline.failing)
            text = (
                f"not healed in {attempts} attempts; the best, attempt {best.attempt}, has"
                f" {still} failing instead of {before}"
            )
        return NotHealedYet(best, baseline, text)

    def _kept_ledger(self) -> Ledger:
        assert self._ledger is not None, "a check has a baseline before its first attempt"
        return self._ledger

    def _needed_checker(self) -> Checker:
        assert self._checker is not None, "only a run with a check proves anything"
        return self._checker


def _strings(values: object) -> tuple[str, ...]:
    return tuple(str(value) for value in values) if isinstance(values, list) else ()
