"""A project's dependencies come in through its own files, once; the second run is offline."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from tests.support.headless import Workplace
from tests.support.model_server import ModelServer, call, calls, submit

pytestmark = [pytest.mark.engine, pytest.mark.registry]

FILES = {
    "requirements.txt": "six==1.16.0\n",
    "pyproject.toml": '[project]\nname = "greet"\nversion = "1.0"\n\n'
    '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n\n'
    '[tool.setuptools]\npy-modules = ["greet"]\n',
    "greet.py": "import six\n\n\ndef greet(name):\n    return six.ensure_text(name)\n",
    "test_greet.py": "from importlib.metadata import version\n\nfrom greet import greet\n\n\n"
    "def test_greet():\n    assert greet(b'Ada') == 'Hello Ada'\n\n\n"
    "def test_six_is_there():\n    assert version('six') == '1.16.0'\n",
}


def script():
    edit = call("edit_file", path="greet.py", old="six.ensure_text(name)",
                new="'Hello ' + six.ensure_text(name)")  # fmt: skip
    return [calls(edit, submit("Greets now.", "Say hello"))]


@pytest.fixture(autouse=True)
def _engine_with_a_base(engine, base_image, monkeypatch):
    monkeypatch.setenv("SELFHEAL_BASE_IMAGE", base_image)


def heal(place, *arguments):
    with ModelServer(script()) as server:
        return place.heal(
            server.base_url, "--check", "python -m pytest -q", "--no-plan", "--no-review",
            "--output-dir", str(place.folder / "out"), *arguments,
        )  # fmt: skip


def test_dependencies_are_installed_once_and_the_second_run_is_offline(tmp_path, engine):
    # No earlier run of this test can have left a layer for these bytes.
    files = FILES | {"requirements.txt": f"six==1.16.0  # {uuid4()}\n"}
    place = Workplace(tmp_path, files)
    ended = heal(place)
    assert ended.exit_code == 0, ended.err
    events = events_of(place)
    (asked,) = (e for e in events if e["event"] == "ApprovalAsked" and e["kind"] == "setup")
    assert "requirements.txt" in json.loads(asked["request"])["files"]
    assert ended.result["failing_before"] == ["test_greet.py::test_greet"]

    again = heal(place, "--network", "off", "--branch", "again")
    assert again.exit_code == 0, again.err
    assert [e["kind"] for e in events_of(place) if e["event"] == "ApprovalAsked"] == ["commit"]
    assert again.result["failing_before"] == ["test_greet.py::test_greet"]
    assert again.result["image"] == ended.result["image"]
    engine.images.remove(ended.result["image"])


def test_nobody_to_approve_the_set_up_is_exit_3(tmp_path):
    files = FILES | {"requirements.txt": "six==1.15.0\n"}
    place = Workplace(tmp_path, files)
    with ModelServer([]) as server:
        ended = place.run(
            "--headless", "--output", "json", "--model", "openai/x", "--api-base", server.base_url,
            "--check", "python -m pytest -q", "x",
        )  # fmt: skip
    assert ended.exit_code == 3
    assert "set-up command was not approved" in ended.result["text"]


def test_a_set_up_that_fails_says_how_it_ended(tmp_path):
    files = FILES | {"requirements.txt": "six==0.0.0.invalid\n"}
    ended = heal(Workplace(tmp_path, files))
    assert ended.exit_code == 4
    assert "six==0.0.0.invalid" in ended.result["text"]


def events_of(place):
    text = (place.folder / "out" / "events.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]
