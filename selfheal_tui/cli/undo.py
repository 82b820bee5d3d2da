"""`selfheal undo [ID]`: takes a session's commit back, after saying what that would do."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from selfheal_tui.agent.ports import Ask
from selfheal_tui.cli.compose import Place, repository_opener
from selfheal_tui.cli.parser import Parser
from selfheal_tui.cli.undoing import Undoable, find_undoable, undo
from selfheal_tui.core.approval import Answer, Request, UndoRequest, key_of
from selfheal_tui.core.events import Event, Undone
from selfheal_tui.core.redact import Redactor
from selfheal_tui.core.text import on_one_line
from selfheal_tui.settings import resolve

NOBODY = "nobody is there to approve it: say --yes, or run it at a terminal"


def main(arguments: Sequence[str]) -> int:
    parser = Parser(
        prog="selfheal undo",
        description="Take the commit of a session back: its branch moves to the parent, and files"
        " that are still the commit's go back with it. Nothing is pushed.",
    )
    parser.add_argument(
        "id", metavar="ID", nargs="?", default="", help="a session, or its start (default: latest)"
    )
    parser.add_argument("--yes", action="store_true", help="approve it without being asked")
    options = parser.parse_args(arguments)
    place = Place.from_process(None)
    settings, _ = resolve(
        file=place.config_file,
        repository=str(place.repository),
        environment=place.environment,
        flags={},
    )
    store = place.store()
    try:
        found = find_undoable(store, options.id, str(place.repository))
        undone = asyncio.run(
            undo(
                found,
                open_repository=repository_opener(place, found.session),
                records=store,
                redactor=Redactor.from_environment(place.environment, settings.privacy.redact),
                ask=_asking(found, yes=options.yes),
                show=_nothing,
            )
        )
    finally:
        store.close()
    _print(_done(undone))
    return 0


def _asking(found: Undoable, *, yes: bool) -> Ask:
    """Says what would happen, and takes `yes` for a yes; without a terminal only `--yes`."""

    async def ask(request: Request) -> Answer:
        assert isinstance(request, UndoRequest), "nothing else is asked here"
        _print(_plan(found, request), error=True)
        key = key_of(request)
        if yes:
            return Answer(key, granted=True, by="--yes")
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return Answer(key, granted=False, by="nobody", reason=NOBODY)
        print("Take it back? Type yes: ", end="", file=sys.stderr, flush=True)
        granted = (await _typed()).strip().casefold() == "yes"
        return Answer(key, granted=granted, by="user", reason="" if granted else "no yes was typed")

    return ask


async def _typed() -> str:
    """The next line of the terminal. Not in a thread, which Ctrl-C could not end."""
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        if not line.done():
            line.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin, read)
    try:
        return await line
    finally:
        loop.remove_reader(sys.stdin)


def _plan(found: Undoable, request: UndoRequest) -> list[str]:
    """What would happen, line by line."""
    lines = [
        f"session   {found.session}",
        f"branch    {request.ref}",
        f"moves     {request.commit} -> {request.new}",
    ]
    if request.update_worktree:
        lines += [f"file      {path}  back, if it is still the commit's" for path in request.paths]
    else:
        lines.append("files     your working tree and index stay as they are")
    return [*lines, f"warning   {found.warning}"] if found.warning else lines


def _done(undone: Undone) -> list[str]:
    """What happened, line by line; the last one says it whole."""
    return [
        *(f"restored  {path}" for path in undone.restored),
        *(f"kept      {path}  (no longer the commit's)" for path in undone.kept),
        f"undone: {undone.ref} is back at {undone.new[:12]}, without {undone.commit[:12]}",
    ]


def _nothing(event: Event) -> None:
    """The record has it; what the user reads is printed at the end."""


def _print(lines: Sequence[str], *, error: bool = False) -> None:
    for line in lines:
        print(on_one_line(line), file=sys.stderr if error else sys.stdout)
