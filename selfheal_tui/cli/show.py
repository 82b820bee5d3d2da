"""`selfheal show ID`: one session as it was told while it ran."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from selfheal_tui.adapters.store import Store
from selfheal_tui.cli.compose import Place
from selfheal_tui.cli.export import markdown
from selfheal_tui.cli.kept import find_session
from selfheal_tui.cli.parser import Parser
from selfheal_tui.core.events import to_json
from selfheal_tui.core.redact import Redactor
from selfheal_tui.core.result import Result
from selfheal_tui.core.text import hanging, printable
from selfheal_tui.headless import narration, report
from selfheal_tui.settings import resolve


def main(arguments: Sequence[str]) -> int:
    parser = Parser(prog="selfheal show", description="Show one session.")
    parser.add_argument("id", metavar="ID", nargs="?", default="", help="a session, or its start")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--json", action="store_true", help="its result as one JSON object")
    what.add_argument("--events", action="store_true", help="its events, one JSON line each")
    what.add_argument("--patch", action="store_true", help="the change it proposed, as a patch")
    what.add_argument("--markdown", action="store_true", help="its transcript, to be passed on")
    options = parser.parse_args(arguments)
    place = Place.from_process(None)
    store = place.store()
    try:
        row = find_session(store, options.id, None)
        if options.markdown:
            _print_transcript(place, store, row.id)
            return 0
        result = Result()
        for event, at in store.events(row.id):
            result.see(event)
            if options.events:
                print(to_json(event, at=at))
            if not (options.json or options.events or options.patch):
                _tell([*narration(event), *report(event)])
    finally:
        store.close()
    if options.json:
        print(result.to_json())
    if options.patch:
        _write_patch(result.patch)
    return 0


def _write_patch(patch: str) -> None:
    """As it is into a pipe or a file, where it may be applied; to be read at a terminal."""
    if sys.stdout.isatty():
        print(printable(patch), end="")
    else:
        sys.stdout.buffer.write(patch.encode("utf-8", "surrogateescape"))


def _print_transcript(place: Place, store: Store, session: str) -> None:
    """The same text as the interface's `/export`."""
    settings, _ = resolve(
        file=place.config_file,
        repository=str(place.repository),
        environment=place.environment,
        flags={},
    )
    redactor = Redactor.from_environment(place.environment, settings.privacy.redact)
    print(markdown(store.events(session), redactor), end="")


def _tell(lines: Sequence[str]) -> None:
    for line in lines:
        print(hanging(line))
