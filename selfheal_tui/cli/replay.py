"""`selfheal replay FILE`: a recorded run in the interface, as it happened or faster."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from selfheal_tui.cli.interactive import check_terminal
from selfheal_tui.cli.parser import Parser, at_least
from selfheal_tui.core.events import Event, from_json
from selfheal_tui.errors import UsageError

if TYPE_CHECKING:
    from selfheal_tui.cli.place import Place
    from selfheal_tui.core.approval import Answer
    from selfheal_tui.ui.conductor import News, SessionLine

LONGEST_PAUSE = 3.0
"""Seconds that nothing happens at most: nobody watches a human think."""

BATCH = 200
"""Events that are told at once when no time is to pass."""

LARGEST = 512 * 1024 * 1024
"""Bytes of a file that is read: it is held in memory as a whole."""

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 0.0)
"""How many times faster than it happened, in steps; 0, the last one, is all at once."""

Record = Sequence[tuple[Event, float]]
Wait = Callable[[asyncio.Event, "float | None"], Awaitable[None]]


def main(arguments: Sequence[str]) -> int:
    parser = Parser(prog="selfheal replay", description="Show a recorded run in the interface.")
    parser.add_argument("file", metavar="FILE", type=Path, help="an events.jsonl")
    parser.add_argument(
        "--speed",
        type=at_least(0, float),
        default=1.0,
        metavar="N",
        help="how many times faster than it happened; 0 = all at once (default: 1)",
    )
    options = parser.parse_args(arguments)
    record = read_record(options.file)
    check_terminal("`selfheal show ID` prints a session")
    return asyncio.run(_show(record, options.speed))


def read_record(file: Path) -> Record:
    """The events of a file with their times. A last line that was cut short is left out.

    Raises UsageError naming the line that cannot be read.
    """
    record = []
    lines = _lines(file)
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            record.append(from_json(text))
        except ValueError as error:
            if number == len(lines) and record:
                break
            raise UsageError(f"{file}, line {number}: {error}") from error
    if not record:
        raise UsageError(f"{file}: no events are in it")
    return record


def _lines(file: Path) -> Sequence[str]:
    try:
        if file.exists() and not file.is_file():
            raise UsageError(f"{file}: not a file of events")
        if file.stat().st_size > LARGEST:
            raise UsageError(f"{file}: larger than {LARGEST >> 20} MB; show a part of it")
        return file.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: this is not text") from error


async def _show(record: Record, speed: float) -> int:
    from selfheal_tui.cli.looks import look_of
    from selfheal_tui.cli.place import Place
    from selfheal_tui.cli.tui import show
    from selfheal_tui.settings import resolve
    from selfheal_tui.ui.panes import all_panes
    from selfheal_tui.ui.replaying import ReplayApp

    place = Place.from_process(None)
    settings, _ = resolve(
        file=place.config_file,
        repository=str(place.repository),
        environment=place.environment,
        flags={},
    )
    conductor = ReplayConductor(record, speed=speed, place=place)
    app = ReplayApp(conductor, make_panes=all_panes, look=look_of(place, settings.ui))
    return await show(app)


async def _wait(changed: asyncio.Event, seconds: float | None) -> None:
    """Until something changed, or the time has passed."""
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(changed.wait(), seconds)


class ReplayConductor:
    """Tells a record as if it happened now; it can be held, and told faster or slower. Nothing can
    be asked of it, and nothing is done.

    `clock` and `wait` (until an event is set, or for seconds) let time pass.
    """

    replayed = True

    def __init__(
        self,
        record: Record,
        *,
        speed: float,
        place: Place | None = None,
        clock: Callable[[], float] = time.monotonic,
        wait: Wait = _wait,
    ) -> None:
        self._record = record
        self._place = place
        self._clock = clock
        self._wait = wait
        self._changed = asyncio.Event()
        self._closed = asyncio.Event()
        self._steps = 0
        self.speed = speed
        self.paused = False
        self.told = 0

    @property
    def running(self) -> bool:
        return False

    def open(self) -> None:
        """A record is ready at once."""

    # --- its time --------------------------------------------------------------------------

    @property
    def total(self) -> int:
        return len(self._record)

    def pause(self) -> None:
        """Hold it, or go on."""
        self.paused = not self.paused
        self._steps = 0
        self._changed.set()

    def step(self) -> None:
        """Hold it, and tell one more event."""
        self.paused = True
        self._steps += 1
        self._changed.set()

    def pace(self, by: int) -> None:
        """Tell it faster (1) or slower (-1): the next of `SPEEDS`."""
        self.speed = _paced(self.speed, by)
        self._changed.set()

    async def news(self) -> AsyncIterator[Sequence[News]]:
        from selfheal_tui.ui.conductor import Happened

        batch: list[News] = []
        last = self._record[0][1]
        for event, at in self._record:
            pause = min(max(at - last, 0.0), LONGEST_PAUSE)
            last = at
            if self.paused or (batch and ((self.speed and pause) or len(batch) >= BATCH)):
                yield batch
                self.told += len(batch)
                batch = []
                await self._let_pass(pause)
            if self._closed.is_set():
                return
            batch.append(Happened(event, at))
        yield batch
        self.told += len(batch)
        await self._closed.wait()

    async def _let_pass(self, seconds: float) -> None:
        """Wait for `seconds` of the record's own time, and for as long as it is held."""
        await asyncio.sleep(0)
        while not self._closed.is_set():
            if self._steps:
                self._steps -= 1
                return
            if not self.paused and (not self.speed or seconds <= 0):
                return
            speed, began = 0.0 if self.paused else self.speed, self._clock()
            self._changed.clear()
            await self._wait(self._changed, seconds / speed if speed else None)
            if not self._changed.is_set():
                return
            seconds -= (self._clock() - began) * speed

    # --- what cannot be asked of it --------------------------------------------------------

    def start(self, task: str) -> None:
        """A record takes no task."""

    def say(self, text: str) -> None:
        """A record hears nothing."""

    def cancel_step(self) -> bool:
        return False

    def replan(self, items: Sequence[tuple[str, str]]) -> str:
        return "this is a record: its plan is what it was"

    def undo(self) -> str:
        return "this is a record: nothing can be undone"

    def shell(self, command: str) -> str:
        return "this is a record: no sandbox runs"

    def answer(self, given: Answer) -> None:
        """A record has its answers already."""

    def reply(self, text: str) -> None:
        """A record has its answers already."""

    def stop(self, signal_number: int) -> None:
        """Nothing runs."""

    def files(self) -> Sequence[str]:
        return ()

    def settings(self) -> Sequence[tuple[str, str]]:
        return ()

    def choose(self, name: str, value: str) -> str:
        return "this is a record: nothing can be chosen"

    def sessions(self) -> Sequence[SessionLine]:
        return ()

    def preview(self, session: str) -> Sequence[tuple[str, str]]:
        return ()

    def look(self, session: str) -> None:
        raise UsageError("this is a record: no other one can be shown in its place")

    def export(self, path: str) -> str:
        """Write the record's transcript to `path`. Raises UsageError where it cannot be."""
        from selfheal_tui.cli.export import export, markdown
        from selfheal_tui.core.redact import Redactor

        environment = self._place.environment if self._place else {}
        start = self._place.folder if self._place else Path.cwd()
        text = markdown(self._record, Redactor.from_environment(environment))
        return export(text, start=start, path=path)

    def resume(self, session: str) -> None:
        raise UsageError("this is a record: no session can be taken up from it")

    async def close(self) -> int:
        self._closed.set()
        self._changed.set()
        return 0


def _paced(speed: float, by: int) -> float:
    """The next speed that is faster or slower; the last one where there is none."""
    *real, _ = SPEEDS
    if by > 0:
        return next((each for each in real if each > speed > 0), 0.0)
    if not speed:
        return real[-1]
    return next((each for each in reversed(real) if each < speed), real[0])
