"""`selfheal bench`: the agent over many cases, each one a session, and a report of what it healed.

Refuses to judge: a case's verdict is the one of its session.
"""

from __future__ import annotations

import argparse
import asyncio
import fnmatch
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from selfheal_tui import __version__
from selfheal_tui.adapters.bench_cases import read_cases
from selfheal_tui.adapters.bench_results import ResultsFile
from selfheal_tui.cli.benchcase import Common
from selfheal_tui.cli.benchoptions import bench_parser
from selfheal_tui.cli.benchruns import CaseRuns
from selfheal_tui.cli.options import settings_of
from selfheal_tui.cli.place import Place
from selfheal_tui.core.bench.case import BenchCase
from selfheal_tui.core.bench.figures import Figures, figures_of
from selfheal_tui.core.bench.junit import junit_report
from selfheal_tui.core.bench.outcome import NO_VERDICT, CaseOutcome
from selfheal_tui.core.bench.report import cost_words, json_report, text_report
from selfheal_tui.core.providers import first_available
from selfheal_tui.core.redact import Redactor
from selfheal_tui.core.text import one_line, printable
from selfheal_tui.errors import Interrupted, NotHealed, SelfhealError, UsageError
from selfheal_tui.folders import make_private
from selfheal_tui.settings import MemorySettings, Settings

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STATE = "state"
"""The folder below the output folder with the sessions' own records."""


@dataclass(frozen=True)
class Report:
    """What is told at the end."""

    name: str
    run: dict[str, Any]
    outcomes: tuple[CaseOutcome, ...]
    figures: Figures


def main(arguments: Sequence[str]) -> int:
    options = bench_parser().parse_args(arguments)
    if options.mlflow:
        from selfheal_tui.adapters.tracking import check_installed

        check_installed()
    if options.junit and not Path(options.junit).absolute().parent.is_dir():
        raise UsageError(f"--junit {options.junit}: its folder does not exist")
    path, folder = Path(options.cases), Path(options.output_dir).resolve()
    cases = _chosen(read_cases(path), options)
    place = replace(Place.from_process(None), repository=folder)
    settings = _settings(options, place)
    if settings.sandbox.name == "local" and not options.yes:
        raise UsageError("--sandbox local has no isolation; confirm it with --yes")
    results = ResultsFile(folder, _run(settings, place))
    try:
        stopped_by = _heal(options, cases, place, settings, results)
        report = _report(path.name, _run(settings, place), cases, results)
    finally:
        results.close()
    _deliver(report, options)
    return _exit_code(report, options, stopped_by)


def _chosen(cases: Sequence[BenchCase], options: argparse.Namespace) -> tuple[BenchCase, ...]:
    """The cases that `--only` and `--limit` leave, in their order."""
    patterns = options.only or ["*"]
    found = [case for case in cases if any(fnmatch.fnmatchcase(case.id, one) for one in patterns)]
    if not found:
        raise UsageError(f"no case is named like {' or '.join(patterns)}")
    return tuple(found[: options.limit])


def _settings(options: argparse.Namespace, place: Place) -> Settings:
    """The user's settings with the flags; without what would let one case know of another."""
    settings = settings_of(options, place)
    flow = replace(settings.flow, approve_plan=False)
    return replace(settings, flow=flow, memory=MemorySettings(enabled=False))


def _run(settings: Settings, place: Place) -> dict[str, Any]:
    """What all results have in common: those of other values are not to be mixed with them."""
    model, limits, sandbox = settings.model, settings.limits, settings.sandbox
    return {
        "selfheal": __version__,
        "model": model.name or first_available(place.environment) or "",
        "roles": [model.planner, model.coder, model.reviewer],
        "attempts": limits.attempts,
        "max_cost": limits.max_cost,
        "max_time": limits.max_time,
        "max_steps": limits.max_steps,
        "sandbox": sandbox.name,
        "image": sandbox.image,
        "network": sandbox.network,
        "plan": settings.flow.plan,
        "review": settings.flow.review,
    }


