"""`selfheal [OPTIONS] [TASK]`: from parsed options to a finished run and its exit code."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from selfheal_tui.agent.deliver import Target
from selfheal_tui.cli.compose import Place, compose
from selfheal_tui.cli.kept import take_up
from selfheal_tui.core.events import SessionEnded
from selfheal_tui.core.redact import Redactor
from selfheal_tui.core.result import Result
from selfheal_tui.errors import Interrupted, SelfhealError, UsageError
from selfheal_tui.headless import (
    Headless,
    OutputFolder,
    no_to_all,
    nobody_answers,
    yes_to,
)
from selfheal_tui.session import Order, Session
from selfheal_tui.settings import Settings, resolve

NO_CHECK = "none"
"""`--check none`: work without a verdict."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(options: argparse.Namespace) -> int:
    """Run headless; the exit code. With `--output-dir` an error before the run is written too."""
    folder = OutputFolder(Path(options.output_dir)) if options.output_dir else None
    try:
        return _run(options, folder)
    except SelfhealError as error:
        if folder:
            folder.finish(_not_started(error))
        raise


def _run(options: argparse.Namespace, folder: OutputFolder | None) -> int:
    if not (options.yes or options.headless):
        from selfheal_tui.cli.interactive import interact

        return interact(options)
    if options.push is not None and not options.yes:
        raise UsageError("--push goes with --yes: somebody must approve the push")
    place = Place.from_process(options.folder)
    task = task_of(options)
    settings = settings_of(options, place)
    if settings.sandbox.name == "local" and not options.yes:
        raise UsageError("--sandbox local has no isolation; confirm it with --yes")
    records = place.store()
    order = Order(
        session=new_session_id(),
        task=task,
        repository=str(place.repository),
        target=target_of(options),
        no_check=settings.check.command == NO_CHECK,
    )
    if options.latest or options.resume is not None:
        order = take_up(records, order, options.resume or "")
    if not order.task.strip():
        raise UsageError("the task is empty; say what to do: selfheal --yes 'make the tests pass'")
    front = Headless(
        output=options.output,
        out=sys.stdout,
        err=sys.stderr,
        folder=folder,
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


def new_session_id() -> str:
    """Sorts by time; the end makes two of the same second differ."""
    return time.strftime("%Y%m%d-%H%M%S-", time.gmtime()) + secrets.token_hex(2)


def settings_of(options: argparse.Namespace, place: Place) -> Settings:
    """The settings of a run: file, environment, then the flags that were given."""
    given = {
        "model.name": options.model,
        "model.api_base": options.api_base,
        "check.command": options.check,
        "limits.attempts": options.attempts,
        "limits.max_cost": options.max_cost,
        "limits.max_time": options.max_time,
        "limits.max_steps": options.max_steps,
        "sandbox.name": options.sandbox,
        "sandbox.image": options.image,
        "sandbox.network": options.network,
        "flow.plan": False if options.no_plan else None,
        "flow.review": False if options.no_review else None,
    }
    settings, _ = resolve(
        file=place.config_file,
        repository=str(place.repository),
        environment=place.environment,
        flags={key: value for key, value in given.items() if value is not None},
    )
    if options.model:
        # The flag names the model of every role.
        model = replace(settings.model, planner="", coder="", reviewer="")
        return replace(settings, model=model)
    return settings


def target_of(options: argparse.Namespace) -> Target:
    """Where the commit and the push go."""
    remote, _, branch = (options.push or "origin").partition("/")
    return Target(
        branch=options.branch or "",
        current=options.current_branch,
        remote=remote if options.push is not None else "",
        remote_branch=branch,
    )


def task_of(options: argparse.Namespace) -> str:
    """What is to be done, from the command line; may be empty."""
    # `--push TASK`: a remote's name holds no blank, so this was meant as the task.
    if options.task is None and options.push and any(map(str.isspace, options.push)):
        options.task, options.push = options.push, ""
    # What is not UTF-8 on the command line cannot be part of a prompt.
    return os.fsencode(options.task or "").decode("utf-8", "replace").strip()


def _not_started(error: SelfhealError) -> Result:
    """The result of a run that came to no last event."""
    result = Result()
    result.see(SessionEnded(error.exit_code, "not started", str(error), 0.0))
    return result
