"""The README's help block and settings table are what the program says."""

from __future__ import annotations

import json
from pathlib import Path

from selfheal_tui.cli.parser import run_parser
from selfheal_tui.settings import setting_fields

README = Path(__file__).parents[2] / "README.md"


def help_block(monkeypatch) -> str:
    monkeypatch.setenv("COLUMNS", "96")
    monkeypatch.setenv("NO_COLOR", "1")
    return "$ selfheal --help\n" + run_parser().format_help().rstrip()


def settings_table() -> str:
    rows = ["| key | environment | default | meaning |", "| --- | --- | --- | --- |"]
    for field in setting_fields():
        default = json.dumps(field.default)
        rows.append(f"| `{field.key}` | `{field.environment}` | `{default}` | {field.doc} |")
    return "\n".join(rows)


def test_the_readme_shows_the_help_as_it_is(monkeypatch):
    assert help_block(monkeypatch) in README.read_text()


def test_the_readme_lists_every_setting():
    assert settings_table() in README.read_text()


def test_the_readme_lists_every_key():
    from selfheal_tui.ui.tables import readme_table

    assert readme_table() in README.read_text()
