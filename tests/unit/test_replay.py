"""Replaying a record: what is read, in which order and time it is told."""

from __future__ import annotations

import pytest

from selfheal_tui.cli import main
from selfheal_tui.cli.replay import LONGEST_PAUSE, ReplayConductor, read_record
from selfheal_tui.core.events import SessionStarted, Warned, to_json
from selfheal_tui.errors import UsageError
from tests.support import stories

FIRST = SessionStarted("s1", "task", "/r", "1")


def test_a_record_is_read_as_it_was_written(tmp_path):
    file = tmp_path / "events.jsonl"
    file.write_text(stories.as_lines(stories.happy()))
    assert read_record(file) == stories.happy()


def test_a_last_line_that_was_cut_is_left_out(tmp_path):
    file = tmp_path / "events.jsonl"
    line = to_json(FIRST, at=1.0)
    file.write_text(f"{line}\n{line[:20]}")
    assert read_record(file) == [(FIRST, 1.0)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no events are in it"),
        ("{}\n", "line 1: not an event line: '{}'"),
        ("nonsense\n" + to_json(FIRST, at=1.0), "line 1: not an event line: 'nonsense'"),
    ],
)
def test_what_is_no_record_is_refused_with_its_line(tmp_path, text, said):
    file = tmp_path / "events.jsonl"
    file.write_text(text)
    with pytest.raises(UsageError) as raised:
        read_record(file)
    assert str(raised.value).startswith(str(file))
    assert str(raised.value).endswith(said)


def test_a_file_that_is_missing_is_a_sentence(tmp_path):
    with pytest.raises(UsageError, match="No such file or directory"):
        read_record(tmp_path / "none.jsonl")


def test_without_a_terminal_replay_says_so(tmp_path, capsys):
    file = tmp_path / "events.jsonl"
    file.write_text(to_json(FIRST, at=1.0))
    assert main(["replay", str(file)]) == 2
    expected = "selfheal: there is no terminal; `selfheal show ID` prints a session\n"
    assert capsys.readouterr().err == expected


async def told(conductor: ReplayConductor, total: int) -> list[list[object]]:
    """The batches until the record has ended."""
    batches, count = [], 0
    async for batch in conductor.news():
        batches.append([each.event for each in batch])
        count += len(batch)
        if count == total:
            await conductor.close()
    return batches


async def test_all_at_once_tells_everything_in_order_without_a_pause():
    story = stories.long(500)
    batches = await told(ReplayConductor(story, speed=0), len(story))
    assert [event for batch in batches for event in batch] == [event for event, _ in story]
    assert max(len(batch) for batch in batches) == 200


async def test_time_passes_as_it_did_but_for_long_pauses(monkeypatch):
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("selfheal_tui.cli.replay.asyncio.sleep", sleep)
    record = [(FIRST, 10.0), (Warned("a"), 10.0), (Warned("b"), 11.0), (Warned("c"), 500.0)]
    batches = await told(ReplayConductor(record, speed=2.0), len(record))
    assert batches == [[FIRST, Warned("a")], [Warned("b")], [Warned("c")]]
    assert slept == [0.5, LONGEST_PAUSE / 2]
