"""What runs in the sandbox: getting ready, commands with their output, and how the checks stand."""

from __future__ import annotations

import re
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from selfheal_tui.core import events as e
from selfheal_tui.core.environment_words import environment_words
from selfheal_tui.ui.panes.pane import Pane
from selfheal_tui.ui.widgets.block import Block
from selfheal_tui.ui.widgets.checks import CheckHead, CheckRow, Tally
from selfheal_tui.ui.widgets.commands import CommandBlock, StepBlock
from selfheal_tui.ui.widgets.entries import NoteBlock
from selfheal_tui.ui.widgets.rows import Rows

WHOLE_OUTPUTS = 20
"""Commands whose output is kept as a whole; of older ones less is."""

_PLACE = re.compile(r"([\w./+-]+\.\w+)(?::\d+|\", line \d+)")


class SandboxPane(Pane):
    """The log of the sandbox, below the table of failing tests."""

    name_shown: ClassVar[str] = "Sandbox"
    skips: ClassVar[frozenset[type]] = frozenset({e.TextStreamed, e.ReasoningStreamed})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "log", "log of the test"),
        Binding("d", "hunk", "its hunk"),
        Binding("t", "checks", "checks"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._rows = Rows(follows=True, id="log")
        self._table = Rows(short=True, id="checks")
        self._tally = Tally()
        self._head = CheckHead(self._tally)
        self._commands: dict[str, CommandBlock] = {}
        self._steps: dict[str, StepBlock] = {}
        self._live: dict[str, Block] = {}
        self._finished: list[CommandBlock] = []
        self._changed_files: tuple[str, ...] = ()
        self._table_is_old = False

    def parts(self) -> ComposeResult:
        yield self._table
        yield self._rows

    @property
    def rows(self) -> Rows:
        return self._rows

    def busy(self) -> bool:
        return bool(self._live)

    def draw(self) -> None:
        if self._table_is_old:
            self._table_is_old = False
            self._fill_table()
        for block in self._live.values():
            block.changed()
        self._table.display = self._tally.runs > 0
        self._table.sync()
        self._rows.sync()

    def _fill_table(self) -> None:
        chosen = self._table.cursor
        self._head.changed()
        standings = self._tally.standings() if self._head.open else []
        rows = [CheckRow(standing, self._tally) for standing in standings]
        self._table.replace([self._head, *rows])
        if isinstance(chosen, CheckRow):
            same = [row for row in rows if row.standing.name == chosen.standing.name]
            self._table.cursor = same[0] if same else None

    # --- events ----------------------------------------------------------------------------

    def see(self, event: e.Event, at: float) -> None:
        match event:
            case e.CommandPrinted():
                if command := self._commands.get(event.id):
                    command.add(event.text)
            case e.CommandStarted() | e.CommandEnded() | e.CheckEnded():
                self._see_command(event, at)
            case e.StepStarted() | e.StepProgressed() | e.StepEnded():
                self._see_step(event, at)
            case e.TreeChanged():
                self._changed_files = tuple(path for path, _, _ in event.files)
            case e.SandboxOpened():
                where = " ".join(part for part in (event.kind, event.image) if part)
                text = f"{where}, network {event.network}: {event.isolation}"
                self._rows.append(NoteBlock(text, "ok"))
                self.subtitle = f"{event.kind} · network {event.network}"
            case e.SandboxWasLost():
                self._rows.append(NoteBlock(f"the sandbox ended: {event.reason}", "failed"))
                self.subtitle = "lost"
            case e.EnvironmentLacked() | e.EnvironmentHealed() | e.EnvironmentNotHealed():
                style = "ok" if isinstance(event, e.EnvironmentHealed) else "warned"
                self._rows.append(NoteBlock(environment_words(event), style))
            case e.CheckChosen():
                self._rows.append(NoteBlock(f"check: {event.command} ({event.source})"))
            case _:
                pass  # The conversation and the difference have their own panes.

    def _see_command(
        self, event: e.CommandStarted | e.CommandEnded | e.CheckEnded, at: float
    ) -> None:
        match event:
            case e.CommandStarted():
                block = CommandBlock(event, at, self.elapsed)
                self._commands[event.id] = self._live[event.id] = block
                self._rows.append(block)
            case e.CommandEnded():
                self._live.pop(event.id, None)
                if command := self._commands.get(event.id):
                    command.finish(event)
                    self._forget_some(command)
            case e.CheckEnded():
                if command := self._commands.get(event.id):
                    command.judge(event)
                self._tally.see(event)
                self._table_is_old = True

    def _forget_some(self, block: CommandBlock) -> None:
        self._finished.append(block)
        if len(self._finished) > WHOLE_OUTPUTS:
            old = self._finished.pop(0)
            old.output.trim()
            old.changed()

    def _see_step(self, event: e.StepStarted | e.StepProgressed | e.StepEnded, at: float) -> None:
        match event:
            case e.StepStarted():
                step = StepBlock(event.name, event.detail, at, self.elapsed)
                self._steps[event.id] = self._live[event.id] = step
                self._rows.append(step)
            case e.StepProgressed():
                if running := self._steps.get(event.id):
                    running.add(event.text)
            case e.StepEnded():
                self._live.pop(event.id, None)
                if running := self._steps.pop(event.id, None):
                    running.finish(event)

    # --- jumps -----------------------------------------------------------------------------

    def on_rows_opened(self, event: Rows.Opened) -> None:
        event.stop()
        if event.rows is not self._table or not isinstance(event.block, CheckRow):
            return
        if event.block.asks_for_hunk(event.column):
            self.action_hunk()
        else:
            self.action_log()

    def action_checks(self) -> None:
        """Fold or unfold the table."""
        self._head.toggle()
        self._table_is_old = True
        self.draw_soon()

    def action_log(self) -> None:
        """Show the place in the log where the chosen test failed."""
        test = self._chosen_test()
        if test and not self.reveal("log", test):
            self.notify(f"No output names {test}.", markup=False)

    def action_hunk(self) -> None:
        """Ask for the hunk of the file that the chosen test is about."""
        test = self._chosen_test()
        if not test:
            return
        path = self._file_of(test)
        if path:
            self.post_message(self.Jump("hunk", path))
        else:
            self.notify("The change touches no file that this test names.", markup=False)

    def _chosen_test(self) -> str:
        chosen = self._table.cursor
        if isinstance(chosen, CheckRow):
            return chosen.standing.name
        standings = self._tally.standings()
        return standings[0].name if standings else ""

    def reveal(self, kind: str, target: str) -> bool:
        """Show the newest output that names the test `target`."""
        found = self._log_of(target) if kind == "log" else None
        if found is None:
            return False
        block, at = found
        if not block.open:
            block.toggle()
        self._rows.focus()
        self._rows.reveal(block, inner=block.row_of(at, self._rows.line_width))
        return True

    def _log_of(self, test: str) -> tuple[CommandBlock, int] | None:
        name = re.compile(rf"(?<!\w){re.escape(_short_name(test))}(?!\w)")
        for block in reversed(self._commands.values()):
            lines = block.output.lines()
            places = (at for at, content in enumerate(lines) if name.search(content.plain))
            if (at := next(places, None)) is not None:
                return block, at
        return None

    def _file_of(self, test: str) -> str:
        """The changed file that the test or its log names; the log's last place comes first."""
        found = self._log_of(test)
        lines = (
            [content.plain for content in found[0].output.lines()[found[1] :][:60]] if found else []
        )
        named = [match[1] for text in lines for match in _PLACE.finditer(text)]
        stem = _stem(test)
        for path in [*reversed(named), test.split("::")[0]]:
            for changed in self._changed_files:
                if changed == path or path.endswith("/" + changed):
                    return changed
        alike = (path for path in self._changed_files if stem and _stem(path) == stem)
        return next(alike, "")


def _short_name(test: str) -> str:
    """The last part of a test's name, without parameters."""
    return re.split(r"::|\s>\s", test)[-1].split("[")[0] or test


def _stem(path: str) -> str:
    """`till` for `tests/test_till.py::test_x`: what a test's file is named after."""
    name = path.split("::")[0].rsplit("/", 1)[-1].split(".")[0]
    return name.removeprefix("test_").removesuffix("_test")
