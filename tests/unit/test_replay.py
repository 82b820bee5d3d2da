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


class Time:
    """Passes when it is waited for; `during` is done in a wait, one after the other."""

    def __init__(self, *during):
        self.now = 0.0
        self.waited = []
        self._during = list(during)

    async def wait(self, changed, seconds):
        self.waited.append(seconds)
        if self._during:
            self.now += 0.5
            self._during.pop(0)()
        else:
            assert seconds is not None, "nothing would ever go on"
            self.now += seconds

    def replay(self, record, speed):
        return ReplayConductor(record, speed=speed, clock=lambda: self.now, wait=self.wait)


RECORD = [(FIRST, 10.0), (Warned("a"), 10.0), (Warned("b"), 11.0), (Warned("c"), 500.0)]


async def test_time_passes_as_it_did_but_for_long_pauses():
    time = Time()
    batches = await told(time.replay(RECORD, 2.0), len(RECORD))
    assert batches == [[FIRST, Warned("a")], [Warned("b")], [Warned("c")]]
    assert time.waited == [0.5, LONGEST_PAUSE / 2]


async def test_a_record_that_is_held_goes_on_with_the_time_that_was_left():
    time = Time(lambda: replay.pause(), lambda: replay.pause())
    replay = time.replay(RECORD, 1.0)
    assert len(await told(replay, len(RECORD))) == 3
    # Held after half a second, for as long as it takes; then the other half passes.
    assert time.waited == [1.0, None, 0.5, LONGEST_PAUSE]


async def test_a_new_speed_counts_at_once():
    time = Time(lambda: replay.pace(1))
    replay = time.replay(RECORD, 1.0)
    await told(replay, len(RECORD))
    assert time.waited == [1.0, 0.25, LONGEST_PAUSE / 2]


async def test_steps_tell_one_event_each_while_it_is_held():
    time = Time(lambda: replay.step(), lambda: replay.step(), lambda: replay.pause())
    replay = time.replay(RECORD, 0)
    replay.pause()
    batches = await told(replay, len(RECORD))
    assert batches == [[], [FIRST], [Warned("a")], [Warned("b"), Warned("c")]]
    assert (replay.told, replay.total, replay.paused) == (4, 4, False)


@pytest.mark.parametrize(
    ("speed", "by", "then"),
    [(1, 1, 2), (1, -1, 0.5), (3, 1, 4), (3, -1, 2), (32, 1, 0), (0, 1, 0), (0, -1, 32),
     (0.25, -1, 0.25), (0.1, -1, 0.25), (100, 1, 0), (100, -1, 32)],
)  # fmt: skip
def test_speeds_go_up_and_down_in_steps(speed, by, then):
    replay = ReplayConductor(RECORD, speed=speed)
    replay.pace(by)
    assert replay.speed == then


def test_what_is_not_a_plain_file_or_too_large_is_refused(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="not a file of events"):
        read_record(tmp_path)
    monkeypatch.setattr("selfheal_tui.cli.replay.LARGEST", 3)
    file = tmp_path / "events.jsonl"
    file.write_text(to_json(FIRST, at=1.0))
    with pytest.raises(UsageError, match="larger than"):
        read_record(file)


def test_a_records_transcript_goes_into_a_new_file_only(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    replay = ReplayConductor(stories.happy(), speed=0)
    assert replay.export("run.md") == f"the transcript is in {tmp_path / 'run.md'}"
    assert (tmp_path / "run.md").read_text().startswith("# ")
    with pytest.raises(UsageError, match="is there already; name another file"):
        replay.export("run.md")
    with pytest.raises(UsageError, match="name a file, /export PATH"):
        replay.export("")
