"""What is done with a change that was made: shown with its proof card, approved, handed over.

Refuses to tell a change that heals only a part as done.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable
from dataclasses import dataclass

from selfheal_tui.agent.deliver import Delivery, Proposed, TakeOut, to_the_end
from selfheal_tui.agent.guarding import why_refused
from selfheal_tui.agent.heal import Healing
from selfheal_tui.agent.outcome import Healed, NotHealedYet
from selfheal_tui.agent.proposal import Ran, commit_message, proof_of
from selfheal_tui.agent.roles import Models
from selfheal_tui.core.approval import CommitRequest, RefusedHunk
from selfheal_tui.core.checks import CheckResult, Failure
from selfheal_tui.core.events import Committed, ProposalMade, Pushed, WorktreeUpdated
from selfheal_tui.core.patch import read_patch
from selfheal_tui.core.proof import Proof
from selfheal_tui.course.ground import Ground
from selfheal_tui.course.means import Means
from selfheal_tui.course.workshop import Workshop
from selfheal_tui.errors import ApprovalRefused, NotHealed, RepositoryRefused, SelfhealError
from selfheal_tui.parts import Kept


@dataclass
class Offer:
    """What is on offer now: it changes when hunks are taken out."""

    healed: Healed


class Offering:
    """Offers what was made on one ground."""

    def __init__(self, means: Means, workshop: Workshop, ground: Ground, models: Models) -> None:
        self._means = means
        self._order = means.order
        self._telling = means.telling
        self._workshop = workshop
        self._ground = ground
        self._models = models
        self._doubt = ""

    async def make(self, healing: Healing, offer: Offer) -> tuple[str, str]:
        """Propose a healed tree, and take it where the user wants it. Raises SentBack where it
        is to be worked on again; `offer` then holds what was asked about."""
        proposed = await self._propose(offer.healed)

        async def take_out(before: Proposed, refused: tuple[RefusedHunk, ...]) -> Proposed:
            offer.healed = await healing.without(offer.healed, refused)
            return await self._propose(offer.healed)

        return await self._deliver(self._delivery(take_out), proposed)

    async def make_part(self, healing: Healing, reached: NotHealedYet) -> tuple[str, str]:
        """Offer what was healed, where somebody is there who may want a part of it."""
        try:
            part = await healing.part(reached) if self._order.partial else None
        except RepositoryRefused as refused:
            raise NotHealed(f"{reached.text}; it cannot be offered: {refused}") from refused
        if part is None:
            raise NotHealed(reached.text)
        offer = Offer(part)
        return await _told_as_part(self.make(healing, offer), offer)

    async def made_before(self, kept: Kept) -> Committed | None:
        """The commit of an earlier run; where that was killed before it could record the commit
        it had made, it is recorded now."""
        if kept.begun is None:
            return kept.made
        request = kept.begun
        repository = self._ground.repository
        commit = await repository.made(request)
        if not commit:
            await self._take_back(request, kept)
            return None
        made = Committed(
            commit, request.tree, request.ref, request.update_worktree, request.message
        )
        self._telling.emit(made)
        return made

    async def _take_back(self, begun: CommitRequest, kept: Kept) -> None:
        # Half of it would be neither the one nor the other.
        paths = await to_the_end(self._ground.repository.take_back(begun, kept.snapshot, kept.tree))
        if paths:
            self._telling.warn(
                f"the earlier run ended in the middle of its commit: what it had written was put"
                f" back first ({', '.join(paths[:5])})"
            )

    async def finish(self, made: Committed, pushed: Pushed | None) -> tuple[str, str]:
        """What is left to do after the commit of an earlier run: the push, where it is wanted.
        Raises RepositoryRefused where the commit is wanted on another branch now."""
        text = f"committed {made.commit[:12]} to {short(made.ref)} by the earlier run"
        if wanted := self._elsewhere(made.ref):
            raise RepositoryRefused(
                f"{text}, not to {wanted} as is asked now, and nothing was done: `git branch NAME"
                f" {made.commit[:12]}` gives it another name; without a branch it can be pushed"
            )
        if pushed is None and self._order.target.remote:
            pushed = await self._push(self._delivery(_nothing_to_take_out), made, text)
        if pushed is None:
            return "committed", f"{text}; nothing was pushed"
        return "pushed", f"{text}, pushed to {pushed.remote}/{short(pushed.ref)}"

    def _elsewhere(self, ref: str) -> str:
        """The branch that is asked for by name, or as the current one, where it is not `ref`."""
        target, current = self._order.target, self._ground.snapshot.branch
        wanted = current if target.current else target.branch and f"refs/heads/{target.branch}"
        return "" if wanted in {"", ref} else short(wanted)

    def may_take_up(self, proposal: ProposalMade) -> bool:
        """Whether an earlier run's proposal may be committed: a part only where the user says so.
        Nobody there to say it means that the work goes on from it."""
        return self._order.partial or not _recorded(proposal).partial

    async def take_up(self, kept: Kept, proposal: ProposalMade) -> tuple[str, str]:
        """Take an earlier run's proposal up; a sandbox is opened only when hunks are refused."""
        self._allow(_recorded(proposal))
        proposed = Proposed(proposal.tree, kept.tree, proposal.message)
        offer = Offer(_kept_healed(kept, proposal))
        made: list[Healing] = []

        async def take_out(before: Proposed, refused: tuple[RefusedHunk, ...]) -> Proposed:
            healing = made[0] if made else await self._workshop.open(self._ground, self._models)
            made[:] = [healing]
            offer.healed = await healing.without(offer.healed, refused)
            return await self._propose(offer.healed)

        delivery = self._delivery(take_out)
        return await _told_as_part(self._deliver(delivery, proposed), offer)

    def _delivery(self, take_out: TakeOut) -> Delivery:
        return Delivery(
            snapshot=self._ground.snapshot,
            repository=self._ground.repository,
            approvals=self._means.approvals,
            emit=self._telling.emit,
            take_out=take_out,
        )

    async def _propose(self, healed: Healed) -> Proposed:
        """Show the proof card of exactly the tree to commit."""
        workspace = self._workshop.workspace
        assert workspace is not None, "what is proposed was made in a sandbox"
        if self._means.budget.unpriced:
            self._telling.notes.append(
                "the model's price is not known: cost is not counted in full"
            )
        base = self._ground.snapshot.head_tree
        patch = await self._ground.shadow.patch(base, healed.commit_tree)
        # It goes where the files go, and no user reads every word of it.
        redact = self._means.parts.redactor.redact
        message = redact(commit_message(healed.message, healed.summary, self._order.task))
        ran = Ran(
            time.monotonic() - self._means.started,
            self._means.budget.cost,
            self._means.settings.limits.attempts,
            self._models.coder.name,
            len(self._ground.files),
        )
        # Where the check runs elsewhere, this may be missing: the card says so.
        added = [f"the sandbox also has `{it}`" for it in self._means.parts.provision.extensions]
        facts, notes = workspace.sandbox.facts, tuple(dict.fromkeys([*self._telling.notes, *added]))
        proof = proof_of(healed, base, facts, ran, read_patch(patch), notes)
        self._means.memory.offer(healed, patch, message)
        self._telling.emit(
            ProposalMade(healed.commit_tree, healed.tree, proof.to_json(), patch, message)
        )
        self._allow(proof)
        return Proposed(healed.commit_tree, healed.tree, message)

    def _allow(self, proof: Proof) -> None:
        """Refuse a change of what decides the verdict, where nobody said that it may be one."""
        why = "" if self._order.allow_test_changes else why_refused(proof)
        if why:
            raise ApprovalRefused(
                f"the commit was not approved: {why}; --allow-test-changes approves such changes"
            )
        if proof.mass_deletion and not self._order.allow_mass_deletion:
            raise ApprovalRefused(
                f"the commit was not approved: {proof.mass_deletion}; take the session up without"
                " --yes to see and confirm it"
            )
        # What the last line has to say beside what is done.
        self._doubt = (
            ", not verified with the original tests" if proof.only_with_changed_tests else ""
        )

    async def _deliver(self, delivery: Delivery, proposed: Proposed) -> tuple[str, str]:
        target, task = self._order.target, self._order.task
        done = await delivery.deliver(proposed, target, task=task)
        await self._means.memory.remember(done)
        match done:
            case WorktreeUpdated(_, paths):
                files = "1 file" if len(paths) == 1 else f"{len(paths)} files"
                text = f"{files} of the working tree updated{self._doubt}; nothing was committed"
                return "updated", text + (" or pushed" if target.remote else "")
            case Committed() as made:
                text = f"committed {made.commit[:12]} to {short(made.ref)}{self._doubt}"
                if not target.remote:
                    return "committed", text
                pushed = await self._push(delivery, made, text)
                return "pushed", f"{text}, pushed to {pushed.remote}/{short(pushed.ref)}"

    async def _push(self, delivery: Delivery, made: Committed, text: str) -> Pushed:
        try:
            return await delivery.push(made, self._order.target)
        except SelfhealError as error:
            # The commit stands; the last line must say so beside what failed. A no to the push
            # asks for no other attempt: what it would change is committed.
            kind = ApprovalRefused if isinstance(error, ApprovalRefused) else type(error)
            raise kind(f"{text}, but not pushed: {error}") from error


