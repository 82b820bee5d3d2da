"""`selfheal config`'s part on what heals a repository's environment: show, add, forget, export."""

from __future__ import annotations

import argparse

from selfheal_tui.adapters.kept_setups import KeptSetups
from selfheal_tui.cli.place import Place
from selfheal_tui.core.dockerfile import dockerfile
from selfheal_tui.core.redact import Redactor
from selfheal_tui.core.text import on_one_line, printable
from selfheal_tui.errors import UsageError
from selfheal_tui.resources import sandboxes_folder

ALL = 0
"""Stands for the number of every command."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options, of which one at most is given."""
    one = parser.add_mutually_exclusive_group()
    one.add_argument(
        "--dockerfile", action="store_true", help="print the repository's environment to build it"
    )
    one.add_argument(
        "--add-setup", metavar="CMD", help="keep a set-up command; the next session asks for it"
    )
    one.add_argument(
        "--forget-setup",
        metavar="N",
        nargs="?",
        type=int,
        const=ALL,
        help="forget the Nth kept set-up command, or all of them",
    )


def act(options: argparse.Namespace, place: Place) -> bool:
    """Do what the options ask for, printing it; False where they ask for nothing of this."""
    kept = kept_setups(place)
    if options.dockerfile:
        print(_dockerfile(kept), end="")
    elif options.add_setup is not None:
        kept.add(options.add_setup)
        print(on_one_line(f"kept in {kept.file}"))
    elif options.forget_setup is not None:
        for command in kept.forget(options.forget_setup):
            print(f"forgotten: {printable(command)}")
    else:
        return False
    return True


def kept_setups(place: Place) -> KeptSetups:
    """What is kept of the repository around the place."""
    redactor = Redactor.from_environment(place.environment)
    return KeptSetups(place.config, str(place.repository), redactor)


def setup_lines(commands: tuple[str, ...]) -> list[str]:
    """The kept commands for people, with the numbers by which they are forgotten."""
    return [
        f"set-up {number}: {printable(command)}".replace("\n", "\n    ")
        for number, command in enumerate(commands, 1)
    ]


def _dockerfile(kept: KeptSetups) -> str:
    known = kept.read()
    if not known.commands:
        raise UsageError("no set-up command is kept for this repository: there is nothing to build")
    built_in = {folder.name: folder for folder in sandboxes_folder().iterdir() if folder.is_dir()}
    folder = built_in.get(known.profile)
    profile = (folder / "Dockerfile").read_text(encoding="utf-8") if folder else ""
    return dockerfile(profile, known.detected, known.commands)
