"""The reports of a bench: table, JSON, JUnit XML, MLflow."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.adapters import tracking
from selfheal_tui.adapters.tracking import refusal
from selfheal_tui.core.bench.figures import Figures, figures_of
from selfheal_tui.core.bench.junit import junit_report
from selfheal_tui.core.bench.report import json_report, text_report
from selfheal_tui.errors import UsageError
from tests.support.bench import ALL, AT_ONCE, HEALED, NO_ENGINE, NOT_HEALED

FIGURES = Figures(
    cases=6,
    waiting=1,
    healed_first=1,
    healed=2,
    not_healed=1,
    already_green=1,
    no_verdict=1,
    attempts=5,
    input_tokens=2000,
    output_tokens=400,
    cost=0.875,
    priced=False,
    seconds=6.5,
)


def test_the_figures_count_every_case_once():
    assert figures_of(ALL, 6) == FIGURES
    assert (FIGURES.judged, FIGURES.first_rate, FIGURES.rate) == (3, 1 / 3, 2 / 3)


def test_nothing_judged_has_no_rate_and_is_below_any():
    figures = figures_of([NO_ENGINE], 1)
    assert (figures.first_rate, figures.rate) == (None, None)
    assert figures.below(0.0)


@pytest.mark.parametrize(("least", "below"), [(0.5, False), (0.49, False), (0.51, True)])
def test_a_rate_is_below_only_what_is_more(least, below):
    assert figures_of([HEALED, NOT_HEALED], 2).below(least) is below


@settings(max_examples=200)
@given(st.lists(st.sampled_from(ALL)), st.integers(0, 5))
def test_the_figures_add_up(outcomes, more):
    figures = figures_of(outcomes, len(outcomes) + more)
    counted = (figures.judged, figures.already_green, figures.no_verdict, figures.waiting)
    assert sum(counted) == figures.cases
    assert 0 <= figures.healed_first <= figures.healed <= figures.judged


def test_the_table_as_it_is_printed():
    assert text_report(ALL, FIGURES) == [
        "case    result                     attempts  tokens    cost   time",
        "Hand/0  healed at attempt 2               2     480  0.2500  1.5 s",
        "Hand/1  healed at attempt 1               1     480  0.1250  0.5 s",
        "Hand/2  not healed                        2     480  0.2500  1.5 s",
        "Hand/3  already green                     0     480  0.2500  1.5 s",
        "Hand/4  no verdict: sandbox error         0     480       ?  1.5 s",
        "",
        "at attempt 1    33.3% (1 of 3)",
        "after healing   66.7% (2 of 3)",
        "besides         1 already green (not counted), 1 without a verdict (not counted),"
        " 1 not run yet",
        "attempts        5",
        "tokens          2000 in, 400 out",
        "cost            at least 0.8750 USD",
        "time            6.5 s of sessions",
    ]


def test_the_json_report_holds_what_was_run_the_figures_and_every_case():
    report = json.loads(json_report({"model": "m"}, [HEALED], figures_of([HEALED], 1)))
    assert report == {
        "schema": 1,
        "run": {"model": "m"},
        "figures": asdict(figures_of([HEALED], 1)) | {"judged": 1, "first_rate": 0.0, "rate": 1.0},
        "cases": [asdict(HEALED) | {"status": "healed", "attempts": ["same", "green"]}],
    }


def test_junit_tells_failures_errors_and_skips_apart():
    root = ElementTree.fromstring(junit_report(ALL, FIGURES, "few.jsonl"))
    (suite,) = root
    assert suite.attrib == {
        "name": "few.jsonl",
        "tests": "5",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
        "time": "6.500",
    }
    told = [(case.get("name"), [part.tag for part in case][1:]) for case in suite]
    assert told == [
        ("Hand/0", []),
        ("Hand/1", []),
        ("Hand/2", ["failure"]),
        ("Hand/3", ["skipped"]),
        ("Hand/4", ["error"]),
    ]
    failure = suite[2].find("failure")
    # What XML cannot hold in any form has a stand-in.
    assert (failure.get("message"), failure.text) == (
        "not healed",
        "no attempt passed \ufffd[31m\ufffd",
    )
    properties = {one.get("name"): one.get("value") for one in suite[4].find("properties")}
    assert properties == {
        "attempts": "0",
        "healed_at": "0",
        "input_tokens": "400",
        "output_tokens": "80",
        "cost_usd": "not known",
        "session": "s0",
    }


@settings(max_examples=200)
@given(st.text(), st.text(), st.text())
def test_any_text_is_well_formed_xml(name, outcome, text):
    told = replace(NOT_HEALED, case=name, outcome=outcome, text=text)
    root = ElementTree.fromstring(junit_report([told], figures_of([told], 1), name))
    assert len(root.findall(".//testcase")) == 1


def test_mlflow_that_is_missing_is_a_sentence(monkeypatch):
    monkeypatch.setattr(tracking.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError) as raised:
        tracking.check_installed()
    assert str(raised.value) == (
        "--mlflow needs the package mlflow; install it where selfheal is:"
        f" {sys.executable} -m pip install 'selfheal[mlflow]'"
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["{}", "sqlite:///{}/own.db"])
def test_mlflow_holds_prompt_attempts_verdict_and_cost_without_any_network(
    tmp_path, monkeypatch, form
):
    mlflow = pytest.importorskip("mlflow", reason="the optional package mlflow is not installed")

    def refused(*_):
        raise AssertionError("a look into the network")

    monkeypatch.setattr("socket.getaddrinfo", refused)
    monkeypatch.setattr("socket.socket.connect", refused)
    monkeypatch.chdir(tmp_path)
    store = tmp_path / "store"
    store.mkdir()
    where = form.format(store)
    tracking.track(where, "few", {"model": "m"}, (HEALED, AT_ONCE), figures_of([HEALED], 1))
    database = where if "://" in where else f"sqlite:///{store}/mlflow.db"
    client = mlflow.MlflowClient(tracking_uri=database)
    experiment = client.get_experiment_by_name("selfheal bench")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {"few", "Hand/0", "Hand/1"}
    case, parent = runs["Hand/0"], runs["few"]
    assert case.data.metrics == {
        "attempts": 2.0,
        "healed_at": 2.0,
        "input_tokens": 400.0,
        "output_tokens": 80.0,
        "cost_usd": 0.25,
        "seconds": 1.5,
    }
    own = {key: case.data.tags[key] for key in ("verdict", "attempts", "mlflow.parentRunId")}
    assert own == {
        "verdict": "healed",
        "attempts": "same, green",
        "mlflow.parentRunId": parent.info.run_id,
    }
    prompt = Path(case.info.artifact_uri.removeprefix("file://"), "prompt.txt")
    assert prompt.read_text() == "Write it."
    assert parent.data.params == {"model": "m"}
    assert parent.data.metrics["rate_after_healing"] == 1.0
    # Nothing was left beside what the user named.
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_the_login_of_a_tracking_store_is_not_told():
    where = "https://ada:hunter22-of-ada@mlflow.invalid"
    assert refusal(where, f"cannot reach {where}/api") == (
        "the MLflow store https://ada:[redacted]@mlflow.invalid refuses:"
        " cannot reach https://ada:[redacted]@mlflow.invalid/api"
    )
