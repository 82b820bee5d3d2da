"""How a command is run so that working directory and exports pass from one to the next."""

from __future__ import annotations

from importlib.resources import files

RUN = '. "$4"; eval "$_selfheal_command"; set -- "$?"; _selfheal_keep; exit "$1"'
"""For `sh -c`, with a name and four arguments: see shell_state.sh.

On one line, so that the shell's messages count the command's own lines. It keeps the state once
more at the end, for a command that has set an EXIT trap of its own.
"""


def script() -> str:
    """The text of shell_state.sh."""
    return files("selfheal_tui.adapters").joinpath("shell_state.sh").read_text("utf-8")
