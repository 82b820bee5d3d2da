"""The grammar of `selfheal bench`."""

from __future__ import annotations

import argparse

from selfheal_tui.cli.parser import (
    Parser,
    at_least,
    limit_options,
    model_options,
    role_options,
)


def bench_parser() -> Parser:
    """The parser; what it makes also has what `options.settings_of` reads."""
    parser = Parser(
        prog="selfheal bench",
        usage="selfheal bench CASES --output-dir DIR [OPTIONS]",
        description="Runs each case as a session of its own, in a repository of its own, with"
        " everything approved, and reports what was healed.",
        epilog="The same command goes on where one was ended or killed. Exit codes: 0 done, 1 below"
        " --fail-under, 2 usage, 4 sandbox, 5 model, 70 internal, 129/130/143 signals",
        allow_abbrev=False,
    )
    parser.add_argument(
        "cases",
        metavar="CASES",
        help="a HumanEval file (.jsonl, .jsonl.gz), or a folder of folders with a bench.toml",
    )
    parser.add_argument(
        "--output-dir", metavar="DIR", required=True, help="results, and a folder for each case"
    )
    _choice_options(parser)
    _report_options(parser)
    run = parser.add_argument_group("each session")
    model_options(run)
    limit_options(run)
    role_options(run)
    run.add_argument("--yes", action="store_true", help="confirm --sandbox local")
    parser.set_defaults(check=None)
    return parser


def rate(text: str) -> float:
    """A share as `0.9` or as `90%`."""
    number, percent, rest = text.partition("%")
    try:
        value = float(number) / (100 if percent else 1)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not a rate: {text!r}") from error
    # Written so that NaN is refused too.
    if rest or not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"must be 0 to 1, or 0% to 100%, not {text}")
    return value


def _choice_options(parser: Parser) -> None:
    which = parser.add_argument_group("cases")
    which.add_argument(
        "--jobs", type=at_least(1, int), default=1, metavar="N", help="at a time (default: 1)"
    )
    which.add_argument("--limit", type=at_least(1, int), metavar="N", help="the first N only")
    which.add_argument(
        "--only",
        action="append",
        metavar="PATTERN",
        help="those whose id is like this (`HumanEval/1*`); may be given several times",
    )


def _report_options(parser: Parser) -> None:
    report = parser.add_argument_group("report")
    report.add_argument(
        "--output", choices=("text", "json"), default="text", help="on stdout (default: text)"
    )
    report.add_argument("--junit", metavar="FILE", help="also as JUnit XML")
    report.add_argument(
        "--mlflow", metavar="URI", help="also to MLflow: its tracking URI, or a folder"
    )
    report.add_argument(
        "--fail-under",
        type=rate,
        metavar="RATE",
        help="exit 1 when fewer are healed (`0.9` or `90%%`)",
    )
