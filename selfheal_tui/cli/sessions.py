"""`selfheal sessions`: the list of sessions, latest first."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from selfheal_tui.adapters.store import SessionRow
from selfheal_tui.cli.compose import Place
from selfheal_tui.cli.parser import Parser
from selfheal_tui.core.plainjson import plain_json
from selfheal_tui.core.text import on_one_line, one_line


def main(arguments: Sequence[str]) -> int:
    parser = Parser(prog="selfheal sessions", description="List the sessions, latest first.")
    parser.add_argument("--all", action="store_true", help="of every repository, not only this one")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("-n", type=int, default=20, metavar="N", help="at most N (default: 20)")
    options = parser.parse_args(arguments)
    place = Place.from_process(None)
    store = place.store()
    try:
        rows = store.sessions(None if options.all else str(place.repository), options.n)
    finally:
        store.close()
    for row in rows:
        print(plain_json(asdict(row)) if options.json else on_one_line(_line(row, options)))
    if not rows and not options.json:
        where = "" if options.all else f" in {place.repository}; see --all"
        print(on_one_line(f"no sessions{where}"))
    return 0


def _line(row: SessionRow, options: argparse.Namespace) -> str:
    started = datetime.fromtimestamp(row.started).strftime("%Y-%m-%d %H:%M")
    outcome = f"{row.outcome} ({row.exit_code})" if row.ended else "not ended"
    where = f"  {row.repository}" if options.all else ""
    return f"{row.id}  {started}  {outcome:<22}  {one_line(row.task, 60)}{where}"