async def _nothing_to_take_out(before: Proposed, refused: tuple[RefusedHunk, ...]) -> Proposed:
    raise RepositoryRefused("the commit is made: no hunk of it can be taken out")


async def _told_as_part(delivering: Awaitable[tuple[str, str]], offer: Offer) -> tuple[str, str]:
    """A change that heals only a part is never told as done, whatever became of it."""
    try:
        outcome, text = await delivering
    except ApprovalRefused as refused:
        if offer.healed.partial:
            raise NotHealed(f"partly healed only, {offer.healed.partial}: {refused}") from refused
        raise
    if offer.healed.partial:
        raise NotHealed(
            f"{text}, but only partly healed: {offer.healed.partial};"
            " not all that was asked is done"
        )
    return outcome, text


def _kept_healed(kept: Kept, proposal: ProposalMade) -> Healed:
    """What an earlier run had healed, as far as its proof card knows."""
    proof = _recorded(proposal)
    failures = tuple(Failure(name) for name in proof.before)
    baseline = CheckResult(proof.command, 1, 0.0, failures) if failures else None
    return Healed(
        tree=kept.tree,
        commit_tree=proposal.tree,
        check=None,
        baseline=baseline,
        flaky=frozenset(proof.flaky),
        attempt=proof.attempt,
        summary="",
        message=proposal.message,
        review=None,
        refused=proof.refused,
        partial=proof.partial,
    )


def _recorded(proposal: ProposalMade) -> Proof:
    try:
        return Proof.from_json(proposal.proof)
    except ValueError as error:
        raise SelfhealError(f"the record of the earlier run is damaged: {error}") from error


def short(ref: str) -> str:
    """A branch as people name it."""
    return ref.removeprefix("refs/heads/")