def _heal(
    options: argparse.Namespace,
    cases: Sequence[BenchCase],
    place: Place,
    settings: Settings,
    results: ResultsFile,
) -> SelfhealError | None:
    """Run what is not finished yet; why it ended early, if it did."""
    waiting = [case for case in cases if not _is_finished(case, results)]
    finished = len(cases) - len(waiting)
    if finished:
        _tell(f"{finished} of {len(cases)} cases are finished already")
    if not waiting:
        return None
    from selfheal_tui.cli.models import ModelSet, model_in_use

    model_in_use(settings.model, place.environment)
    state = make_private(place.repository / STATE)
    own = replace(place, environment={**place.environment, "SELFHEAL_STATE_DIR": str(state)})
    redactor = Redactor.from_environment(place.environment, settings.privacy.redact)
    models = ModelSet(settings.model, place.environment, redactor)
    records = own.store()
    given = {"limits.attempts": options.attempts, "sandbox.name": options.sandbox}
    common = Common(
        folder=place.repository,
        place=own,
        settings=settings,
        given=frozenset(key for key, value in given.items() if value is not None),
        models=models,
        records=records,
        redactor=redactor,
    )
    try:
        return asyncio.run(_run_all(waiting, common, options.jobs, results, len(cases)))
    finally:
        records.close()


async def _run_all(
    waiting: Sequence[BenchCase], common: Common, jobs: int, results: ResultsFile, of: int
) -> SelfhealError | None:
    done = of - len(waiting)

    def heard(outcome: CaseOutcome) -> None:
        nonlocal done
        results.add(outcome)
        done += 1
        _tell(f"[{done}/{of}] {_progress(outcome)}")

    runs = CaseRuns(waiting, common, jobs, heard)
    loop, asked = asyncio.get_running_loop(), set[int]()

    def stop(number: int) -> None:
        if asked:
            # What is finished is on the disk, and the containers end with us.
            os._exit(128 + number)
        asked.add(number)
        _tell("ending the cases that run ...")
        runs.stop(Interrupted(number))

    for number in SIGNALS:
        loop.add_signal_handler(number, stop, number)
    try:
        await runs.run()
    finally:
        await common.models.close()
        for number in SIGNALS:
            loop.remove_signal_handler(number)
    return runs.stopped_by


def _is_finished(case: BenchCase, results: ResultsFile) -> bool:
    """Whether the very case came to a verdict."""
    found = results.outcomes.get(case.id)
    return found is not None and found.digest == case.digest and found.status != NO_VERDICT


def _report(
    name: str, run: dict[str, Any], cases: Sequence[BenchCase], results: ResultsFile
) -> Report:
    found = [(case, results.outcomes.get(case.id)) for case in cases]
    outcomes = tuple(one for case, one in found if one and one.digest == case.digest)
    return Report(name, run, outcomes, figures_of(outcomes, len(cases)))


def _deliver(report: Report, options: argparse.Namespace) -> None:
    """Print the report, and write it wherever it was asked for."""
    if options.output == "json":
        print(json_report(report.run, report.outcomes, report.figures))
    else:
        print("\n".join(map(printable, text_report(report.outcomes, report.figures))))
    if options.junit:
        document = junit_report(report.outcomes, report.figures, report.name)
        try:
            Path(options.junit).write_bytes(document)
        except OSError as error:
            raise SelfhealError(f"cannot write {options.junit}: {error.strerror}") from error
    if options.mlflow:
        from selfheal_tui.adapters.tracking import track

        track(options.mlflow, report.name, report.run, report.outcomes, report.figures)


def _exit_code(
    report: Report, options: argparse.Namespace, stopped_by: SelfhealError | None
) -> int:
    """DESIGN's exit codes: what keeps the bench from being complete comes before any rate."""
    if stopped_by:
        if report.figures.waiting:
            _tell(f"{report.figures.waiting} cases were not finished; the same command goes on")
        raise stopped_by
    lacking = [one for one in report.outcomes if one.status == NO_VERDICT]
    if lacking:
        _tell(f"{lacking[0].case} came to no verdict: {lacking[0].text}; the same command retries")
        return lacking[0].exit_code
    least = options.fail_under
    if least is not None and report.figures.below(least):
        rate = report.figures.rate
        shown = "nothing was judged" if rate is None else f"{rate:.1%} healed"
        raise NotHealed(f"{shown}: below --fail-under {least:.1%}")
    return 0


def _progress(outcome: CaseOutcome) -> str:
    cost = cost_words(outcome.cost, priced=outcome.priced)
    return f"{outcome.case}: {outcome.words} ({outcome.seconds:.1f} s, {cost})"


def _tell(text: str) -> None:
    # The terminal may be gone; the results must be written all the same.
    with suppress(OSError):
        print(f"selfheal: {one_line(text, 400)}", file=sys.stderr, flush=True)
