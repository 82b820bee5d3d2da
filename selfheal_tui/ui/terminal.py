"""The interface's driver at a terminal: keys that are not UTF-8, and a signal to go on where
nothing was stopped, end nothing."""

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

    def _sigcont_application(self, *_: object) -> None:
        # A terminal that is closed sends this too. To start once more what was never stopped
        # would leave a second thread behind that reads keys, and that nothing ends.
        if self._must_signal_resume:
            super()._sigcont_application()
        else:
            self._app.call_later(self._app.refresh)
