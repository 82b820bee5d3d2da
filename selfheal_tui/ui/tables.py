"""Every key of the interface, place by place, and every command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.binding import BindingType
from textual.widget import Widget

from selfheal_tui.ui.commands import COMMANDS
from selfheal_tui.ui.keys import Keys, keys_of


def key_tables(panes: Sequence[Widget]) -> list[Keys]:
    """The tables of the help screen; those of `panes` are taken from their own bindings."""
    from selfheal_tui.ui.app import SelfhealApp
    from selfheal_tui.ui.deck import Deck
    from selfheal_tui.ui.prompt import Editor, Prompt
    from selfheal_tui.ui.replaying import ReplayApp
    from selfheal_tui.ui.screens.approval import ApprovalScreen
    from selfheal_tui.ui.screens.attempts import AttemptsScreen
    from selfheal_tui.ui.screens.editplan import EditPlanScreen
    from selfheal_tui.ui.screens.picker import PickerScreen
    from selfheal_tui.ui.widgets.refusing import RefusingView

    in_panes = [_of_pane(pane) for pane in panes]
    typed = (("@", "complete a file"), ("/", "complete a command"), ("!", "run in the sandbox"))
    tables = [
        keys_of("Everywhere", SelfhealApp.BINDINGS),
        keys_of("Input", [*Editor.BINDINGS, *Prompt.BINDINGS]),
        Keys("Input, as the first character", typed),
        keys_of("In a pane", Deck.BINDINGS),
        *in_panes,
        keys_of("Approval", [*ApprovalScreen.BINDINGS, *RefusingView.BINDINGS]),
        keys_of("Plan", EditPlanScreen.BINDINGS),
        keys_of("Attempts", AttemptsScreen.BINDINGS),
        keys_of("Earlier sessions", PickerScreen.BINDINGS),
        keys_of("Replay", ReplayApp.__dict__["BINDINGS"]),
        Keys("Commands", tuple((c.usage, c.doc) for c in COMMANDS.values())),
    ]
    return [table for table in tables if table.rows]


def _of_pane(pane: Widget) -> Keys:
    """The bindings of a pane and of what is in it, each once."""
    given = [binding for part in (pane, *pane.query("*")) for binding in _own(part)]
    rows = keys_of("", given).rows
    return Keys((pane.id or "pane").capitalize(), tuple(dict.fromkeys(rows)))


def _own(widget: Widget) -> Iterable[BindingType]:
    ours = (kind for kind in type(widget).__mro__ if kind.__module__.startswith("selfheal_tui."))
    return [binding for kind in ours for binding in kind.__dict__.get("BINDINGS", ())]


def readme_table() -> str:
    """The keys of the shell as a Markdown table; a test keeps the README to it."""
    rows = [
        f"| {table.place} | {_code(keys)} | {text} |"
        for table in key_tables(())
        for keys, text in table.rows
    ]
    return "\n".join(["| where | key | what it does |", "| --- | --- | --- |", *rows])


def _code(keys: str) -> str:
    return ", ".join(f"`{key}`" for key in keys.split(", "))
