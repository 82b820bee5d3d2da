"""How a bench goes on, and when it does not: real sessions that end before any sandbox."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from selfheal_tui.cli.benchcase import Common
from selfheal_tui.cli.benchruns import CaseRuns
from selfheal_tui.cli.place import Place
from selfheal_tui.core.bench.case import BenchCase
from selfheal_tui.core.redact import Redactor
from selfheal_tui.errors import Interrupted, ModelError, SelfhealError
from selfheal_tui.settings import SandboxSettings, Settings

CASES = tuple(BenchCase(f"c{number}", "t", "true", "w", "c") for number in range(7))


class NoModel:
    """Fits `parts.ModelSource`: each session ends at once, in its own words."""

    def __init__(self):
        self.asked = 0
        self.closed = 0

    def roles(self):
        self.asked += 1
        raise ModelError("no model is named")

    async def prepare(self):
        raise AssertionError("there is none")

    async def close(self):
        self.closed += 1


@pytest.fixture
def common(tmp_path):
    state = {"SELFHEAL_STATE_DIR": str(tmp_path / "state"), "PATH": "/usr/bin:/bin"}
    place = replace(Place.from_process(str(tmp_path)), environment=state, config=tmp_path / "c")
    records = place.store()
    yield Common(
        folder=tmp_path / "out",
        place=place,
        settings=Settings(sandbox=SandboxSettings(name="local")),
        given=frozenset(),
        models=NoModel(),
        records=records,
        redactor=Redactor(),
    )
    records.close()


async def test_three_cases_in_a_row_without_a_model_end_the_bench(common):
    heard = []
    runs = CaseRuns(CASES, common, 1, heard.append)
    await runs.run()
    assert [(one.case, one.status, one.exit_code) for one in heard] == [
        ("c0", "no verdict", 5),
        ("c1", "no verdict", 5),
        ("c2", "no verdict", 5),
    ]
    assert isinstance(runs.stopped_by, ModelError)
    assert "no model is named" in str(runs.stopped_by)
    # The connections are the bench's own to close.
    assert (common.models.asked, common.models.closed) == (3, 0)


async def test_far_more_jobs_than_cases_cost_nothing(common):
    heard = []
    runs = CaseRuns(CASES[:2], common, 10**9, heard.append)
    await asyncio.wait_for(runs.run(), 30)
    assert len(heard) == 2


async def test_a_case_that_cannot_be_made_is_told_and_the_others_are_run(common, tmp_path):
    gone = replace(CASES[0], id="gone", folder=str(tmp_path / "gone"))
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / ".GIT").write_text("git takes no such name\n")
    heard = []
    runs = CaseRuns((gone, *CASES[:1]), common, 1, heard.append)
    await runs.run()
    assert [(one.case, one.status, one.exit_code) for one in heard] == [
        ("gone", "no verdict", 70),
        ("c0", "no verdict", 5),
    ]
    assert "git add failed" in heard[0].text


async def test_what_cannot_be_written_ends_the_bench_at_once(common):
    def full(outcome):
        raise SelfhealError(f"the disk is full at {outcome.case}")

    runs = CaseRuns(CASES, common, 2, full)
    with pytest.raises(SelfhealError, match="the disk is full at c0"):
        await runs.run()
    assert common.models.asked <= 2


async def test_a_bench_that_is_stopped_begins_no_other_case(common):
    heard = []

    def stop_after_the_first(outcome):
        heard.append(outcome.case)
        runs.stop(Interrupted(2))

    runs = CaseRuns(CASES, common, 1, stop_after_the_first)
    await runs.run()
    assert heard == ["c0"]
    assert runs.stopped_by.exit_code == 130
    assert len(list((Path(common.folder) / "cases").iterdir())) == 1


async def test_more_jobs_than_cases_are_no_harm(common):
    heard = []
    await CaseRuns(CASES[:2], common, 9, heard.append).run()
    assert sorted(one.case for one in heard) == ["c0", "c1"]
