"""What the next session of the interface needs, got ready before there is a task.

Refuses to run anything: it hands the parts over, and puts away what no session has used.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from selfheal_tui.cli.place import Place
from selfheal_tui.errors import SelfhealError
from selfheal_tui.settings import Settings
from selfheal_tui.ui.conductor import Readied

if TYPE_CHECKING:
    from selfheal_tui.adapters.store import Store
    from selfheal_tui.agent.deliver import Target
    from selfheal_tui.parts import Parts

PartsFor = Callable[[Settings, str], Awaitable["Parts"]]
"""The parts of a session of this id."""


@dataclass(frozen=True)
class Bench:
    """Where sessions of one repository run. `new_id` makes the id of the next one; `no_check`
    tells from the settings whether working without a check is wanted; `model` which one would be
    asked, and raises ModelError where none can be."""

    place: Place
    records: Store
    target: Callable[[], Target]
    parts_for: PartsFor
    new_id: Callable[[], str]
    no_check: Callable[[Settings], bool]
    model: Callable[[Settings], str]


class Readying:
    """Parts for the session of `id`, with `settings`; both may be set for the next one."""

    def __init__(self, bench: Bench, settings: Settings, tell: Callable[[Readied], None]) -> None:
        self._bench = bench
        self._tell = tell
        self._parts: Parts | None = None
        self._warming: asyncio.Future[None] | None = None
        self.settings = settings
        self.id = bench.new_id()
        self.files: tuple[str, ...] = ()
        self.lacking: tuple[str, ...] = ()

    def begin(self) -> None:
        """Load the model library, look at the engine and build the image, all beside the input."""
        self._warming = asyncio.ensure_future(self._warm())

    def retry(self) -> None:
        """What was missing may have come since: an engine that was started, for example."""
        if self.lacking and self._warming and self._warming.done():
            self.begin()

    def make_anew(self) -> None:
        """What was got ready with other settings is put away, and got ready again."""
        before, warming = self._parts, self._warming
        self._parts = None

        async def again() -> None:
            if warming:
                await warming
            parts = before or self._parts
            self._parts = None
            if parts:
                await self._put_away(parts)
            await self._warm()

        self._warming = asyncio.ensure_future(again())

    async def ended(self) -> None:
        """Wait until everything is ready, or known to be lacking."""
        if self._warming:
            await self._warming

    async def parts_of(self, session: str) -> Parts:
        """The parts of a session: those that were got ready, where they are its own."""
        parts, self._parts = self._parts, None
        if parts and session == self.id:
            return parts
        if parts:
            await self._put_away(parts)
        return await self._bench.parts_for(self.settings, session)

    async def close(self) -> None:
        """Stop, and put away what no session has used."""
        if self._warming:
            self._warming.cancel()
            with suppress(asyncio.CancelledError):
                await self._warming
        if self._parts:
            parts, self._parts = self._parts, None
            await self._put_away(parts)

    async def _put_away(self, parts: Parts) -> None:
        """Close parts that no session has used, and the folder that was made for it."""
        await parts.provision.close()
        await parts.models.close()
        shutil.rmtree(self._bench.place.state() / "sessions" / self.id, ignore_errors=True)

    async def _warm(self) -> None:
        from selfheal_tui.cli.loading import SESSION, load

        await load(SESSION)
        from selfheal_tui.cli.warm import ENGINE, STEPS, Needs, get_ready

        for name in STEPS:
            self._tell(Readied(name, "working"))
        settings = self.settings
        try:
            parts = self._parts or await self._bench.parts_for(settings, self.id)
        except SelfhealError as error:
            self.lacking = (str(error),)
            self._tell(Readied(ENGINE, "failed", str(error)))
            return
        self._parts = parts
        needs = Needs(
            folder=str(self._bench.place.repository),
            model=lambda: self._bench.model(settings),
            check=_check_words(settings),
            no_check=self._bench.no_check(settings),
        )
        ready = await get_ready(parts, needs, self._tell)
        self._parts, self.lacking = ready.parts, ready.lacking
        self.files = ready.files or self.files


def _check_words(settings: Settings) -> str:
    """The check that the user named, as one line; empty where it is detected."""
    from selfheal_tui.core.checks import joined

    return joined(settings.check.chosen)
