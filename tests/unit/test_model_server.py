"""The scripted server that the end-to-end tests stand on."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.support.model_server import (
    Answer,
    Call,
    ModelServer,
    call,
    calls,
    rate_limited,
    refuse,
    say,
    script_from_json,
    submit_plan,
    think,
)


def post(base, *tools, stream=False, text="hello"):
    offered = [{"type": "function", "function": {"name": name}} for name in tools]
    body = {"stream": stream, "messages": [{"role": "user", "content": text}], "tools": offered}
    request = urllib.request.Request(f"{base}/chat/completions", json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=5) as response:
        return response.read().decode()


def answered(base, *tools):
    return json.loads(post(base, *tools))["choices"][0]["message"]["content"]


def test_turns_are_played_in_order_and_requests_recorded():
    with ModelServer([say("one"), lambda body: say(body["messages"][0]["content"])]) as server:
        assert [answered(server.base_url) for _ in range(2)] == ["one", "hello"]
        assert server.remaining == 0
    first = server.requests[0]
    assert (first.method, first.path, first.text) == ("POST", "/v1/chat/completions", "hello")


def test_roles_have_scripts_of_their_own():
    script = {"planner": [say("p")], "coder": [say("c")], "reviewer": [say("r")]}
    with ModelServer(script) as server:
        roles = (("submit_review",), ("bash", "submit"), ("submit_plan",))
        assert [answered(server.base_url, *tools) for tools in roles] == ["r", "c", "p"]
        assert server.requests[1].tools == ["bash", "submit"]


def test_a_script_that_is_used_up_is_refused_or_goes_on_forever():
    with ModelServer([], forever=say("again")) as server:
        assert [answered(server.base_url) for _ in range(2)] == ["again", "again"]
    with ModelServer([]) as server, pytest.raises(urllib.error.HTTPError) as caught:
        post(server.base_url)
    with caught.value as error:
        assert (error.code, b"used up after 0 turns" in error.read()) == (400, True)


def test_a_stream_has_the_protocols_form():
    with ModelServer([think("hm", call("bash", command="ls"))]) as server:
        lines = [line for line in post(server.base_url, stream=True).splitlines() if line]
    assert lines[-1] == "data: [DONE]"
    deltas = [json.loads(line[6:])["choices"][0] for line in lines[:-1]]
    assert [choice["delta"] for choice in deltas] == [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "hm"},
        {
            "tool_calls": [
                {
                    "index": 0,
                    "id": "call_0_bash",
                    "type": "function",
                    "function": {"name": "bash", "arguments": ""},
                }
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"command": "ls"}'}}]},
        {},
    ]
    assert deltas[-1]["finish_reason"] == "tool_calls"


def test_calls_can_be_joined_in_one_answer():
    joined = calls(say("so"), call("a"), submit_plan("x", files=["y"]))
    plan = Call("submit_plan", '{"steps": ["x"], "files": ["y"]}')
    assert joined == Answer(text="so", calls=(Call("a", "{}"), plan))


def test_a_script_can_be_json():
    text = json.dumps(
        {
            "coder": [
                {"text": "a", "calls": [{"name": "bash", "arguments": {"command": "ls"}}]},
                {"calls": [{"name": "bash", "arguments": "{broken"}], "ending": "cut"},
                {"status": 429, "message": "Rate limit reached"},
            ]
        }
    )
    assert script_from_json(text) == {
        "coder": [
            Answer(text="a", calls=(Call("bash", '{"command": "ls"}'),)),
            Answer(calls=(Call("bash", "{broken"),), ending="cut"),
            refuse(429, "Rate limit reached"),
        ]
    }
    assert rate_limited("3").headers["Retry-After"] == "3"


def test_it_is_a_program_too(tmp_path):
    script = tmp_path / "script.json"
    script.write_text('[{"text": "from a file"}]')
    command = [sys.executable, "-m", "tests.support.model_server", str(script)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base = process.stdout.readline().strip()
        try:
            assert answered(base) == "from a file"
        finally:
            process.terminate()
