"""From a command line to the one thing that it asks for, and from errors to exit codes."""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from selfheal_tui.cli.complaint import complain, trace
from selfheal_tui.cli.parser import SUBCOMMANDS, run_parser
from selfheal_tui.errors import SelfhealError, UsageError


def dispatch(arguments: Sequence[str]) -> int:
    """Run what `arguments` ask for; the exit code. Prints errors as one line on stderr."""
    _open_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that is not UTF-8 shows less; it ends nothing.
            stream.reconfigure(errors="backslashreplace")
    try:
        return _chosen(list(arguments))
    except SelfhealError as error:
        complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        complain("interrupted")
        return 130
    except BrokenPipeError:
        # Whoever read our stdout is gone; Python must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:  # noqa: BLE001 - Python's own exit code, 1, means "not healed"
        trace(error)
        complain(f"internal error: {type(error).__name__}: {error}")
        return 70


def _open_streams() -> None:
    """Stand-ins for closed streams: the next file that is opened would take their place."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_RDWR), number)
            stream = open(number, mode, closefd=False)  # noqa: SIM115 - open as long as we are
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


def _chosen(arguments: list[str]) -> int:
    rest = _entered(arguments)
    if rest and rest[0] in SUBCOMMANDS:
        module = importlib.import_module(f"selfheal_tui.cli.{rest[0]}")
        code: int = module.main(rest[1:])
        return code
    options = run_parser().parse_args(arguments)
    if options.version:
        return _version()
    if not (options.yes or options.headless):
        from selfheal_tui.cli.interactive import interact

        return interact(options)
    from selfheal_tui.cli.run import run

    return run(options)


def _version() -> int:
    from selfheal_tui import __version__

    print(f"selfheal {__version__}")
    return 0


def _entered(arguments: list[str]) -> list[str]:
    """What follows a leading `-C DIR`, which is obeyed at once when a subcommand follows."""
    if len(arguments) < 3 or arguments[0] != "-C" or arguments[2] not in SUBCOMMANDS:
        return arguments
    try:
        os.chdir(arguments[1])
    except OSError as error:
        raise UsageError(f"-C {arguments[1]}: {error.strerror}") from error
    return arguments[2:]
