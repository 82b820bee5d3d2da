"""`selfheal [OPTIONS] [TASK]`: from parsed options to a finished run and its exit code."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from selfheal_tui.cli.compose import compose
from selfheal_tui.cli.kept import take_up, with_kept_check
from selfheal_tui.cli.options import NO_CHECK, new_session_id, settings_of, target_of, task_of
from selfheal_tui.cli.place import Place
from selfheal_tui.core.events import SessionEnded
from selfheal_tui.core.redact import Redactor
from selfheal_tui.core.result import Result
from selfheal_tui.core.text import on_one_line
from selfheal_tui.errors import Interrupted, SelfhealError, UsageError
from selfheal_tui.headless import (
    Headless,
    OutputFolder,
    no_to_all,
    nobody_answers,
    yes_to,
)
from selfheal_tui.parts import Order
from selfheal_tui.session import Session

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(options: argparse.Namespace) -> int:
    """Run headless; the exit code. With `--output-dir` an error before the run is written too."""
    folder = OutputFolder(Path(options.output_dir)) if options.output_dir else None
    result = Result()
    try:
        return _run(options, folder, result)
    except SelfhealError as error:
        if folder and result.fields["exit_code"] is None:
            result.see(_broken_off(result, error))
            folder.finish(result)
        raise


def _run(options: argparse.Namespace, folder: OutputFolder | None, result: Result) -> int:
    if options.push is not None and not options.yes:
        raise UsageError("--push goes with --yes: somebody must approve the push")
    if options.allow_test_changes and not options.yes:
        raise UsageError("--allow-test-changes goes with --yes: else somebody is asked")
    place = Place.from_process(options.folder)
    task = task_of(options)
    settings = settings_of(options, place)
    # Plans are shown to somebody at the interface; here nobody could read one in time.
    settings = replace(settings, flow=replace(settings.flow, approve_plan=False))
    if settings.sandbox.name == "local" and not options.yes:
        raise UsageError("--sandbox local has no isolation; confirm it with --yes")
    records = place.store()
    if records.warning:
        print(f"selfheal: {on_one_line(records.warning)}", file=sys.stderr)
    order = Order(
        session=new_session_id(),
        task=task,
        repository=str(place.repository),
        target=target_of(options),
        no_check=settings.check.command == NO_CHECK,
        allow_test_changes=options.allow_test_changes or not options.yes,
        allow_mass_deletion=not options.yes,
    )
    if options.latest or options.resume is not None:
        order = take_up(records, order, options.resume or "")
        settings, order = with_kept_check(settings, order, given=options.check is not None)
    if not order.task.strip():
        raise UsageError("the task is empty; say what to do: selfheal --yes 'make the tests pass'")
    front = Headless(
        output=options.output,
        out=sys.stdout,
        err=sys.stderr,
        folder=folder,
        result=result,
    )
    redactor = Redactor.from_environment(place.environment, settings.privacy.redact)
    session = Session(
        order=order,
        settings=settings,
        parts=compose(place, settings, order.session, records, redactor),
        ask=yes_to(push=bool(order.target.remote)) if options.yes else no_to_all(),
        ask_user=nobody_answers,
        show=front.show,
    )
    try:
        return asyncio.run(run_with_signals(session)).exit_code
    finally:
        records.close()


async def run_with_signals(session: Session) -> SessionEnded:
    """Run a session; the signals that ask a program to end, end it with its last event. A second
    one ends the process at once."""
    loop = asyncio.get_running_loop()
    asked: set[int] = set()

    def stop(number: int) -> None:
        if asked:
            # What waits is stored, and the container ends with us: nothing is lost by leaving now.
            os._exit(128 + number)
        asked.add(number)
        session.stop(Interrupted(number))

    for number in SIGNALS:
        loop.add_signal_handler(number, stop, number)
    try:
        return await session.run()
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


def _broken_off(result: Result, error: SelfhealError) -> SessionEnded:
    """The end of a run that came to no last event of its own."""
    outcome = "broken off" if result.fields["session"] else "not started"
    return SessionEnded(error.exit_code, outcome, str(error), 0.0)
