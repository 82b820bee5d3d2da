"""`selfheal config`: every setting, its value and where that came from, and what heals the
repository's environment. Never shows a key."""

from __future__ import annotations

import json
from collections.abc import Sequence

from selfheal_tui.cli import setups
from selfheal_tui.cli.compose import Place
from selfheal_tui.cli.parser import Parser
from selfheal_tui.core.plainjson import plain_json
from selfheal_tui.core.redact import Redactor
from selfheal_tui.core.text import on_one_line
from selfheal_tui.settings import resolve, setting_fields


def main(arguments: Sequence[str]) -> int:
    parser = Parser(prog="selfheal config", description="Show the settings and their sources.")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    setups.add_options(parser)
    options = parser.parse_args(arguments)
    place = Place.from_process(None)
    if setups.act(options, place):
        return 0
    kept = setups.kept_setups(place).read().commands
    settings, sources = resolve(
        file=place.config_file,
        repository=str(place.repository),
        environment=place.environment,
        flags={},
    )
    # A setting may be a URL with a password in it.
    redactor = Redactor.from_environment(place.environment, settings.privacy.redact)
    rows = {}
    for item in setting_fields():
        group, name = item.key.split(".")
        value = getattr(getattr(settings, group), name)
        rows[item.key] = {"value": value, "source": sources.get(item.key, "default")}
    if options.json:
        whole = {"file": str(place.config_file), "settings": rows, "setup": kept}
        print(redactor.redact(plain_json(whole, indent=2)))
        return 0
    there = "" if place.config_file.exists() else " (not there)"
    print(on_one_line(f"file: {place.config_file}{there}"))
    for key, row in rows.items():
        value = redactor.redact(json.dumps(row["value"]))
        print(on_one_line(f"{key:<24} {value:<14} {row['source']}"))
    for line in setups.setup_lines(kept):
        print(line)
    return 0
