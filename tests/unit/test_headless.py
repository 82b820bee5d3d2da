from __future__ import annotations

import errno
import io
import json
import os
from pathlib import Path

import pytest

from selfheal_tui import headless
from selfheal_tui.core.approval import (
    Answer,
    CommitRequest,
    PushRequest,
    SetupRequest,
    answer,
    key_of,
)
from selfheal_tui.core.events import (
    Committed,
    ProposalMade,
    SessionEnded,
    SessionStarted,
    Warned,
    to_json,
)
from selfheal_tui.core.proof import Proof
from selfheal_tui.core.result import Result
from selfheal_tui.errors import SelfhealError, UsageError
from selfheal_tui.headless import Headless, OutputFolder, no_to_all, yes_to

PROOF = Proof(
    tree="t1",
    base="t0",
    verified=True,
    command="pytest -q",
    exit_code=0,
    check_seconds=1.5,
    before=("a", "b"),
    after=(),
    flaky=(),
    sandbox="docker, profile python: hardened",
    image="selfheal/python:1 abc",
    network="setup",
    attempt=2,
    attempts=3,
    seconds=12.25,
    cost=0.01,
    model="m",
    files=(("x.py", 3, 1),),
    warnings=("reviewer: \x1b]52;c;x\x07",),
    review="approve: fine",
)
STORY = [
    SessionStarted("s1", "fix", "/r", "0.1"),
    Warned("careful\x1b[31m"),
    ProposalMade("t1", "w1", PROOF.to_json(), "diff --git a/x.py b/x.py\n", "Fix x\n\nBecause.\n"),
    Committed("c1", "t1", "refs/heads/x", worktree_updated=False),
    SessionEnded(0, "committed", "committed c1 to x", 12.5, 0.01),
]
REQUESTS = [
    SetupRequest("pip install x", "because", "image"),
    CommitRequest("t", "p", "refs/heads/x", "0", "m", update_worktree=False),
    PushRequest("c", "origin", "url", "refs/heads/x", "0"),
]


def shown(output, folder=None):
    out, err = io.StringIO(), io.StringIO()
    files = OutputFolder(folder) if folder else None
    front = Headless(output=output, out=out, err=err, folder=files, clock=lambda: 7.0)
    for event in STORY:
        front.show(event)
    return out.getvalue(), err.getvalue()


def test_text_is_the_proof_card_and_then_the_outcome():
    out, _ = shown("text")
    lines = out.splitlines()
    assert lines[0] == "proof card"
    assert "  verdict   VERIFIED: exit 0 from `pytest -q` in 1.5 s" in lines
    assert "  tests     2 failing before, 0 now, 2 fixed, 0 broken" in lines
    assert "  file      x.py  +3 -1" in lines
    assert lines[-1] == "committed (exit 0): committed c1 to x"


def test_json_is_one_object():
    out, _ = shown("json")
    result = json.loads(out)
    assert (result["exit_code"], result["outcome"], result["commit"]) == (0, "committed", "c1")
    assert result["proof"]["verified"] is True


def test_stream_json_is_one_event_a_line():
    out, _ = shown("stream-json")
    assert out.splitlines() == [to_json(event, at=7.0) for event in STORY]


def test_no_control_character_reaches_the_terminal_in_text_mode():
    for text in shown("text"):
        assert "\x1b" not in text
        assert "\x07" not in text


def test_the_output_folder_holds_result_events_and_patch(tmp_path):
    shown("text", tmp_path / "new")
    written = {path.name: path.read_text() for path in (tmp_path / "new").iterdir()}
    assert sorted(written) == ["events.jsonl", "patch.diff", "result.json"]
    assert written["patch.diff"] == "diff --git a/x.py b/x.py\n"
    assert json.loads(written["result.json"])["text"] == "committed c1 to x"
    assert written["events.jsonl"].splitlines() == [to_json(event, at=7.0) for event in STORY]


def test_what_an_earlier_run_left_in_the_folder_is_gone_from_the_start(tmp_path):
    shown("text", tmp_path)
    folder = OutputFolder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["events.jsonl"]
    folder.finish(Result())


def test_an_output_folder_that_cannot_be_made_is_an_error_in_words(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SelfhealError, match="cannot write to"):
        shown("text", tmp_path / "file")


class Full(io.RawIOBase):
    def write(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    def close(self):
        pass


def test_an_output_folder_that_is_full_is_said_once_and_at_the_end(tmp_path, monkeypatch):
    folder = OutputFolder(tmp_path)
    folder._close()
    folder._events = Full()
    out = io.StringIO()
    front = Headless(output="text", out=out, err=io.StringIO(), folder=folder)
    with pytest.raises(SelfhealError, match=r"cannot write to .*: No space left"):
        front.show(STORY[0])
    for event in STORY[1:-1]:
        front.show(event)
    monkeypatch.setattr(headless, "_created", lambda _: Full().write(b""))
    with pytest.raises(SelfhealError, match="committed c1 to x; but cannot write to"):
        front.show(STORY[-1])
    last = out.getvalue().splitlines()[-1]
    assert last.startswith("output lost (exit 70): committed c1 to x; but cannot write to")
    assert front.result.fields["exit_code"] == 70


def test_who_stops_reading_does_not_stop_the_run(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as out:
        front = Headless(
            output="stream-json", out=out, err=io.StringIO(), folder=OutputFolder(tmp_path)
        )
        for event in STORY:
            front.show(event)
    assert json.loads((tmp_path / "result.json").read_text())["outcome"] == "committed"


def test_an_output_that_is_full_ends_the_run():
    with Path("/dev/full").open("w") as out:
        front = Headless(output="stream-json", out=out, err=io.StringIO(), folder=None)
        with pytest.raises(SelfhealError, match="cannot write the output: No space left"):
            front.show(STORY[0])


def test_each_event_is_in_the_folder_at_once(tmp_path):
    folder = OutputFolder(tmp_path)
    err = io.StringIO()
    front = Headless(output="text", out=err, err=err, folder=folder, clock=lambda: 7.0)
    front.show(STORY[0])
    assert (tmp_path / "events.jsonl").read_text() == to_json(STORY[0], at=7.0) + "\n"
    folder.finish(Result())


@pytest.mark.parametrize(("push", "granted"), [(True, [True] * 3), (False, [True, True, False])])
async def test_yes_grants_everything_but_a_push_that_was_not_asked_for(push, granted):
    ask = yes_to(push=push)
    answers = [await ask(request) for request in REQUESTS]
    assert [bool(answer(r, given)) for r, given in zip(REQUESTS, answers, strict=True)] == granted


async def test_headless_grants_nothing():
    ask = no_to_all()
    for request in REQUESTS:
        given = await ask(request)
        assert given == Answer(key_of(request), False, "--headless", given.reason)
        assert "nobody" in given.reason


@pytest.mark.parametrize("name", ["result.json", "events.jsonl", "patch.diff"])
def test_files_of_somebody_else_are_never_overwritten(tmp_path, name):
    (tmp_path / name).write_text('{"mine": 1}\n')
    with pytest.raises(UsageError, match="is there and not ours"):
        OutputFolder(tmp_path)
    assert (tmp_path / name).read_text() == '{"mine": 1}\n'
