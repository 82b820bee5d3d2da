"""A baseline that cannot start heals its environment first, once; the next session is offline."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from tests.support.headless import Workplace
from tests.support.model_server import ModelServer, call, calls, submit

pytestmark = [pytest.mark.engine]

FILES = {
    "greet.py": "import yaml\n\n\ndef greet(text):\n    return yaml.safe_load(text)['name']\n",
    "test_greet.py": "from greet import greet\n\n\n"
    "def test_greet():\n    assert greet('name: Ada') == 'Hello Ada'\n",
    "docs/requirements-docs.txt": "PyYAML==6.0.2\n",
}
CHECK = "python -m pytest -q"


@pytest.fixture(autouse=True)
def _engine_with_a_base(engine, base_image, monkeypatch):
    monkeypatch.setenv("SELFHEAL_BASE_IMAGE", base_image)


@pytest.fixture
def place(tmp_path, engine):
    """Makes a repository; what its runs made of layers goes with it."""
    images = set(tagged(engine))
    yield lambda files: Workplace(tmp_path, files)
    for name in set(tagged(engine)) - images:
        engine.images.remove(name)


def tagged(engine):
    found = engine.images.list("selfheal/setup")
    return [tag for image in found for tag in image.tags]


def heal(place, script, *arguments, check=CHECK):
    with ModelServer(script) as server:
        ended = place.heal(
            server.base_url, "--check", check, "--no-plan", "--no-review",
            "--output-dir", str(place.folder / "out"), *arguments,
        )  # fmt: skip
    return ended, server.requests


def greets():
    edit = call("edit_file", path="greet.py", old="return yaml.safe_load(text)['name']",
                new="return 'Hello ' + yaml.safe_load(text)['name']")  # fmt: skip
    return [calls(edit, submit("Greets now.", "Say hello"))]


def events_of(place, *names):
    text = (place.folder / "out" / "events.jsonl").read_text()
    return [e for e in map(json.loads, text.splitlines()) if e["event"] in names]


def kept(place):
    return [file for file in (place.folder / "config").rglob("*.json") if file.is_file()]


@pytest.mark.registry
def test_a_missing_package_is_installed_and_the_next_session_is_offline(place):
    place = place(FILES | {"nothing.txt": str(uuid4())})
    ended, _ = heal(place, greets())
    assert ended.exit_code == 0, ended.err
    (asked,) = (e for e in events_of(place, "ApprovalAsked") if e["kind"] == "setup")
    assert json.loads(asked["request"])["command"] == "pip install PyYAML==6.0.2"
    (healed,) = events_of(place, "EnvironmentHealed")
    assert healed["image"] == ended.result["image"]
    assert ended.result["failing_before"] == ["test_greet.py::test_greet"]
    assert "the environment is healed and kept: pip install PyYAML==6.0.2" in ended.err
    assert place.git("status", "--porcelain") == ""

    again, _ = heal(place, greets(), "--network", "off", "--branch", "again")
    assert again.exit_code == 0, again.err
    assert [e["kind"] for e in events_of(place, "ApprovalAsked")] == ["commit"]
    assert next(e["purpose"] for e in events_of(place, "CheckEnded")) == "baseline"
    assert again.result["failing_before"] == ["test_greet.py::test_greet"]
    assert again.result["image"] == ended.result["image"]
