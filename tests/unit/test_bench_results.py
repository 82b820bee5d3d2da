"""Results are on the disk as they come, and a rerun goes on from them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.adapters.bench_results import ResultsFile
from selfheal_tui.core.bench.outcome import CaseOutcome, from_line, to_line
from selfheal_tui.errors import SelfhealError, UsageError
from tests.support.bench import ALL, AT_ONCE, HEALED, NO_ENGINE, with_status

RUN = {"model": "m", "attempts": 3}


def reopened(folder, run=RUN):
    results = ResultsFile(folder, run)
    results.close()
    return results.outcomes


def test_what_was_written_is_there_when_it_is_opened_again(tmp_path):
    results = ResultsFile(tmp_path / "out", RUN)
    for outcome in ALL:
        results.add(outcome)
    results.close()
    assert reopened(tmp_path / "out") == {outcome.case: outcome for outcome in ALL}


def test_the_later_outcome_of_a_case_holds(tmp_path):
    results = ResultsFile(tmp_path, RUN)
    later = with_fields(NO_ENGINE, case=HEALED.case)
    results.add(later)
    results.add(HEALED)
    results.close()
    assert reopened(tmp_path) == {HEALED.case: HEALED}


def test_a_kill_at_any_byte_loses_the_case_that_was_written_and_no_other(tmp_path):
    results = ResultsFile(tmp_path, RUN)
    results.add(HEALED)
    kept = (tmp_path / "results.jsonl").read_bytes()
    results.add(AT_ONCE)
    results.close()
    whole = (tmp_path / "results.jsonl").read_bytes()
    for end in range(len(kept), len(whole)):
        (tmp_path / "results.jsonl").write_bytes(whole[:end])
        again = ResultsFile(tmp_path, RUN)
        assert again.outcomes == {HEALED.case: HEALED}
        again.add(AT_ONCE)
        again.close()
        assert (tmp_path / "results.jsonl").read_bytes() == whole


def test_a_kill_while_the_first_line_was_written_loses_nothing(tmp_path):
    (tmp_path / "results.jsonl").write_bytes(b'{"v":1,"ru')
    assert reopened(tmp_path) == {}
    assert json.loads((tmp_path / "results.jsonl").read_bytes()) == {"v": 1, "run": RUN}


def test_results_of_another_model_are_not_mixed_with_these(tmp_path):
    reopened(tmp_path)
    with pytest.raises(UsageError, match=r"has results with model 'm', not 'other'; name another"):
        ResultsFile(tmp_path, RUN | {"model": "other"})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"hello\n", "line 1: not written by selfheal bench"),
        (b"[]\n", "line 1: not written by selfheal bench"),
        (b'{"v":9,"run":{}}\n', "of another version"),
        (b'{"v":1,"run":{"model":"m","attempts":3}}\n{}\n', "line 2: not an outcome"),
    ],
)
def test_a_file_that_is_not_ours_or_damaged_is_refused_and_stays(tmp_path, content, words):
    (tmp_path / "results.jsonl").write_bytes(content)
    with pytest.raises(UsageError, match=words):
        ResultsFile(tmp_path, RUN)
    assert (tmp_path / "results.jsonl").read_bytes() == content


def test_a_folder_with_other_things_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine\n")
    with pytest.raises(UsageError, match="holds other things; name another --output-dir"):
        ResultsFile(tmp_path, RUN)


def test_two_benches_do_not_write_to_one_folder(tmp_path):
    first = ResultsFile(tmp_path, RUN)
    with pytest.raises(UsageError, match="another selfheal bench works in"):
        ResultsFile(tmp_path, RUN)
    first.close()
    assert reopened(tmp_path) == {}


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SelfhealError, match="cannot write to"):
        ResultsFile(tmp_path / "file" / "out", RUN)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, "healed"),
        ({"outcome": "already green", "red_before": False}, "already green"),
        ({"red_before": False}, "already green"),
        ({"exit_code": 1, "outcome": "not healed"}, "not healed"),
        ({"exit_code": 3, "outcome": "approval refused"}, "not healed"),
        ({"exit_code": 7, "outcome": "limit reached"}, "not healed"),
        ({"exit_code": 5, "outcome": "model answer invalid"}, "not healed"),
        ({"exit_code": 4, "outcome": "tree rejected"}, "not healed"),
        ({"exit_code": 4, "outcome": "sandbox error"}, "no verdict"),
        ({"exit_code": 5, "outcome": "model refused key"}, "no verdict"),
        ({"exit_code": 6, "outcome": "repository refused"}, "no verdict"),
        ({"exit_code": 70, "outcome": "internal error"}, "no verdict"),
    ],
)
def test_only_what_the_agent_came_to_by_itself_is_a_verdict(fields, status):
    assert with_status(**fields) == status


@settings(max_examples=200)
@given(
    st.builds(
        CaseOutcome,
        case=st.text(),
        cost=st.floats(0, 1e6, allow_nan=False),
        seconds=st.floats(0, 1e6, allow_nan=False),
        attempts=st.lists(st.text(max_size=8)).map(tuple),
    )
)
def test_an_outcome_survives_its_line(outcome):
    line = to_line(outcome)
    assert "\n" not in line
    assert from_line(line.encode()) == outcome


@settings(max_examples=200)
@given(st.binary(max_size=80) | st.dictionaries(st.text(), st.integers()).map(json.dumps))
def test_what_is_no_outcome_is_a_value_error(line):
    with pytest.raises(ValueError):  # noqa: PT011 - UnicodeDecodeError and JSON's own are these
        from_line(line if isinstance(line, bytes) else line.encode())


def with_fields(outcome, **fields):
    return CaseOutcome(**{**vars(outcome), **fields})
