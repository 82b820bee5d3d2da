"""The healing loop: baseline, plan, attempts with verify and roll back, proof, review.

It ends with a value that says what was reached. Refuses to commit anything: that is `deliver`.
"""

from __future__ import annotations

from dataclasses import replace

from selfheal_tui.agent import prompts
from selfheal_tui.agent.attempts import Attempts
from selfheal_tui.agent.beginning import Beginning, Job
from selfheal_tui.agent.coding import Coding
from selfheal_tui.agent.digest import failure_digest
from selfheal_tui.agent.guarding import Guarding, told_to_reviewer
from selfheal_tui.agent.history import History
from selfheal_tui.agent.ledger import Ledger, State, told
from selfheal_tui.agent.loop import Conversations, Finished, GaveUp
from selfheal_tui.agent.outcome import AlreadyGreen, Healed, NotHealedYet, Outcome, why_not_healed
from selfheal_tui.agent.partly import may_be_offered, partly_healed
from selfheal_tui.agent.planning import Planning
from selfheal_tui.agent.ports import Emit, Repository, Shadow, Snapshot
from selfheal_tui.agent.proving import Proving
from selfheal_tui.agent.reviewing import Reviewing
from selfheal_tui.agent.steering import Steering, StepCut
from selfheal_tui.agent.steps import Steps
from selfheal_tui.agent.verify import Checker
from selfheal_tui.agent.workspace import Workspace
from selfheal_tui.core.approval import RefusedHunk
from selfheal_tui.core.checks import CheckResult
from selfheal_tui.core.events import AttemptStarted, RolledBack
from selfheal_tui.core.task import asks_for_green
from selfheal_tui.errors import RepositoryRefused

NO_CHANGE = (
    "You submitted, but no file differs from the original. If the task needs no change, say why in"
    " the summary; otherwise change what is wrong and submit again."
)

