"""The command line. Importing this loads nothing heavy: `--version` and `--help` stay instant."""

# Nothing of Python's own is imported here, and no `__future__`: see `cli.modules`.
import sys

from selfheal_tui import __version__
from selfheal_tui.cli.modules import forget_folders_of_repository, forget_programs_of_repository


def main(argv: list[str] | None = None) -> int:
    """Run a command line; the exit code."""
    forget_folders_of_repository()
    forget_programs_of_repository()
    arguments = sys.argv[1:] if argv is None else argv
    if arguments == ["--version"]:
        print(f"selfheal {__version__}")
        return 0
    from selfheal_tui.cli.dispatch import dispatch

    return dispatch(arguments)
