"""`selfheal demo`: the whole product on a bundled broken project, with a scripted model.

The project is copied to a temporary repository with a bare remote; a real engine is used where
one answers. Refuses to touch the repository it is started in.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from selfheal_tui.adapters.scripted import ScriptedModel
from selfheal_tui.agent.deliver import Target
from selfheal_tui.agent.roles import Models
from selfheal_tui.cli.compose import provision_for, repository_opener
from selfheal_tui.cli.interactive import check_terminal, has_terminal
from selfheal_tui.cli.options import new_session_id
from selfheal_tui.cli.parser import Parser
from selfheal_tui.cli.place import Place
from selfheal_tui.cli.run import run_with_signals
from selfheal_tui.core.redact import Redactor
from selfheal_tui.core.tree import REGULAR, TreeFile
from selfheal_tui.errors import SandboxError, SelfhealError
from selfheal_tui.headless import Headless, nobody_answers, yes_to
from selfheal_tui.parts import Order, Parts, Provision
from selfheal_tui.session import Session
from selfheal_tui.settings import CheckSettings, Settings, resolve

if TYPE_CHECKING:
    from selfheal_tui.adapters.store import Store

TASK = "make the tests pass"
CHECK = "python3 -m unittest"
TARGET = Target(branch="selfheal/demo", remote="origin")

HUMAN_PACE = 0.15
"""Seconds between two pieces of an answer, so that one can read along."""


def main(arguments: Sequence[str]) -> int:
    parser = Parser(prog="selfheal demo", description=__doc__.splitlines()[0])
    parser.add_argument("--yes", action="store_true", help="headless, everything approved")
    parser.add_argument(
        "--output", choices=("text", "json", "stream-json"), default="text", help="as for a run"
    )
    parser.add_argument("--sandbox", metavar="NAME", help="`local`: without Docker, no isolation")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="selfheal-demo-") as folder:
        if has_terminal() and not options.yes and options.output == "text":
            return _show(Path(folder), options.sandbox or "")
        return asyncio.run(_demo(Path(folder), options.output, options.sandbox or ""))


def _show(folder: Path, sandbox: str) -> int:
    """The demo in the terminal interface: everything is yours to approve or to refuse."""
    from selfheal_tui.cli.readying import Bench
    from selfheal_tui.cli.tui import First, run_tui

    check_terminal()
    place = _place(folder)
    # What is approved here concerns nothing of the user's.
    records = place.store(audited=False)

    async def parts_for(settings: Settings, session: str) -> Parts:
        provision, _ = await _provision(place, settings, session)
        return _parts(place, provision, session, records, HUMAN_PACE)

    bench = Bench(
        place=place,
        records=records,
        target=lambda: TARGET,
        parts_for=parts_for,
        new_id=new_session_id,
        no_check=lambda settings: False,
        model=lambda settings: "a scripted one: no key is needed",
    )
    try:
        return run_tui(bench, _settings(place, sandbox), First(task=TASK))
    finally:
        records.close()


async def _demo(folder: Path, output: str, sandbox: str) -> int:
    place = _place(folder)
    settings = _settings(place, sandbox)
    # What is approved here concerns nothing of the user's.
    records = place.store(audited=False)
    front = Headless(output=output, out=sys.stdout, err=sys.stderr, folder=None)
    order = Order(
        new_session_id(),
        TASK,
        str(place.repository),
        TARGET,
    )
    provision, words = await _provision(place, settings, order.session)
    print(words, file=sys.stderr)
    session = Session(
        order=order,
        settings=settings,
        parts=_parts(place, provision, order.session, records, pause=0.0),
        ask=yes_to(push=True, by="the demo"),
        ask_user=nobody_answers,
        show=front.show,
    )
    try:
        ended = await run_with_signals(session)
    finally:
        records.close()
    if ended.exit_code == 0 and output == "text":
        print("\nwhat the bare remote holds now:", file=sys.stderr)
        print(_git(folder, "--git-dir=remote.git", "log", "--oneline", "--all"), file=sys.stderr)
    return ended.exit_code


def _parts(place: Place, provision: Provision, session: str, records: Store, pause: float) -> Parts:
    return Parts(
        open_repository=repository_opener(place, session),
        provision=provision,
        models=Scripted(pause),
        records=records,
        redactor=Redactor.from_environment(place.environment),
    )


class Scripted:
    """One scripted model for every role; `pause` is the seconds between streamed pieces."""

    def __init__(self, pause: float) -> None:
        self._pause = pause

    def roles(self) -> Models:
        script = resources.files("selfheal_tui.demo") / "script.json"
        with resources.as_file(script) as path:
            model = ScriptedModel.from_json(path, pause=self._pause)
        return Models(model, model, model)

    async def prepare(self) -> None:
        """There is nothing to load."""

    async def close(self) -> None:
        """There is nothing to close."""


def _place(folder: Path) -> Place:
    """A broken project in a new repository, with a bare remote beside it."""
    project = folder / "till"
    with resources.as_file(resources.files("selfheal_tui.demo") / "project") as bundled:
        shutil.copytree(bundled, project, ignore=shutil.ignore_patterns("__pycache__"))
    _git(folder, "init", "-q", "--bare", "remote.git")
    _git(project, "init", "-q", "-b", "main")
    _git(project, "config", "user.name", "selfheal demo")
    _git(project, "config", "user.email", "demo@example.invalid")
    _git(project, "add", ".")
    _git(project, "commit", "-q", "-m", "A till that cannot count")
    _git(project, "remote", "add", "origin", str(folder / "remote.git"))
    _git(project, "push", "-q", "origin", "main")
    return Place.from_process(str(project))


def _git(folder: Path, *arguments: str) -> str:
    """Run git on the demo's own repositories, which hold nothing but what we put there."""
    command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise SelfhealError("git is not installed") from error
    except subprocess.CalledProcessError as error:
        raise SelfhealError(f"git {arguments[0]} failed: {error.stderr.strip()}") from error
    return done.stdout.strip()


def _settings(place: Place, sandbox: str) -> Settings:
    """The user's own settings of sandbox and interface; everything else is the demo's."""
    own, _ = resolve(
        file=place.config_file,
        repository=str(place.repository),
        environment=place.environment,
        flags={"sandbox.name": sandbox} if sandbox else {},
    )
    check = CheckSettings(command=CHECK, timeout=120)
    return replace(Settings(), sandbox=own.sandbox, check=check, ui=own.ui)


async def _provision(place: Place, settings: Settings, session: str) -> tuple[Provision, str]:
    """Docker where an engine answers and has an image, else the local sandbox; and which."""
    provision = provision_for(place, settings, session)
    if settings.sandbox.name == "local":
        return provision, "sandbox: local, without isolation (as you asked)"
    try:
        # Only a look: the session prepares again, from what this has built.
        await provision.prepare(_files(place), lambda text: None)
    except SandboxError as error:
        await provision.close()
        local = replace(settings, sandbox=replace(settings.sandbox, name="local"))
        words = f"sandbox: local, without isolation, since Docker is not usable here ({error})"
        return provision_for(place, local, session), words
    return provision, "sandbox: a Docker container without network"


def _files(place: Place) -> list[TreeFile]:
    paths = [path for path in place.repository.iterdir() if path.is_file()]
    return [TreeFile(path.name, REGULAR, path.read_bytes()) for path in paths]
