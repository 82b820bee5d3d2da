"""The interface's driver behind a browser: it leaves when whoever serves it is gone.

Chosen by `TEXTUAL_DRIVER`; speaks the packets of textual-serve.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from textual.drivers.web_driver import WebDriver


class BrowserDriver(WebDriver):
    """As Textual's own, which neither notices that its input ended nor survives a closed output."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        write = self._write

        def lasting_write(data: bytes) -> int:
            with suppress(BrokenPipeError):
                return write(data)
            return len(data)

        self._write = lasting_write  # type: ignore[assignment]

    def run_input_thread(self) -> None:
        super().run_input_thread()
        if not self.exit_event.is_set():
            self.on_meta("quit", {"type": "quit"})
