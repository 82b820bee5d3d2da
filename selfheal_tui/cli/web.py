"""`selfheal web`: the interface in a browser of this machine, behind a link that works once."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from selfheal_tui.cli.interactive import BROWSER_DRIVER, check_options
from selfheal_tui.cli.parser import Parser, at_least, run_parser
from selfheal_tui.errors import UsageError

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

PACKAGE = Path(__file__).resolve().parents[1]


def main(arguments: Sequence[str]) -> int:
    port, rest = _parsed(arguments)
    options = run_parser().parse_args(rest)
    if options.yes or options.headless:
        raise UsageError("--yes and --headless show nothing: run them without `web`")
    if options.task is not None:
        # A page that is loaded again would send it again.
        raise UsageError("`selfheal web` takes no task; type it in the browser")
    place, _ = check_options(options)
    if importlib.util.find_spec("textual_serve") is None:
        raise UsageError(
            "`selfheal web` needs the package textual-serve; install it where selfheal is:"
            f" {sys.executable} -m pip install textual-serve"
        )
    # The last -C counts.
    argv = [*_own_program(), *rest, "-C", str(place.folder)]
    environment = {
        "TEXTUAL_DRIVER": BROWSER_DRIVER,
        "PYTHONPATH": _python_path(os.environ.get("PYTHONPATH", ""), place.repository),
    }
    return asyncio.run(_serve(argv, place.folder, environment, port))


def _parsed(arguments: Sequence[str]) -> tuple[int, list[str]]:
    parser = Parser(
        prog="selfheal web",
        usage="selfheal web [--port N] [OPTIONS]",
        description="The interface in a browser of this machine. It listens on 127.0.0.1 only, and"
        " lets in the one browser that opens the printed link. Each tab is a session of its own.",
        epilog="OPTIONS are those of `selfheal` itself. From another machine: ssh -L.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--port",
        type=at_least(0, int),
        default=0,
        metavar="N",
        help="default: one that is free",
    )
    options, rest = parser.parse_known_args(arguments)
    return options.port, rest


def _own_program() -> list[str]:
    """Our own interpreter and file, by absolute path: `-m` would look in the repository first."""
    safe = ["-P"] if sys.version_info >= (3, 11) else []
    return [sys.executable, *safe, str(PACKAGE / "__main__.py")]


def _python_path(given: str, repository: Path) -> str:
    """Without relative elements, and without those of the repository: its modules are not ours."""
    own = PACKAGE.parent
    paths = [Path(path) for path in given.split(os.pathsep) if Path(path).is_absolute()]
    kept = [path for path in paths if path == own or repository not in (path, *path.parents)]
    return os.pathsep.join(map(str, kept))


async def _serve(
    argv: Sequence[str], folder: Path, environment: Mapping[str, str], port: int
) -> int:
    """Serve until a signal comes; the exit code. A second signal does not wait for sessions."""
    from selfheal_tui.adapters.web.server import WebServer

    loop = asyncio.get_running_loop()
    asked: asyncio.Future[int] = loop.create_future()

    def stop(number: int) -> None:
        if asked.done():
            # The processes behind the tabs notice, and leave by themselves.
            os._exit(128 + number)
        asked.set_result(number)

    server = WebServer(argv, folder, environment, port)
    try:
        url = await server.open()
        for number in SIGNALS:
            loop.add_signal_handler(number, stop, number)
        print(url, flush=True)
        _tell("open this link in a browser of this machine; it works once. Ctrl-C ends everything.")
        return 128 + await asked
    finally:
        _tell("ending the sessions ...")
        await server.close()


def _tell(text: str) -> None:
    # The terminal may be gone; what is left to do must be done all the same.
    with suppress(OSError):
        print(f"selfheal: {text}", file=sys.stderr, flush=True)