CHECK_CUT = "The user ended the check of your change early; there is no verdict."


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
        guarding: Guarding,
        conversations: Conversations,
        planning: Planning,
        coder: Coding,
        reviewing: Reviewing,
        steering: Steering,
        emit: Emit,
    ) -> None:
        self._job = job
        self._snapshot = snapshot
        self._repository = repository
        self._shadow = shadow
        self._workspace = workspace
        self._checker = checker
        self._guarding = guarding
        self._conversations = conversations
        self._planning = planning
        self._coder = coder
        self._reviewing = reviewing
        self._steering = steering
        self._emit = emit
        self._beginning = Beginning(
            job, workspace=workspace, shadow=shadow, checker=checker, steering=steering
        )
        self._proving = Proving(
            snapshot=snapshot,
            repository=repository,
            shadow=shadow,
            checker=checker,
            guarding=guarding,
            steering=steering,
            emit=emit,
        )
        self._history = History(prompts.load("coder"), lambda: told(self._ledger))
        self._attempts = Attempts(shadow, emit)
        self._next = 1
        self._ledger: Ledger | None = None
        self._sent_back: Healed | None = None
        self._steps = Steps(checker, workspace, steering) if checker else None

    async def run(self) -> Outcome:
        """Heal. Raises what the model, the sandbox and the limits raise."""
        before = None
        if self._checker:
            before = await self._beginning.baseline(self._checker)
            if before.green and asks_for_green(self._job.task):
                return AlreadyGreen(before)
            self._ledger = Ledger(State(0, self._workspace.base, before))
        brief = await self._beginning.brief(before)
        self._history.user(self._coder.briefed(brief, await self._planning.plan(brief, before)))
        await self._beginning.go_on_from_start(self._history)
        return await self._heal()

    @property
    def may_go_on(self) -> bool:
        """Whether an attempt is left."""
        return self._next <= self._job.attempts

    async def without(self, healed: Healed, refused: tuple[RefusedHunk, ...]) -> Healed:
        """The change without the `refused` hunks, as `Proving.without` has it."""
        return await self._proving.without(healed, refused)

    async def again(self, healed: Healed, reason: str, refused: tuple[RefusedHunk, ...]) -> Outcome:
        """Go on after the human refused `healed`, from it without the `refused` hunks."""
        self._sent_back = None
        text = f"The user read the change and does not want it like this: {reason}"
        tree = healed.tree
        if refused:
            rest = await self._proving.taken_out(healed, refused)
            tree = rest.tree
            text += f"\n\nThey took these parts back out of the files:\n\n{rest.text}"
        await self._workspace.restore(tree)
        self._history.user(text)
        return await self._heal()

    async def _heal(self) -> Outcome:
        while self.may_go_on:
            number, self._next = self._next, self._next + 1
            healed = await self._attempt(number, self._history)
            if healed is not None:
                return healed
        # A proved change that the reviewer sent back is still the human's to judge.
        return self._sent_back or await self._not_healed()

    async def _attempt(self, number: int, history: History) -> Healed | None:
        self._emit(AttemptStarted(number, self._job.attempts, self._workspace.tree))
        if self._steps:
            self._steps.begin()
        ended = await self._coder.code(history)
        tree = await self._workspace.sync_or_drop()
        summary = str(ended.arguments["summary"]) if isinstance(ended, Finished) else ""
        if tree == self._workspace.base:
            await self._failed(number, "no change", tree, history, NO_CHANGE, summary)
            return None
        if self._checker is None:
            return await self._unchecked(number, ended, tree, history)
        try:
            result = await self._steering.step(self._checker.verify(self._kept_ledger()))
        except StepCut:
            await self._check_was_cut(number, tree, history, summary)
            return None
        if not result.green:
            await self._red(State(number, tree, result, summary), history)
            return None
        try:
            healed = await self._proved(number, ended, tree, history)
        except StepCut:
            await self._check_was_cut(number, tree, history, summary)
            return None
        return await self._reviewed(healed, history) if healed else None

    async def _check_was_cut(self, number: int, tree: str, history: History, summary: str) -> None:
        await self._workspace.restore(tree)
        await self._failed(number, "stopped", tree, history, CHECK_CUT, summary)
        if self.may_go_on:
            await self._conversations.hold(history)

    async def _unchecked(
        self, number: int, ended: Finished | GaveUp, tree: str, history: History
    ) -> Healed | None:
        """Without a check only the coder's own word ends an attempt; the card says so."""
        match ended:
            case GaveUp(reason):
                await self._failed(number, "stopped", tree, history, reason, "")
                return None
            case Finished():
                commit_tree = await self._repository.commit_tree_for(self._snapshot, tree)
                healed = await self._proving.guarded(
                    self._healed(number, ended, tree, commit_tree, None)
                )
                return await self._reviewed(healed, history)

    async def _red(self, state: State, history: History, before: str = "") -> None:
        """A red attempt; `before` is what the coder is told ahead of what fails."""
        ledger, number = self._kept_ledger(), state.attempt
        tree, result, summary = state.tree, state.result, state.summary
        previous, best = ledger.states[-1].result, ledger.best
        outcome = ledger.add(state)
        text = before + self._digest(result, previous)
        step = await self._steps.best(ledger, state) if self._steps else None
        if step is not None:
            outcome, best, result = ledger.add(step), step, step.result
        if outcome == "worse" or step is not None:
            await self._workspace.restore(best.tree)
            lost = ledger.lost(state, best)
            self._emit(RolledBack(tree, best.tree, f"attempt {number}: {lost}"))
            text += f"\n\n{ledger.told_of_return(state, best)}"
            tree = step.tree if step else tree
        await self._failed(number, outcome, tree, history, text, summary, result)

    async def _proved(
        self, number: int, ended: Finished | GaveUp, tree: str, history: History
    ) -> Healed | None:
        """A green verdict counts only when a fresh sandbox says the same of the tree to commit."""
        commit_tree = await self._repository.commit_tree_for(self._snapshot, tree)
        proof = await self._steering.step(self._proving.fresh(commit_tree))
        assert proof is not None, "only a run with a check proves anything"
        if proof.green:
            green = self._healed(number, ended, tree, commit_tree, proof)
            healed = await self._steering.step(self._proving.guarded(green))
            sent = self._guarding.tell_once(healed.guarded) if self.may_go_on else None
            if sent is not None:
                await self._workspace.restore(sent.tree)
                state = State(number, sent.tree, sent.result, healed.summary)
                await self._red(state, history, sent.text)
                return None
            self._kept_ledger().add(State(number, tree, proof))
            return healed
        if commit_tree != tree and await self._proving.passes(tree):
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
        digest = self._digest(proof, None)
        await self._failed(number, "not proved", tree, history, text + digest, "", proof)
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
        review = await self._reviewing.review(
            task=self._job.task,
            summary=healed.summary,
            patch=await self._shadow.patch(self._workspace.base, healed.tree),
            facts=told_to_reviewer(healed.check, healed.guarded),
        )
        if review and review.verdict == "send_back" and self._may_send_back(healed.attempt):
            self._sent_back = replace(healed, review=review)
            text = f"The check passes, but the reviewer sends the change back:\n{review.comments}"
            await self._failed(
                healed.attempt, "sent back", healed.tree, history, text, healed.summary
            )
            return None
        outcome = "green" if healed.check else "not verified"
        await self._attempts.end(healed.attempt, outcome, healed.tree, healed.summary)
        return replace(healed, review=review)

    def _may_send_back(self, number: int) -> bool:
        """The reviewer's comments reach the coder once; after that they are for the human."""
        return self._sent_back is None and number < self._job.attempts

    async def _failed(
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
        await self._attempts.end(number, outcome, tree, summary, result)
        history.user(text)

    async def _not_healed(self) -> NotHealedYet:
        """What is left is the best state, so that what is kept and shown is it."""
        attempts = self._job.attempts
        if self._ledger is None:
            return NotHealedYet(None, None, f"no change was made in {attempts} attempts")
        best = self._ledger.best
        await self._workspace.restore(best.tree)
        text = why_not_healed(self._ledger, attempts) + await self._guarding.words(best.tree)
        return NotHealedYet(best, self._ledger.baseline.result, text)

    async def part(self, reached: NotHealedYet) -> Healed | None:
        """The best state as a partial change, with a fresh sandbox's word on just that; None where
        there is none to offer. Raises RepositoryRefused where it cannot be committed."""
        best, ledger, checker = reached.best, self._ledger, self._checker
        if not (best and ledger and checker and may_be_offered(best, ledger)):
            return None
        tree = await self._repository.commit_tree_for(self._snapshot, best.tree)
        try:
            proof = await self._steering.step(checker.fresh(tree, everything=True))
            partly = partly_healed(best, tree, proof, ledger, checker.flaky)
            return await self._steering.step(self._proving.guarded(partly)) if partly else None
        except StepCut:
            return None

    def _digest(self, result: CheckResult, previous: CheckResult | None) -> str:
        return failure_digest(result, previous, budget=self._job.digest)

    def _kept_ledger(self) -> Ledger:
        assert self._ledger is not None, "a check has a baseline before its first attempt"
        return self._ledger
