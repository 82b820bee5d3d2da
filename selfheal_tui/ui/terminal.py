"""The interface's driver at a terminal: keys that are not UTF-8 end nothing."""

from __future__ import annotations

from textual.drivers.linux_driver import LinuxDriver


class TerminalDriver(LinuxDriver):
    """As Textual's own, whose input ends the app at the first byte that it cannot read."""

    def run_input_thread(self) -> None:
        while not self.exit_event.is_set():
            try:
                super().run_input_thread()
            except UnicodeDecodeError:
                # A terminal of another character set, or a paste of bytes: that piece is lost.
                continue
