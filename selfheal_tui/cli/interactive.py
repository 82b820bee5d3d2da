"""`selfheal [OPTIONS] [TASK]` at a terminal: from parsed options to the interface."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from selfheal_tui.cli.collecting import put_off
from selfheal_tui.cli.late import late_store
from selfheal_tui.cli.options import NO_CHECK, new_session_id, settings_of, target_of, task_of
from selfheal_tui.cli.place import Place
from selfheal_tui.errors import RepositoryRefused, UsageError
from selfheal_tui.settings import Settings

if TYPE_CHECKING:
    from selfheal_tui.adapters.store import Store
    from selfheal_tui.cli.readying import Bench
    from selfheal_tui.cli.tui import First
    from selfheal_tui.parts import Parts


BROWSER_DRIVER = "selfheal_tui.ui.browser:BrowserDriver"
"""What `TEXTUAL_DRIVER` names where the interface is drawn in a browser, without a terminal."""


def has_terminal() -> bool:
    """Whether there is a terminal to draw on and to read keys from."""
    # Textual draws on stderr, so that one must be the terminal too.
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


HEADLESS = "run `selfheal --yes TASK`, or --headless to stop at the proposal"


def check_terminal(instead: str = HEADLESS) -> None:
    """Raises UsageError where the interface cannot be shown; it says what to do `instead`."""
    if os.environ.get("TEXTUAL_DRIVER") == BROWSER_DRIVER:
        return
    if not has_terminal():
        raise UsageError(f"there is no terminal; {instead}")
    kind = os.environ.get("TERM", "")
    if kind in {"dumb", "unknown", ""}:
        named = f"TERM={kind}" if kind else "TERM is not set"
        raise UsageError(f"this terminal cannot show the interface ({named}); {instead}")


def interact(options: argparse.Namespace) -> int:
    """Show the interface; the exit code. Raises UsageError where it cannot be."""
    check_terminal()
    place, settings = check_options(options)
    records = late_store(place)
    put_off()
    try:
        from selfheal_tui.cli.tui import run_tui

        no_isolation = settings.sandbox.name == "local"
        first = replace(_first(options, place, records), no_isolation=no_isolation)
        return run_tui(_bench(options, place, records), settings, first)
    finally:
        records.close()


def check_options(options: argparse.Namespace) -> tuple[Place, Settings]:
    """Where the interface is to run, and how. Raises SelfhealError for what it does not take."""
    if options.output != "text" or options.output_dir:
        raise UsageError("--output and --output-dir go with --yes or --headless")
    place = Place.from_process(options.folder)
    settings = settings_of(options, place)
    _check_repository(place)
    return place, settings


def _check_repository(place: Place) -> None:
    """Raises RepositoryRefused where there is no repository: told before anything is drawn."""
    if not (place.repository / ".git").exists():
        raise RepositoryRefused(
            f"{place.folder} is not inside a git repository: run `git init` there first, name one"
            " with -C DIR, or look around with `selfheal demo`"
        )


def _bench(options: argparse.Namespace, place: Place, records: Store) -> Bench:
    from selfheal_tui.cli.readying import Bench

    async def parts_for(settings: Settings, session: str) -> Parts:
        # The session and its adapters are loaded while the user can type already.
        from selfheal_tui.cli.compose import compose
        from selfheal_tui.core.redact import Redactor

        redactor = Redactor.from_environment(place.environment, settings.privacy.redact)
        return compose(place, settings, session, records, redactor)

    def model(settings: Settings) -> str:
        from selfheal_tui.cli.models import model_in_use

        return model_in_use(settings.model, place.environment)

    return Bench(
        place=place,
        records=records,
        target=lambda: target_of(options),
        parts_for=parts_for,
        new_id=new_session_id,
        no_check=lambda settings: settings.check.command == NO_CHECK,
        model=model,
    )


def _first(options: argparse.Namespace, place: Place, records: Store) -> First:
    from selfheal_tui.cli.tui import First

    if options.latest or options.resume:
        from selfheal_tui.cli.kept import find_session

        prefix = "" if options.latest else options.resume
        return First(resume=find_session(records, prefix, str(place.repository)).id)
    return First(task=task_of(options), pick=options.resume is not None)
