"""`selfheal replay FILE`: a recorded run in the interface, as it happened or faster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from selfheal_tui.cli.interactive import check_terminal
from selfheal_tui.cli.parser import Parser, at_least
from selfheal_tui.core.events import Event, from_json
from selfheal_tui.errors import UsageError

if TYPE_CHECKING:
    from selfheal_tui.core.approval import Answer
    from selfheal_tui.ui.conductor import News, SessionLine

LONGEST_PAUSE = 3.0
"""Seconds that nothing happens at most: nobody watches a human think."""

BATCH = 200
"""Events that are told at once when no time is to pass."""

Record = Sequence[tuple[Event, float]]


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
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: this is not text") from error
    record = []
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


async def _show(record: Record, speed: float) -> int:
    from selfheal_tui.cli.place import Place
    from selfheal_tui.cli.tui import show
    from selfheal_tui.resources import themes_folder
    from selfheal_tui.ui.app import SelfhealApp
    from selfheal_tui.ui.panes import all_panes
    from selfheal_tui.ui.themes import DARK, load_themes

    own = Place.from_process(None).config / "themes"
    app = SelfhealApp(
        ReplayConductor(record, speed=speed),
        make_panes=all_panes,
        themes=load_themes(themes_folder(), own),
        theme=DARK,
    )
    return await show(app)


class ReplayConductor:
    """Tells a record as if it happened now. Nothing can be asked of it, and nothing is done."""

    replayed = True

    def __init__(self, record: Record, *, speed: float) -> None:
        self._record = record
        self._speed = speed
        self._closed = asyncio.Event()

    @property
    def running(self) -> bool:
        return False

    def open(self) -> None:
        """A record is ready at once."""

    async def news(self) -> AsyncIterator[Sequence[News]]:
        from selfheal_tui.ui.conductor import Happened

        batch: list[News] = []
        last = self._record[0][1]
        for event, at in self._record:
            pause = min(max(at - last, 0.0), LONGEST_PAUSE) / self._speed if self._speed else 0.0
            last = at
            if batch and (pause > 0 or len(batch) >= BATCH):
                yield batch
                batch = []
                await asyncio.sleep(pause)
            if self._closed.is_set():
                return
            batch.append(Happened(event, at))
        yield batch
        await self._closed.wait()

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

    def resume(self, session: str) -> None:
        raise UsageError("this is a record: no session can be taken up from it")

    async def close(self) -> int:
        self._closed.set()
        return 0
