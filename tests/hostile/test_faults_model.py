"""Every fault of a model server, in whole sessions: what can work later is tried again and heals,
what cannot ends with its code; an answer that failed is never carried out."""

from __future__ import annotations

import socket
import threading

import pytest

from tests.hostile.faulted import EDITS, LOCAL, scenes, watched
from tests.hostile.forking import heal
from tests.hostile.tally import FAULTS, count
from tests.support.model_server import (
    Answer,
    Call,
    ModelServer,
    Raw,
    broken_call,
    call,
    context_overflow,
    cut,
    dripped,
    html,
    not_a_completion,
    rate_limited,
    say,
    server_error,
    stalled,
    unfinished,
    unreachable,
    wrong_key,
)

TRAP = call("write_file", path="trap.txt", content="an answer that failed was carried out\n")
TWO = Answer(calls=(Call("bash", '{"command": "true"}'), Call("bash", '{"command": "echo"}')))

PASSING = {
    "too many requests": rate_limited(),
    "too many requests, and when to come back": rate_limited("1"),
    "too many requests, and a strange date": rate_limited("soon"),
    "an error of the server": server_error(),
    "a bad gateway": server_error(502),
    "overloaded": server_error(529),
    "a stream cut in the middle": cut(TRAP),
    "a stream without a finish reason": unfinished(TRAP),
    "silence in the middle": stalled(TRAP),
    "a drip past the deadline": dripped(say("x" * 400), 0.4),
    "arguments that are no JSON": broken_call("write_file", '{"path": "trap.txt", "content": "x'),
    "arguments that are no object": broken_call("write_file", '["trap.txt"]'),
    "a tool that is not there": call("format_disk", path="trap.txt"),
    "two calls with one index": Answer(calls=TWO.calls, style="one-index"),
    "an empty answer": say(""),
    "a page in place of an answer": html(),
    "something else in place of an answer": not_a_completion(),
    "an answer of nothing": Raw(200, b"", {"Content-Type": "text/event-stream"}),
    "half an answer": Raw(200, b'data: {"choices": [{"de', {"Content-Type": "text/event-stream"}),
}
"""Answers that one comes of; the next is good."""

FOR_GOOD = {
    "nobody listens": lambda: unreachable(),
    "errors only": server_error(),
    "cut streams only": cut(TRAP),
    "no finish reason ever": unfinished(TRAP),
    "pages only": html(),
    "a refused key": wrong_key(),
}

SETTINGS = "[model]\ntimeout = 8\nstall = 4\nretries = 2\n"


def _scene(folder):
    scene = next(scenes(folder))
    (scene.config / "config.toml").write_text(SETTINGS)
    return scene


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_ends_with_the_heal(tmp_path, forks, fault):
    count(FAULTS)
    scene, server = _scene(tmp_path), ModelServer([PASSING[fault]], forever=EDITS)
    with server, watched(scene, server, allowed=[scene.config]) as oracle:
        ran, _ = forks.run(scene, *heal(server.base_url, *LOCAL))
    assert ran.exit_code == 0, ran.says
    assert len(server.requests) >= 2
    assert scene.git("diff", "--name-only", "main", ran.result["commit"]).split() == [
        "a.txt", "d/old.txt", "n/new.txt",
    ]  # fmt: skip
    assert oracle.broken(ran) == []


@pytest.mark.parametrize("fault", FOR_GOOD)
def test_a_fault_that_stays_ends_with_5_and_the_session_is_kept(tmp_path, forks, fault):
    count(FAULTS)
    scene, played = _scene(tmp_path), FOR_GOOD[fault]
    server = ModelServer([], forever=server_error() if callable(played) else played)
    before = scene.manifest()
    with server, watched(scene, server, allowed=[scene.config]) as oracle:
        url = played() if callable(played) else server.base_url
        ran, _ = forks.run(scene, *heal(url, *LOCAL))
        assert ran.exit_code == 5, ran.says
        assert scene.manifest() == before
        assert oracle.broken(ran) == []
    with ModelServer([], forever=EDITS) as server:
        line = heal(server.base_url, *LOCAL, "--resume", ran.result["session"])
        again, _ = forks.run(scene, *line[:-1])
    assert again.exit_code == 0, again.says


def test_a_connection_that_is_reset_is_tried_again(tmp_path, forks):
    scene, resets = _scene(tmp_path), []

    def reset(listening):
        for _ in range(3):
            connection, _ = listening.accept()
            connection.recv(10)
            # What was not read makes it a reset.
            connection.close()
            resets.append(1)
        listening.close()

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        threading.Thread(target=reset, args=(listening,), daemon=True).start()
        ran, _ = forks.run(scene, *heal(url, *LOCAL))
    assert (ran.exit_code, len(resets)) == (5, 3), ran.says


def test_a_conversation_larger_than_the_context_is_shortened_and_goes_on(tmp_path, forks):
    scene = _scene(tmp_path)
    long = [call("bash", command=f"seq {n} {n + 3000}") for n in range(4)]
    with ModelServer([*long, context_overflow()], forever=EDITS) as server:
        ran, _ = forks.run(scene, *heal(server.base_url, *LOCAL))
    assert ran.exit_code == 0, ran.says
    assert "older turns shortened" in ran.says


def test_where_one_model_stays_away_its_fallback_heals(tmp_path, forks):
    scene = _scene(tmp_path)
    with (scene.config / "config.toml").open("a") as settings:
        settings.write('fallbacks = ["openai/other"]\n')

    def by_name(body):
        return EDITS if body["model"] == "other" else server_error()

    with ModelServer([], forever=by_name) as server:
        ran, _ = forks.run(scene, *heal(server.base_url, *LOCAL))
    assert ran.exit_code == 0, ran.says
    assert "asking openai/other" in ran.says
