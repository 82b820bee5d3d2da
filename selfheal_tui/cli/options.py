"""What the options of a run mean: settings, task, target. Loads nothing that a run needs."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from selfheal_tui.cli.place import Place
from selfheal_tui.errors import UsageError
from selfheal_tui.settings import Settings, resolve

if TYPE_CHECKING:
    from selfheal_tui.agent.deliver import Target

NO_CHECK = "none"
"""`--check none`: work without a verdict."""


def new_session_id() -> str:
    """Sorts by time; the end makes two of the same second differ."""
    return time.strftime("%Y%m%d-%H%M%S-", time.gmtime()) + os.urandom(2).hex()


def settings_of(options: argparse.Namespace, place: Place) -> Settings:
    """The settings of a run: file, environment, then the flags that were given."""
    given = {
        "model.name": options.model,
        "model.api_base": options.api_base,
        **_checks(options.check),
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


def _checks(given: Sequence[str] | None) -> dict[str, object]:
    """One `--check` is the check; several are run in their order."""
    if not given:
        return {}
    if len(given) > 1 and NO_CHECK in given:
        raise UsageError(f"`--check {NO_CHECK}` stands alone: there is a check, or there is none")
    if len(given) > 1:
        return {"check.commands": tuple(given)}
    return {"check.command": given[0]}


def target_of(options: argparse.Namespace) -> Target:
    """Where the commit and the push go. After `task_of`, which may move one to the other."""
    from selfheal_tui.agent.deliver import Target

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
