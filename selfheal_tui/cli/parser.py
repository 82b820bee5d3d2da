"""The command line's grammar, and nothing else. Texts here are the README's help block."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NoReturn

from selfheal_tui.errors import UsageError

SUBCOMMANDS = {
    "demo": "the whole product on a bundled broken project, with a scripted model",
    "doctor": "what this machine has and lacks: engine, images, keys, folders",
    "sessions": "list the sessions",
    "show": "show one session: its outcome, proof card and events",
    "replay": "show a recorded run (events.jsonl) in the interface",
    "audit": "what was approved, by whom, and what was done; --verify: was it changed",
    "undo": "take the commit of a session back, and the files that are still its own",
    "web": "the interface in a browser of this machine, behind a link that works once",
    "bench": "run the agent over a folder of cases, and report what it healed",
    "clean": "remove left-over containers and volumes of ours",
    "incidents": "what is remembered of earlier heals: list, show, edit, delete",
    "config": "show the settings, and where each came from",
}
"""Each has a module of its name in this package, imported only when it is called."""


class Parser(argparse.ArgumentParser):
    """Raises UsageError where argparse would end the process."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see `{self.prog} --help`)")


def at_least(least: float, kind: Callable[[str], float]) -> Callable[[str], float]:
    """A number of `kind` that is not smaller than `least`."""

    def parse(text: str) -> float:
        value = kind(text)
        # Written so that NaN is refused too.
        if not value >= least:
            raise argparse.ArgumentTypeError(f"must be at least {least:g}, not {text}")
        return value

    parse.__name__ = "number" if kind is float else "whole number"
    return parse


def run_parser() -> Parser:
    """The parser of `selfheal [OPTIONS] [TASK]`."""
    listed = "\n".join(f"  {name:<10} {text}" for name, text in SUBCOMMANDS.items())
    parser = Parser(
        prog="selfheal",
        usage="selfheal [OPTIONS] [TASK]\n       selfheal [-C DIR] SUBCOMMAND [OPTIONS]",
        description="Heals code in a container, and proves it before it asks you to keep it.",
        epilog=f"subcommands:\n{listed}\n\nexit codes: 0 done, 1 not healed, 2 usage, 3 approval"
        " refused, 4 sandbox,\n5 model, 6 repository, 7 limit, 70 internal, 129/130/143 signals",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("task", nargs="?", metavar="TASK", help="what to do, as one argument")
    _mode_options(parser)
    _run_options(parser)
    _target_options(parser)
    return parser


def _mode_options(parser: Parser) -> None:
    mode = parser.add_argument_group("mode").add_mutually_exclusive_group()
    mode.add_argument("--yes", action="store_true", help="headless; edits and commit are approved")
    mode.add_argument(
        "--headless", action="store_true", help="headless; stops at the proposal, exit 3"
    )
    out = parser.add_argument_group("output")
    out.add_argument(
        "--output",
        choices=("text", "json", "stream-json"),
        default="text",
        help="what stdout carries in headless mode (default: text)",
    )
    out.add_argument(
        "--output-dir",
        metavar="DIR",
        help="also write result.json, events.jsonl and patch.diff there on every exit",
    )
    take_up = parser.add_argument_group("sessions")
    take_up.add_argument(
        "-r", "--resume", nargs="?", const="", metavar="ID", help="take up a session"
    )
    take_up.add_argument(
        "-c", "--continue", dest="latest", action="store_true", help="take up the latest session"
    )
    parser.add_argument("-C", dest="folder", metavar="DIR", help="run as if started there")
    parser.add_argument("--version", action="store_true", help="show the version")


def _run_options(parser: Parser) -> None:
    run = parser.add_argument_group("run")
    model_options(run)
    run.add_argument(
        "--check",
        metavar="CMD",
        action="append",
        help="the command whose exit code is the verdict; several: all have to pass, in order",
    )
    limit_options(run)
    run.add_argument(
        "--allow-test-changes",
        action="store_true",
        help="with --yes: also commit what changes tests, or how the check runs",
    )
    role_options(run)


def model_options(run: argparse._ArgumentGroup) -> None:
    """Which model answers."""
    run.add_argument("-m", "--model", metavar="NAME", help="LiteLLM model name for every role")
    run.add_argument("--api-base", metavar="URL", help="an OpenAI-compatible server's endpoint")


def limit_options(run: argparse._ArgumentGroup) -> None:
    """How far one session may go, and where its commands run."""
    run.add_argument(
        "--attempts", type=at_least(1, int), metavar="N", help="healing attempts (default: 3)"
    )
    run.add_argument(
        "--max-cost", type=at_least(0, float), metavar="USD", help="0 = none (default: 2.00)"
    )
    run.add_argument(
        "--max-time", type=at_least(0, float), metavar="SECONDS", help="0 = none (default: 1800)"
    )
    run.add_argument(
        "--max-steps", type=at_least(0, int), metavar="N", help="0 = none (default: 60)"
    )
    run.add_argument(
        "--sandbox", metavar="NAME", help="a profile, or `local` (no isolation; default: detected)"
    )
    run.add_argument("--image", metavar="REF", help="an image in place of the profile's")
    run.add_argument(
        "--network",
        choices=("off", "setup", "on"),
        help="never, only during approved set-up commands, always (default: setup)",
    )


def role_options(run: argparse._ArgumentGroup) -> None:
    """Which roles take part."""
    run.add_argument("--no-plan", action="store_true", help="skip the planner")
    run.add_argument("--no-review", action="store_true", help="skip the reviewer")


def _target_options(parser: Parser) -> None:
    target = parser.add_argument_group("commit and push")
    where = target.add_mutually_exclusive_group()
    where.add_argument(
        "--branch", metavar="NAME", help="the new branch (default: selfheal/<slug of the task>)"
    )
    where.add_argument(
        "--current-branch",
        action="store_true",
        help="commit on the checked-out branch and update its working tree",
    )
    target.add_argument(
        "--push",
        nargs="?",
        const="",
        metavar="REMOTE[/BRANCH]",
        help="with --yes: also push the approved commit (default: origin, the same branch name)",
    )
