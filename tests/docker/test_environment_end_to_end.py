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


def heal(place, script, *arguments, check=CHECK, **environment):
    with ModelServer(script) as server:
        ended = place.heal(
            server.base_url, "--check", check, "--no-plan", "--no-review",
            "--output-dir", str(place.folder / "out"), *arguments, **environment,
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
    (made,) = events_of(place, "ProposalMade")
    assert "the sandbox also has `pip install PyYAML==6.0.2`" in made["proof"]

    again, _ = heal(place, greets(), "--network", "off", "--branch", "again")
    assert again.exit_code == 0, again.err
    assert [e["kind"] for e in events_of(place, "ApprovalAsked")] == ["commit"]
    assert next(e["purpose"] for e in events_of(place, "CheckEnded")) == "baseline"
    assert again.result["failing_before"] == ["test_greet.py::test_greet"]
    assert again.result["image"] == ended.result["image"]


@pytest.mark.registry
def test_a_failed_install_rolls_back_and_the_run_goes_on_red(place, engine):
    files = FILES | {"docs/requirements-docs.txt": "PyYAML==0.0.0.dev99\n"}
    place, before = place(files), tagged(engine)
    index = "https://ada:hunter22-secret@index.invalid/simple"
    ended, requests = heal(place, [submit("Nothing.", "x")] * 6, PIP_EXTRA_INDEX_URL=index)
    assert ended.exit_code == 1, ended.err
    (failed,) = events_of(place, "EnvironmentNotHealed")
    assert "PyYAML==0.0.0.dev99" in failed["reason"]
    assert (tagged(engine), kept(place)) == (before, [])
    asked = [e for e in events_of(place, "ApprovalAsked") if e["kind"] == "setup"]
    assert len(asked) == 1
    written = "".join(file.read_text() for file in (place.folder / "out").iterdir())
    said = "".join(e["text"] for e in events_of(place, "StepProgressed"))
    assert "PIP_EXTRA_INDEX_URL is not handed to the build: it carries credentials" in said
    assert "hunter22" not in written + ended.err + ended.out + str(requests)
    assert "environment seems to lack: the Python module yaml" in str(requests)


@pytest.mark.registry
def test_an_install_that_does_not_help_leaves_nothing(place, engine):
    files = {"test_a.py": "raise ModuleNotFoundError(\"No module named 'six'\")\n"}
    place, before = place(files), tagged(engine)
    ended, _ = heal(place, [submit("Nothing.", "x")] * 6)
    assert ended.exit_code == 1, ended.err
    (failed,) = events_of(place, "EnvironmentNotHealed")
    assert failed["reason"] == "it ran, but does not bring the Python module six: it is not kept"
    assert (tagged(engine), kept(place)) == (before, [])


@pytest.mark.registry
def test_a_program_that_is_not_there_is_installed(place):
    check = f"jq -e . data.json && {CHECK}"
    files = {"data.json": "{}\n", "a.py": "A = 1\n"}
    files["test_a.py"] = "from a import A\n\n\ndef test_a():\n    assert A == 2\n"
    place = place(files)
    script = [calls(call("edit_file", path="a.py", old="1", new="2"), submit("x", "Mend"))]
    ended, _ = heal(place, script, check=check)
    assert ended.exit_code == 0, ended.err
    (healed,) = events_of(place, "EnvironmentHealed")
    assert "install -y --no-install-recommends jq" in healed["command"]


@pytest.mark.registry
def test_an_attempt_that_adds_an_import_gets_its_package(place):
    files = {"greet.py": "def greet(text):\n    return 'Hello'\n"}
    place = place(files | {"test_greet.py": FILES["test_greet.py"]})
    new = "import yaml\n\n\ndef greet(text):\n    return 'Hello ' + yaml.safe_load(text)['name']\n"
    script = [calls(call("write_file", path="greet.py", content=new), submit("x", "Greet"))]
    ended, _ = heal(place, script)
    assert ended.exit_code == 0, ended.err
    assert [e["outcome"] for e in events_of(place, "AttemptEnded")] == ["green"]
    (healed,) = events_of(place, "EnvironmentHealed")
    assert healed["command"] == "pip install PyYAML"


@pytest.mark.registry
def test_the_model_asks_for_a_package_by_the_command_it_knows(place):
    new = "import six\n\n\ndef greet(text):\n    return 'Hello Ada' if six.PY3 else ''\n"
    place = place({"greet.py": "def greet(text):\n    pass\n",
                   "test_greet.py": FILES["test_greet.py"]})  # fmt: skip
    script = [
        calls(
            call("write_file", path="greet.py", content=new),
            call("bash", command="pip install six"),
        ),
        call("bash", command="python -c 'import greet; print(greet.greet(0))'"),
        submit("x", "Greet"),
    ]
    ended, requests = heal(place, script)
    assert ended.exit_code == 0, ended.err
    assert "installed by the set-up `pip install six`" in str(requests)
    printed = [e["text"] for e in events_of(place, "CommandPrinted")]
    assert "Hello Ada\n" in printed


@pytest.mark.registry
def test_what_a_package_json_names_deep_below_is_installed(place):
    wanted = {"dependencies": {"left-pad": "1.3.0"}}
    test = (
        "const test = require('node:test');\nconst pad = require('left-pad');\n"
        "test('pads', () => require('assert').equal(pad('a', require('./width')), '  a'));\n"
    )
    place = place({
        "apps/a/web/package.json": json.dumps(wanted),
        "apps/a/web/width.js": "module.exports = 2;\n",
        "apps/a/web/pad.test.js": test,
    })  # fmt: skip
    edit = call("edit_file", path="apps/a/web/width.js", old="2", new="3")
    script = [calls(edit, submit("x", "Pad"))]
    ended, _ = heal(place, script, check="cd apps/a/web && node --test")
    assert ended.exit_code == 0, ended.err
    (healed,) = events_of(place, "EnvironmentHealed")
    assert healed["command"] == "(cd apps/a/web && npm install --no-package-lock)"
    again, _ = heal(
        place, script, "--network", "off", "--branch", "b", check="cd apps/a/web && node --test"
    )
    assert again.exit_code == 0, again.err


def test_without_network_it_says_why_and_is_red(place):
    place = place(FILES)
    ended, _ = heal(place, [submit("Nothing.", "x")] * 6, "--network", "off")
    assert ended.exit_code == 1, ended.err
    (lacked,) = events_of(place, "EnvironmentLacked")
    assert lacked["missing"] == ["the Python module yaml"]
    assert "the network is off (--network off)" in lacked["reason"]
    assert "! the environment lacks the Python module yaml; not healed" in ended.err


def test_nobody_to_approve_it_is_exit_3(place):
    place = place(FILES)
    with ModelServer([]) as server:
        ended = place.run(
            "--headless", "--output", "json", "--model", "openai/x", "--api-base", server.base_url,
            "--check", CHECK, "x",
        )  # fmt: skip
    assert ended.exit_code == 3
    assert "set-up command was not approved" in ended.result["text"]
    assert kept(place) == []


def test_a_command_that_the_user_keeps_runs_first_and_its_layer_is_used_again(place):
    place = place({"test_a.py": "def test_a():\n    assert open('/opt/mark').read() == 'b\\n'\n"})
    place.run("config", "--add-setup", f"echo a >/opt/mark  # {uuid4()}")
    place.run("config", "--add-setup", "echo b >/opt/mark")
    ended, _ = heal(place, [])
    assert (ended.exit_code, ended.result["outcome"]) == (0, "already green"), ended.err
    (asked,) = events_of(place, "ApprovalAsked")
    request = json.loads(asked["request"])
    assert request["command"].endswith("&&\necho b >/opt/mark")
    assert request["reason"] == "it is kept for this repository (see `selfheal config`)"
    again, _ = heal(place, [], "--network", "off")
    assert again.exit_code == 0
    assert events_of(place, "ApprovalAsked") == []


def test_a_kept_command_that_fails_is_left_out_and_named(place):
    place = place({"test_a.py": "def test_a():\n    pass\n"})
    place.run("config", "--add-setup", "echo so-it-is; exit 3")
    ended, _ = heal(place, [])
    assert (ended.exit_code, ended.result["outcome"]) == (0, "already green"), ended.err
    assert "a kept set-up command failed and is left out" in ended.err
    assert "so-it-is" in ended.err


def test_the_dockerfile_builds_what_the_session_had(place, engine, base_image, tmp_path):
    place = place({"a.py": "A = 1\n"})
    place.run("config", "--add-setup", 'echo "it\'s $HOME" >/opt/mark')
    text = place.run("config", "--dockerfile").out
    (place.repository / "Dockerfile").write_text(text)
    image, _ = engine.images.build(
        path=str(place.repository), buildargs={"BASE_IMAGE": base_image}, rm=True
    )
    try:
        said = engine.containers.run(image.id, ["cat", "/opt/mark", "a.py"], remove=True)
        assert said == b"it's /root\nA = 1\n"
    finally:
        engine.images.remove(image.id, force=True)
