"""A bench's report in MLflow: one run for the bench, and below it one for each case.

Refuses to let the library speak to anybody but the tracking store that the user named.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from selfheal_tui.core.bench.figures import Figures
from selfheal_tui.core.bench.outcome import CaseOutcome
from selfheal_tui.core.redact import Redactor
from selfheal_tui.errors import SelfhealError, UsageError

BEFORE_IMPORT = {
    # The library tells its makers of its use unless it is told not to.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}
EXPERIMENT = "selfheal bench"
_PARENT = "mlflow.parentRunId"
_LONGEST_TAG = 5000
"""Characters that every tracking store takes as the value of a tag."""


def check_installed() -> None:
    """Raises UsageError where the optional package is missing; to be called before any work."""
    if importlib.util.find_spec("mlflow") is None:
        raise UsageError(
            "--mlflow needs the package mlflow; install it where selfheal is:"
            f" {sys.executable} -m pip install 'selfheal[mlflow]'"
        )


def track(
    where: str,
    name: str,
    run: Mapping[str, Any],
    outcomes: Sequence[CaseOutcome],
    figures: Figures,
) -> None:
    """Log prompt, attempts, verdict and cost of each case, and the figures of all, as new runs.

    `where` is a tracking URI, or a folder: then a SQLite store is made or used there. Raises
    SelfhealError with the library's own words where the store refuses.
    """
    mlflow = _load()
    uri, artifacts = _store(where)
    try:
        client = mlflow.MlflowClient(tracking_uri=uri)
        board = _Board(mlflow, client, _experiment(client, artifacts))
        board.log(name, run, outcomes, figures)
    except (mlflow.exceptions.MlflowException, OSError) as error:
        raise SelfhealError(refusal(where, str(error))) from error


def refusal(where: str, why: str) -> str:
    """What is told where the store refuses. Its address may hold a login, and `why` repeats it."""
    return Redactor().redact(f"the MLflow store {where} refuses: {why}")


class _Board:
    """Writes runs into one experiment."""

    def __init__(self, mlflow: Any, client: Any, experiment: str) -> None:
        self._entities = mlflow.entities
        self._client = client
        self._experiment = experiment

    def log(
        self,
        name: str,
        run: Mapping[str, Any],
        outcomes: Sequence[CaseOutcome],
        figures: Figures,
    ) -> None:
        parent = self._begin(name, {})
        self._values(parent, _figures(figures), run)
        for outcome in outcomes:
            self._case(parent, outcome)
        self._client.set_terminated(parent)

    def _case(self, parent: str, outcome: CaseOutcome) -> None:
        tags = {
            _PARENT: parent,
            "verdict": outcome.status,
            "outcome": outcome.outcome,
            "session": outcome.session,
            "attempts": ", ".join(outcome.attempts)[:_LONGEST_TAG],
            "text": outcome.text[:_LONGEST_TAG],
        }
        case = self._begin(outcome.case, tags)
        self._client.log_text(case, outcome.task, "prompt.txt")
        self._values(case, _of_case(outcome), {})
        self._client.set_terminated(case)

    def _begin(self, name: str, tags: Mapping[str, str]) -> str:
        made = self._client.create_run(self._experiment, tags=dict(tags), run_name=name)
        identity: str = made.info.run_id
        return identity

    def _values(self, run: str, metrics: Mapping[str, float], params: Mapping[str, Any]) -> None:
        """All of a run in one go: each call is a transaction of the store."""
        now = int(time.time() * 1000)
        metric, param = self._entities.Metric, self._entities.Param
        self._client.log_batch(
            run,
            metrics=[metric(key, value, now, 0) for key, value in metrics.items()],
            params=[param(key, str(value)) for key, value in params.items()],
        )


def _load() -> Any:
    os.environ.update(BEFORE_IMPORT)
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    return importlib.import_module("mlflow")


def _store(where: str) -> tuple[str, str | None]:
    """The tracking URI, and where artifacts go; None leaves that to the store."""
    scheme, found, rest = where.partition(":///")
    if found and scheme.startswith("sqlite"):
        return where, (Path(f"/{rest}").resolve().parent / "artifacts").as_uri()
    if "://" in where or where in ("databricks", "uc"):
        return where, None
    folder = Path(where.removeprefix("file:")).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SelfhealError(f"cannot write to {folder}: {error.strerror}") from error
    return f"sqlite:///{folder / 'mlflow.db'}", (folder / "artifacts").as_uri()


def _experiment(client: Any, artifacts: str | None) -> str:
    known = client.get_experiment_by_name(EXPERIMENT)
    if known is not None:
        identity: str = known.experiment_id
        return identity
    made: str = client.create_experiment(EXPERIMENT, artifact_location=artifacts)
    return made


def _figures(figures: Figures) -> dict[str, float]:
    rates = {"rate_at_attempt_1": figures.first_rate, "rate_after_healing": figures.rate}
    counted = {
        "cases": figures.cases,
        "healed": figures.healed,
        "healed_first": figures.healed_first,
        "not_healed": figures.not_healed,
        "already_green": figures.already_green,
        "no_verdict": figures.no_verdict,
        "attempts": figures.attempts,
        "input_tokens": figures.input_tokens,
        "output_tokens": figures.output_tokens,
        "cost_usd": figures.cost,
        "seconds": figures.seconds,
    }
    return counted | {key: value for key, value in rates.items() if value is not None}


def _of_case(outcome: CaseOutcome) -> dict[str, float]:
    return {
        "attempts": len(outcome.attempts),
        "healed_at": outcome.healed_at,
        "input_tokens": outcome.input_tokens,
        "output_tokens": outcome.output_tokens,
        "cost_usd": outcome.cost,
        "seconds": outcome.seconds,
    }
