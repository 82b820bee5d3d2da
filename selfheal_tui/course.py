"""The course of one run: repository, snapshot, sandbox, healing, proposal, approvals.

It says what comes after what. Refuses to know how a run is ended from outside, or shown.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from selfheal_tui.agent.approvals import Approvals, SentBack
from selfheal_tui.agent.coding import Coding
from selfheal_tui.agent.deliver import Delivery, Proposed
from selfheal_tui.agent.guarding import Guarding, why_refused
from selfheal_tui.agent.heal import Healing, Job
from selfheal_tui.agent.loop import Conversations
from selfheal_tui.agent.mapping import Surveyor
from selfheal_tui.agent.memory import Memory
from selfheal_tui.agent.outcome import AlreadyGreen, Healed, NotHealedYet
from selfheal_tui.agent.planning import Planning, Survey
from selfheal_tui.agent.ports import Ask, Emit, Repository, Shadow, Snapshot
from selfheal_tui.agent.proposal import Ran, commit_message, proof_of
from selfheal_tui.agent.reviewing import Reviewing
from selfheal_tui.agent.roles import Models, make_roles
from selfheal_tui.agent.room import Fill
from selfheal_tui.agent.steering import Steering, StepCut
from selfheal_tui.agent.surroundings import Surroundings
from selfheal_tui.agent.tools import AskUser
from selfheal_tui.agent.verify import Checker, tell_checks
from selfheal_tui.agent.workspace import Workspace
from selfheal_tui.core.approval import RefusedHunk
from selfheal_tui.core.checks import CheckResult, Failure
from selfheal_tui.core.detect import Check, detect_checks
from selfheal_tui.core.detect_node import package_scripts
from selfheal_tui.core.events import (
    CheckChosen,
    Committed,
    ProposalMade,
    Pushed,
    SnapshotTaken,
    StepEnded,
    StepProgressed,
    StepStarted,
    Warned,
    WorktreeUpdated,
)
from selfheal_tui.core.guard.intent import is_about_tests
from selfheal_tui.core.guard.protection import Protection
from selfheal_tui.core.limits import Budget
from selfheal_tui.core.patch import read_patch
from selfheal_tui.core.proof import Proof
from selfheal_tui.core.tree import TreeFile
from selfheal_tui.errors import (
    ApprovalRefused,
    NotHealed,
    RepositoryRefused,
    SelfhealError,
    UsageError,
)
from selfheal_tui.parts import Kept, Order, Parts, Say
from selfheal_tui.settings import Settings

NOTES = ("AGENTS.md", "CLAUDE.md")
"""Files of the tree whose text is shown to the model as untrusted context."""

NOT_CONFIGURATION = (".env", "selfheal.toml", ".selfheal.toml", ".mcp.json")
"""Names in the tree that other tools would read as configuration; named in a warning."""


@dataclass(frozen=True)
class Ground:
    """What a run works on, once it is open."""

    repository: Repository
    shadow: Shadow
    snapshot: Snapshot
    files: tuple[TreeFile, ...]


class Course:
    """Takes one order from its task to its outcome. `workspace` is to be closed by the owner."""

    def __init__(
        self,
        *,
        order: Order,
        settings: Settings,
        parts: Parts,
        budget: Budget,
        steering: Steering,
        ask: Ask,
        ask_user: AskUser,
        emit: Emit,
    ) -> None:
        self._order = order
        self._settings = settings
        self._parts = parts
        self._budget = budget
        self._steering = steering
        self._ask_user = ask_user
        self._emit = emit
        self._approvals = Approvals(ask, emit)
        self._memory = Memory(
            parts.incidents, repository=order.repository, redactor=parts.redactor, emit=emit
        )
        self._started = time.monotonic()
        self._notes: list[str] = []
        self._steps = 0
        self._doubt = ""
        self.workspace: Workspace | None = None

    async def run(self, models: Models) -> tuple[str, str]:
        """Do everything; the outcome as a word and as a sentence."""
        ground = await self._ground()
        kept = self._order.kept
        if kept and kept.proposal and self._may_deliver(kept.proposal):
            return await self._deliver_kept(ground, models, kept, kept.proposal)
        healing = await self._healing(ground, models)
        outcome = await healing.run()
        while True:
            match outcome:
                case AlreadyGreen(result):
                    return "already green", f"`{result.command}` passes already: nothing to heal"
                case NotHealedYet() as not_healed:
                    return await self._offer_part(ground, models, healing, not_healed)
                case Healed() as healed:
                    offer = _Offer(healed)
                    try:
                        return await self._offer(ground, models, healing, offer)
                    except SentBack as refused:
                        if not healing.may_go_on:
                            raise
                        outcome = await healing.again(offer.healed, refused.reason, refused.refused)

    # --- what it works on ------------------------------------------------------------------

    async def _ground(self) -> Ground:
        async with self._step("repository"):
            repository, shadow, warnings = await self._parts.open_repository()
        for warning in warnings:
            self._warn(warning)
        if self._order.target.remote:
            # A slip of the pen is told now, not after the work is paid for.
            await repository.check_remote(self._order.target.remote)
        kept = self._order.kept
        if kept and kept.lost:
            self._warn(
                f"the earlier run ended while {kept.lost} parts of its plan were worked on; nothing"
                " of them was taken over, and it goes on from before them"
            )
        snapshot = kept.snapshot if kept else await self._snapshot(repository)
        files = await shadow.files(snapshot.tree)
        found = [file.path for file in files if file.path in NOT_CONFIGURATION]
        if found:
            self._warn(f"not read as configuration: {', '.join(found)} (from the worktree)")
        return Ground(repository, shadow, snapshot, files)

    async def _snapshot(self, repository: Repository) -> Snapshot:
        async with self._step("snapshot"):
            snapshot = await repository.snapshot()
        self._emit(
            SnapshotTaken(
                snapshot.tree,
                snapshot.head,
                snapshot.head_tree,
                snapshot.branch,
                snapshot.files,
                snapshot.bytes,
                snapshot.dirty,
                snapshot.left_out,
            )
        )
        if not snapshot.files:
            self._warn("the repository holds no files yet")
        return snapshot

    def _checks(self, files: Sequence[TreeFile]) -> tuple[Check, ...]:
        """The commands of the check, in their order; empty where the user wants none."""
        if self._order.no_check:
            self._emit(CheckChosen("", "none, as the user chose: nothing will be verified"))
            return ()
        content = {file.path: file.content for file in files}
        named = self._settings.check.chosen
        checks = tuple(Check(command, "set by the user") for command in named)
        checks = checks or detect_checks(content, content.__getitem__)
        if not checks:
            raise UsageError(
                "no check command was found in this project; name one with --check CMD,"
                " or work without a verdict with --check none"
            )
        tell_checks(checks, self._emit)
        return checks

    async def _provide(self, files: Sequence[TreeFile]) -> None:
        provision = self._parts.provision
        async with self._step("sandbox image") as say:
            await provision.prepare(files, say)
        told = provision.warnings
        for warning in told:
            self._note(warning)
        request = provision.setup_request()
        if request is None:
            return
        granted = await self._approvals.get(request)
        try:
            async with self._step("set-up", request.command) as say:
                await self._steering.step(provision.setup(granted, say))
        except StepCut:
            self._note("the set-up command was ended early: what it installs is not there")
        for warning in provision.warnings[len(told) :]:
            self._note(warning)

    async def _open_workspace(self, ground: Ground) -> Workspace:
        self.workspace = Workspace(
            open_sandbox=self._parts.provision.open,
            shadow=ground.shadow,
            base=ground.snapshot.tree,
            place=self._parts.provision.place,
            emit=self._emit,
        )
        async with self._step("sandbox"):
            await self.workspace.open()
        return self.workspace

    # --- healing ---------------------------------------------------------------------------

    async def _healing(self, ground: Ground, models: Models) -> Healing:
        """The loop over an open sandbox."""
        checks = self._checks(ground.files)
        await self._provide(ground.files)
        workspace = await self._open_workspace(ground)
        surroundings = self._surroundings(workspace, ground)
        checker = self._checker(workspace, checks, ground, surroundings) if checks else None
        kept, settings = self._order.kept, self._settings
        conversations = Conversations(
            session=self._order.session,
            workspace=workspace,
            budget=self._budget,
            emit=self._emit,
            steering=self._steering,
            fill=Fill(settings.context.compact_at, settings.context.window),
        )
        roles = make_roles(
            models,
            workspace,
            plan=settings.flow.plan,
            review=settings.flow.review,
            delegate=settings.flow.delegate == "auto",
            command_timeout=settings.sandbox.command_timeout,
            ask=self._ask_user,
            emit=self._emit,
            setup=surroundings.ask if settings.sandbox.network == "setup" else None,
        )
        return Healing(
            job=Job(
                self._order.task,
                settings.limits.attempts,
                _notes(ground.files),
                kept.tree if kept else "",
                settings.check.digest,
            ),
            snapshot=ground.snapshot,
            repository=ground.repository,
            shadow=ground.shadow,
            workspace=workspace,
            checker=checker,
            guarding=self._guarding(ground, checks, checker),
            conversations=conversations,
            planning=Planning(
                planner=roles.planner,
                workspace=workspace,
                conversations=conversations,
                approvals=self._approvals if settings.flow.approve_plan else None,
                recall=self._memory.recall,
                survey=self._survey(ground.files),
                emit=self._emit,
            ),
            coder=Coding(
                coder=roles.coder,
                workspace=workspace,
                conversations=conversations,
                repository=ground.repository,
                shadow=ground.shadow,
                steering=self._steering,
                command_timeout=settings.sandbox.command_timeout,
                emit=self._emit,
            ),
            reviewing=Reviewing(roles.reviewer, conversations, self._emit),
            steering=self._steering,
            emit=self._emit,
        )

    def _survey(self, files: Sequence[TreeFile]) -> Survey | None:
        tokens, outliner = self._settings.context.map_tokens, self._parts.outliner
        if outliner is None or not tokens:
            return None
        return Surveyor(self._order.task, files, outliner, tokens=tokens).survey

    def _checker(
        self,
        workspace: Workspace,
        checks: Sequence[Check],
        ground: Ground,
        surroundings: Surroundings,
    ) -> Checker:
        files = ground.files
        package = next((file.content for file in files if file.path == "package.json"), b"")
        return Checker(
            workspace,
            checks=checks,
            timeout=self._settings.check.timeout,
            emit=self._emit,
            focus_after=self._settings.check.focus_after,
            files=[file.path for file in files],
            scripts=package_scripts(package),
            surroundings=surroundings,
        )

    def _surroundings(self, workspace: Workspace, ground: Ground) -> Surroundings:
        return Surroundings(
            workspace=workspace,
            shadow=ground.shadow,
            images=self._parts.provision,
            approvals=self._approvals,
            steering=self._steering,
            step=self._step,
            emit=self._emit,
            # A guessed name is for the eyes of somebody who is there.
            guess=self._order.partial,
        )

    def _guarding(
        self, ground: Ground, checks: Sequence[Check], checker: Checker | None
    ) -> Guarding:
        content = {file.path: file.content for file in ground.files}
        guard = self._settings.guard
        return Guarding(
            protection=Protection(
                content,
                content.__getitem__,
                [check.command for check in checks],
                protect=(*self._parts.protect, *guard.protect),
                ignore=guard.ignore,
            ),
            shadow=ground.shadow,
            base=ground.snapshot.tree,
            checker=checker,
            about_tests=is_about_tests(self._order.task),
            emit=self._emit,
        )

    # --- proposal and approvals ------------------------------------------------------------

    async def _offer(
        self, ground: Ground, models: Models, healing: Healing, offer: _Offer
    ) -> tuple[str, str]:
        """Propose a healed tree, and take it where the user wants it."""
        proposed = await self._propose(ground, models, offer.healed)

        async def take_out(before: Proposed, refused: tuple[RefusedHunk, ...]) -> Proposed:
            offer.healed = await healing.without(offer.healed, refused)
            return await self._propose(ground, models, offer.healed)

        return await self._deliver(self._delivery(ground, take_out), proposed)

    async def _offer_part(
        self, ground: Ground, models: Models, healing: Healing, reached: NotHealedYet
    ) -> tuple[str, str]:
        """Offer what was healed, where somebody is there who may want a part of it."""
        try:
            part = await healing.part(reached) if self._order.partial else None
        except RepositoryRefused as refused:
            raise NotHealed(f"{reached.text}; it cannot be offered: {refused}") from refused
        if part is None:
            raise NotHealed(reached.text)
        offer = _Offer(part)
        return await _told_as_part(self._offer(ground, models, healing, offer), offer)

    def _may_deliver(self, proposal: ProposalMade) -> bool:
        """Whether an earlier run's proposal may be committed: a part only where the user says so.
        Nobody there to say it means that the work goes on from it."""
        return self._order.partial or not Proof.from_json(proposal.proof).partial

    async def _deliver_kept(
        self, ground: Ground, models: Models, kept: Kept, proposal: ProposalMade
    ) -> tuple[str, str]:
        """Take an earlier run's proposal up; a sandbox is opened only when hunks are refused."""
        self._allow(Proof.from_json(proposal.proof))
        proposed = Proposed(proposal.tree, kept.tree, proposal.message)
        offer = _Offer(_kept_healed(kept, proposal))
        made: list[Healing] = []

        async def take_out(before: Proposed, refused: tuple[RefusedHunk, ...]) -> Proposed:
            healing = made[0] if made else await self._healing(ground, models)
            made[:] = [healing]
            offer.healed = await healing.without(offer.healed, refused)
            return await self._propose(ground, models, offer.healed)

        delivery = self._delivery(ground, take_out)
        return await _told_as_part(self._deliver(delivery, proposed), offer)

    def _delivery(
        self,
        ground: Ground,
        take_out: Callable[[Proposed, tuple[RefusedHunk, ...]], Awaitable[Proposed]],
    ) -> Delivery:
        return Delivery(
            snapshot=ground.snapshot,
            repository=ground.repository,
            approvals=self._approvals,
            emit=self._emit,
            take_out=take_out,
        )

    async def _propose(self, ground: Ground, models: Models, healed: Healed) -> Proposed:
        """Show the proof card of exactly the tree to commit."""
        assert self.workspace is not None, "what is proposed was made in a sandbox"
        if self._budget.unpriced:
            self._notes.append("the model's price is not known: cost is not counted in full")
        base = ground.snapshot.head_tree
        patch = await ground.shadow.patch(base, healed.commit_tree)
        message = commit_message(healed.message, healed.summary, self._order.task)
        ran = Ran(
            time.monotonic() - self._started,
            self._budget.cost,
            self._settings.limits.attempts,
            models.coder.name,
        )
        # Where the check runs elsewhere, this may be missing: the card says so.
        added = [f"the sandbox also has `{it}`" for it in self._parts.provision.extensions]
        facts, notes = self.workspace.sandbox.facts, tuple(dict.fromkeys([*self._notes, *added]))
        proof = proof_of(healed, base, facts, ran, read_patch(patch), notes)
        self._memory.offer(healed, patch, message)
        self._emit(ProposalMade(healed.commit_tree, healed.tree, proof.to_json(), patch, message))
        self._allow(proof)
        return Proposed(healed.commit_tree, healed.tree, message)

    def _allow(self, proof: Proof) -> None:
        """Refuse a change of what decides the verdict, where nobody said that it may be one."""
        why = "" if self._order.allow_test_changes else why_refused(proof)
        if why:
            raise ApprovalRefused(
                f"the commit was not approved: {why}; --allow-test-changes approves such changes"
            )
        # What the last line has to say beside what is done.
        self._doubt = (
            ", not verified with the original tests" if proof.only_with_changed_tests else ""
        )

    async def _deliver(self, delivery: Delivery, proposed: Proposed) -> tuple[str, str]:
        target, task = self._order.target, self._order.task
        done = await delivery.deliver(proposed, target, task=task)
        await self._memory.remember(done)
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

    # --- telling ---------------------------------------------------------------------------

    def _warn(self, text: str) -> None:
        self._emit(Warned(text))

    def _note(self, text: str) -> None:
        """Warn, now and on the proof card."""
        self._warn(text)
        self._notes.append(text)

    @asynccontextmanager
    async def _step(self, name: str, detail: str = "") -> AsyncIterator[Say]:
        self._steps += 1
        number, started, ok = f"s{self._steps}", time.monotonic(), False
        self._emit(StepStarted(number, name, detail))
        try:
            yield lambda text: self._emit(StepProgressed(number, text))
            ok = True
        finally:
            seconds = round(time.monotonic() - started, 3)
            self._emit(StepEnded(number, name, seconds, ok))


@dataclass
class _Offer:
    """What is on offer now: it changes when hunks are taken out."""

    healed: Healed


async def _told_as_part(delivering: Awaitable[tuple[str, str]], offer: _Offer) -> tuple[str, str]:
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
    proof = Proof.from_json(proposal.proof)
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


def short(ref: str) -> str:
    """A branch as people name it."""
    return ref.removeprefix("refs/heads/")


def _notes(files: Sequence[TreeFile]) -> str:
    found = {file.path: file.content for file in files if file.path in NOTES}
    texts = [found[name].decode("utf-8", "replace") for name in NOTES if name in found]
    return "\n\n".join(texts)
