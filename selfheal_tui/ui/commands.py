"""`/` commands: each is a name, its sentence, and what it does to the app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selfheal_tui.ui.app import SelfhealApp


@dataclass(frozen=True)
class Command:
    """`run` takes the app and what was typed after the name."""

    name: str
    usage: str
    doc: str
    run: Callable[[SelfhealApp, str], None]


def _help(app: SelfhealApp, given: str) -> None:
    app.action_help()


def _cost(app: SelfhealApp, given: str) -> None:
    summary = app.summary
    app.say_so(
        f"{summary.tokens_in} tokens in, {summary.tokens_out} out, {summary.cost:.4f} USD so far"
    )


def _quit(app: SelfhealApp, given: str) -> None:
    app.begin_leaving()


def _diff(app: SelfhealApp, given: str) -> None:
    app.action_pane(1)


def _check(app: SelfhealApp, given: str) -> None:
    _setting(app, "check", given)


def _model(app: SelfhealApp, given: str) -> None:
    _setting(app, "model", given)


def _attempts(app: SelfhealApp, given: str) -> None:
    from selfheal_tui.ui.attempting import show_attempts

    show_attempts(app)


def _plan(app: SelfhealApp, given: str) -> None:
    app.action_edit_plan()


def _undo(app: SelfhealApp, given: str) -> None:
    if why_not := app.conductor.undo():
        app.say_so(why_not, severity="warning")


def _setting(app: SelfhealApp, name: str, given: str) -> None:
    """Say a setting, or set it for the next task: what runs keeps what it began with."""
    if given:
        app.say_so(app.conductor.choose(name, given))
        return
    value = dict(app.conductor.settings()).get(name, "")
    app.say_so(f"{name}: {value or 'found by itself'}")


def _theme(app: SelfhealApp, given: str) -> None:
    if not given:
        app.action_change_theme()
    elif given in app.available_themes:
        app.theme = given
    else:
        app.say_so(
            f"there is no theme {given}; there are {', '.join(sorted(app.available_themes))}"
        )


COMMANDS = {
    command.name: command
    for command in (
        Command("help", "/help", "every key and every command", _help),
        Command("diff", "/diff", "go to the diff", _diff),
        Command("attempts", "/attempts", "how each attempt ended, and its difference", _attempts),
        Command("plan", "/plan", "edit the plan", _plan),
        Command("check", "/check [CMD]", "say the check, or set it for the next task", _check),
        Command("model", "/model [NAME]", "say the model, or set it for the next task", _model),
        Command("undo", "/undo", "take the commit of the last session back", _undo),
        Command("cost", "/cost", "what was used so far", _cost),
        Command("theme", "/theme [NAME]", "choose a theme", _theme),
        Command("quit", "/quit", "end the session and leave", _quit),
    )
}


def run_command(app: SelfhealApp, text: str) -> None:
    """Run what was typed after the slash."""
    name, _, given = text.partition(" ")
    command = COMMANDS.get(name)
    if command is None:
        app.say_so(f"there is no command /{name}; there are {', '.join(COMMANDS)}")
        return
    command.run(app, given.strip())
