"""One case of a bench as one real session: a repository of its own, and everything approved."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from selfheal_tui.adapters.bench_cases import make_repository
from selfheal_tui.adapters.store import Store
from selfheal_tui.adapters.threads import in_thread
from selfheal_tui.agent.deliver import Target
from selfheal_tui.agent.roles import Models
from selfheal_tui.cli.compose import compose
from selfheal_tui.cli.options import new_session_id
from selfheal_tui.cli.place import Place
from selfheal_tui.core.bench.case import BenchCase
from selfheal_tui.core.bench.outcome import CaseOutcome, not_begun, outcome_of
from selfheal_tui.core.events import Event, SandboxOpened, TurnEnded
from selfheal_tui.core.redact import Redactor
from selfheal_tui.core.result import Result
from selfheal_tui.errors import SelfhealError
from selfheal_tui.headless import Headless, OutputFolder, nobody_answers, yes_to
from selfheal_tui.parts import ModelSource, Order
from selfheal_tui.session import Session
from selfheal_tui.settings import Settings

TARGET = Target(branch="selfheal/healed")
CASES = "cases"
"""The folder below the output folder with a folder for each case."""


@dataclass(frozen=True)
class Common:
    """What all sessions of a bench share. `given` names the settings that came as flags: these
    hold for every case, whatever it says of itself."""

    folder: Path
    place: Place
    settings: Settings
    given: frozenset[str]
    models: ModelSource
    records: Store
    redactor: Redactor


class LentModels:
    """The models of the whole bench, for one session: fits `parts.ModelSource`.

    Closing is left to the bench: the library's connections are those of all sessions.
    """

    def __init__(self, models: ModelSource) -> None:
        self._models = models

    def roles(self) -> Models:
        return self._models.roles()

    async def prepare(self) -> None:
        await self._models.prepare()

    async def close(self) -> None:
        """Nothing: other sessions are in the middle of their requests."""


@dataclass(eq=False)
class CaseRun:
    """A case that runs, or is about to. `opened` is called when its sandbox is there."""

    case: BenchCase
    common: Common
    opened: Callable[[], None]
    _session: Session | None = None
    _stopped_by: SelfhealError | None = None
    _unpriced: list[str] = field(default_factory=list)

    async def run(self) -> CaseOutcome | None:
        """What came of it; None when `stop` ended it. Raises SelfhealError where the disk takes
        nothing."""
        home = self.common.folder / CASES / self.case.name
        try:
            await in_thread(self._make, home)
        except SelfhealError as error:
            # One case that cannot be made keeps nobody from the others.
            return not_begun(self.case, error.exit_code, str(error))
        if self._stopped_by:
            return None
        result = Result()
        with ExitStack() as closing:
            log = closing.enter_context((home / "log.txt").open("w", encoding="utf-8"))
            front = Headless(
                output="text", out=log, err=log, folder=OutputFolder(home), result=result
            )
            self._session = self._session_of(home / "repository", front.show)
            ended = await self._session.run()
        if self._stopped_by and ended.exit_code == self._stopped_by.exit_code:
            return None
        folder = str(home.relative_to(self.common.folder))
        return outcome_of(self.case, result.fields, priced=not self._unpriced, folder=folder)

    def stop(self, reason: SelfhealError) -> None:
        """End it early: it has no outcome then."""
        self._stopped_by = reason
        if self._session:
            self._session.stop(reason)

    def _make(self, home: Path) -> None:
        # What a killed run left is no part of this one.
        shutil.rmtree(home, ignore_errors=True)
        make_repository(self.case, home / "repository")

    def _session_of(self, repository: Path, show: Callable[[Event], None]) -> Session:
        common, settings = self.common, settings_for(self.case, self.common)
        place = replace(common.place, folder=repository, repository=repository)
        # Two sessions of one second must differ for certain, so that their records do not mix.
        session = f"{new_session_id()}-{self.case.name[-8:]}"
        # No case may find what another one, or an earlier run of it, has healed.
        parts = compose(
            place, settings, session, common.records, common.redactor, keep_setups=False
        )

        def seen(event: Event) -> None:
            self._see(event)
            show(event)

        return Session(
            order=Order(session, self.case.task, str(repository), TARGET, allow_test_changes=False),
            settings=settings,
            parts=replace(parts, models=LentModels(common.models)),
            ask=yes_to(push=False, by="the bench"),
            ask_user=nobody_answers,
            show=seen,
        )

    def _see(self, event: Event) -> None:
        match event:
            case SandboxOpened():
                self.opened()
            case TurnEnded(cost=None) if event.finish not in ("error", "cancelled"):
                self._unpriced.append(event.model)
            case _:
                pass  # The result and the log have the rest.


def settings_for(case: BenchCase, common: Common) -> Settings:
    """The bench's settings with what the case says of itself, where no flag says otherwise."""
    settings = common.settings
    check = replace(settings.check, command=case.check, commands=())
    settings = replace(settings, check=check)
    if case.attempts is not None and "limits.attempts" not in common.given:
        limits = replace(settings.limits, attempts=case.attempts)
        settings = replace(settings, limits=limits)
    if case.sandbox and "sandbox.name" not in common.given:
        sandbox = replace(settings.sandbox, name=case.sandbox)
        settings = replace(settings, sandbox=sandbox)
    return settings
