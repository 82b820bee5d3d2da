"""Where a change is made: the sandbox is got ready, and the loop that heals is put together.

Refuses to know what becomes of the change.
"""

from __future__ import annotations

from collections.abc import Sequence

from selfheal_tui.agent.beginning import Job
from selfheal_tui.agent.coding import Coding
from selfheal_tui.agent.guarding import Guarding
from selfheal_tui.agent.heal import Healing
from selfheal_tui.agent.loop import Conversations
from selfheal_tui.agent.mapping import Surveyor
from selfheal_tui.agent.planning import Planning, Survey
from selfheal_tui.agent.reviewing import Reviewing
from selfheal_tui.agent.roles import Models, make_roles
from selfheal_tui.agent.room import Fill
from selfheal_tui.agent.steering import StepCut
from selfheal_tui.agent.surroundings import Surroundings
from selfheal_tui.agent.verify import Checker, tell_checks
from selfheal_tui.agent.workspace import Workspace
from selfheal_tui.core.detect import Check, detect_checks
from selfheal_tui.core.detect_node import package_scripts
from selfheal_tui.core.events import CheckChosen
from selfheal_tui.core.guard.intent import is_about_tests
from selfheal_tui.core.guard.protection import Protection
from selfheal_tui.core.tree import TreeFile
from selfheal_tui.course.ground import Ground, notes_of
from selfheal_tui.course.means import Means
from selfheal_tui.errors import UsageError


class Workshop:
    """`workspace` is there once `open` got so far, and is to be closed by the owner."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._order = means.order
        self._settings = means.settings
        self._telling = means.telling
        self.workspace: Workspace | None = None

    async def open(self, ground: Ground, models: Models) -> Healing:
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
            budget=self._means.budget,
            emit=self._telling.emit,
            steering=self._means.steering,
            fill=Fill(settings.context.compact_at, settings.context.window),
        )
        roles = make_roles(
            models,
            workspace,
            plan=settings.flow.plan,
            review=settings.flow.review,
            delegate=settings.flow.delegate == "auto",
            command_timeout=settings.sandbox.command_timeout,
            ask=self._means.ask_user,
            emit=self._telling.emit,
            setup=surroundings.ask if settings.sandbox.network == "setup" else None,
        )
        return Healing(
            job=Job(
                self._order.task,
                settings.limits.attempts,
                notes_of(ground.files),
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
                approvals=self._means.approvals if settings.flow.approve_plan else None,
                recall=self._means.memory.recall,
                survey=self._survey(ground.files),
                emit=self._telling.emit,
            ),
            coder=Coding(
                coder=roles.coder,
                workspace=workspace,
                conversations=conversations,
                repository=ground.repository,
                shadow=ground.shadow,
                steering=self._means.steering,
                command_timeout=settings.sandbox.command_timeout,
                emit=self._telling.emit,
            ),
            reviewing=Reviewing(roles.reviewer, conversations, self._telling.emit),
            steering=self._means.steering,
            emit=self._telling.emit,
        )

    def _checks(self, files: Sequence[TreeFile]) -> tuple[Check, ...]:
        """The commands of the check, in their order; empty where the user wants none."""
        if self._order.no_check:
            self._telling.emit(CheckChosen("", "none, as the user chose: nothing will be verified"))
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
        tell_checks(checks, self._telling.emit)
        return checks

    async def _provide(self, files: Sequence[TreeFile]) -> None:
        provision = self._means.parts.provision
        async with self._telling.step("sandbox image") as say:
            await provision.prepare(files, say)
        told = provision.warnings
        for warning in told:
            self._telling.note(warning)
        request = provision.setup_request()
        if request is None:
            return
        granted = await self._means.approvals.get(request)
        try:
            async with self._telling.step("set-up", request.command) as say:
                await self._means.steering.step(provision.setup(granted, say))
        except StepCut:
            self._telling.note("the set-up command was ended early: what it installs is not there")
        for warning in provision.warnings[len(told) :]:
            self._telling.note(warning)

    async def _open_workspace(self, ground: Ground) -> Workspace:
        self.workspace = Workspace(
            open_sandbox=self._means.parts.provision.open,
            shadow=ground.shadow,
            base=ground.snapshot.tree,
            place=self._means.parts.provision.place,
            emit=self._telling.emit,
        )
        async with self._telling.step("sandbox"):
            await self.workspace.open()
        return self.workspace

    def _survey(self, files: Sequence[TreeFile]) -> Survey | None:
        tokens, outliner = self._settings.context.map_tokens, self._means.parts.outliner
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
            emit=self._telling.emit,
            focus_after=self._settings.check.focus_after,
            files=[file.path for file in files],
            scripts=package_scripts(package),
            surroundings=surroundings,
        )

    def _surroundings(self, workspace: Workspace, ground: Ground) -> Surroundings:
        return Surroundings(
            workspace=workspace,
            shadow=ground.shadow,
            images=self._means.parts.provision,
            approvals=self._means.approvals,
            steering=self._means.steering,
            step=self._telling.step,
            emit=self._telling.emit,
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
                protect=(*self._means.parts.protect, *guard.protect),
                ignore=guard.ignore,
            ),
            shadow=ground.shadow,
            base=ground.snapshot.tree,
            checker=checker,
            about_tests=is_about_tests(self._order.task),
            emit=self._telling.emit,
        )
