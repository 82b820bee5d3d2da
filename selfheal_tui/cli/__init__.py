"""The command line. Importing this loads nothing heavy: `--version` and `--help` stay instant."""

from __future__ import annotations

import sys

from selfheal_tui import __version__


def main(argv: list[str] | None = None) -> int:
    """Run a command line; the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments == ["--version"]:
        print(f"selfheal {__version__}")
        return 0
    _forget_current_folder()
    from selfheal_tui.cli.dispatch import dispatch

    return dispatch(arguments)


def _forget_current_folder() -> None:
    """An empty element of PYTHONPATH means the current folder: its modules are not ours."""
    from pathlib import Path

    here, ours = Path.cwd(), Path(__file__).resolve().parents[2]
    if here != ours:
        sys.path[:] = [path for path in sys.path if Path(path).resolve() != here]
