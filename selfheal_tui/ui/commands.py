"""`/` commands: each is a name, its sentence, and what it does to the app. The palette offers the
same ones."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from selfheal_tui.core.text import one_line
from selfheal_tui.errors import UsageError

if TYPE_CHECKING:
    from selfheal_tui.ui.app import SelfhealApp


@dataclass(frozen=True)
class Command:
    """`run` takes the app and what was typed after the name; `choices` are what that can be, where
    there are few."""

    name: str
    usage: str
    doc: str
    run: Callable[[SelfhealApp, str], None]
    choices: tuple[str, ...] = ()


def _help(app: SelfhealApp, given: str) -> None:
    app.action_help()


def _cost(app: SelfhealApp, given: str) -> None:
    summary = app.summary
    context = f", {summary.context:.0%} of the context in use" if summary.context else ""
    app.say_so(
        f"{summary.cost:.4f} USD so far: {summary.tokens_in} tokens in, {summary.tokens_out} out"
        f"{context}"
    )


def _network(app: SelfhealApp, given: str) -> None:
    if given:
        _setting(app, "network", given.lower())
        return
    _setting(app, "network", "")
    if app.summary.network and app.summary.ended is None:
        app.say_so(f"the sandbox that is open has network {app.summary.network}")


def _resume(app: SelfhealApp, given: str) -> None:
    from selfheal_tui.ui.picking import pick_session, take_up

    if given:
        take_up(app, given)
    else:
        pick_session(app)


def _export(app: SelfhealApp, given: str) -> None:
    try:
        app.say_so(app.conductor.export(given))
    except UsageError as error:
        app.say_so(str(error), severity="warning")


def _zoom(app: SelfhealApp, given: str) -> None:
    app.action_zoom()


def _stop(app: SelfhealApp, given: str) -> None:
    if not app.conductor.running:
        app.say_so("nothing runs")
    elif not app.conductor.cancel_step():
        from selfheal_tui.ui.cutting import why_not_cut

        asked = app.listener is not None and app.listener.asked is not None
        app.say_so(why_not_cut(app.summary, asked=asked))


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
    from selfheal_tui.ui.looks import choose_theme

    if given:
        choose_theme(app, given)
    else:
        app.action_change_theme()


COMMANDS = {
    command.name: command
    for command in (
        Command("help", "/help", "every key and every command", _help),
        Command("diff", "/diff", "go to the diff", _diff),
        Command("attempts", "/attempts", "how each attempt ended, and its difference", _attempts),
        Command("plan", "/plan", "edit the plan", _plan),
        Command(
            "check",
            "/check [CMD]",
            "say the check, or set it for the next task (none, auto: found by itself)",
            _check,
            ("auto", "none"),
        ),
        Command("model", "/model [NAME]", "say the model, or set it for the next task", _model),
        Command(
            "network",
            "/network [off|setup|on]",
            "say the network's state and what it means, or set it for the next task",
            _network,
            ("off", "setup", "on"),
        ),
        Command("undo", "/undo", "take the commit of the last session back", _undo),
        Command("resume", "/resume [ID]", "take up an earlier session, or look at it", _resume),
        Command("export", "/export [PATH]", "write the transcript as Markdown", _export),
        Command("cost", "/cost", "what was used so far", _cost),
        Command("theme", "/theme [NAME]", "choose a theme; it is remembered", _theme),
        Command("zoom", "/zoom", "one pane alone, or all of them", _zoom),
        Command("stop", "/stop", "cut the step short; the model then waits for you", _stop),
        Command("quit", "/quit", "end the session and leave", _quit),
    )
}


MOST_CHOICES = 5
"""Choices that the palette lists one by one at most."""


def run_command(app: SelfhealApp, text: str) -> None:
    """Run what was typed after the slash."""
    name, _, given = text.partition(" ")
    command = COMMANDS.get(name.lower())
    if command is None:
        app.say_so(f"there is no command /{one_line(name, 40)}{_nearest(name)}", severity="warning")
        return
    command.run(app, given.strip())


def names(app: SelfhealApp) -> list[str]:
    """What can be completed after the slash: names, and names with what may follow them."""
    pairs = (
        (command.name, choice) for command in COMMANDS.values() for choice in _choices(app, command)
    )
    return [*COMMANDS, *(f"{name} {choice}" for name, choice in pairs)]


def palette(app: SelfhealApp) -> Iterator[tuple[str, str, Callable[[], object]]]:
    """Every command as a title, a sentence and what it does."""
    for command in COMMANDS.values():
        yield command.name.capitalize(), command.doc, _running(app, command, "")
        choices = _choices(app, command)
        for choice in choices if len(choices) <= MOST_CHOICES else ():
            title = f"{command.name.capitalize()}: {choice}"
            yield title, f"/{command.name} {choice}", _running(app, command, choice)


def _running(app: SelfhealApp, command: Command, given: str) -> Callable[[], None]:
    return lambda: command.run(app, given)


def _choices(app: SelfhealApp, command: Command) -> Sequence[str]:
    if command.name == "theme":
        return sorted(app.available_themes)
    return command.choices


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name.lower(), COMMANDS, n=1, cutoff=0.5)
    return f"; did you mean /{near[0]}?" if near else f"; there are /{', /'.join(COMMANDS)}"
