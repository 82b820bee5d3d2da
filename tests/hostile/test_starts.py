"""The start itself: what a folder holds that a careless program would import, read or run."""

from __future__ import annotations

import pytest

from tests.hostile.oracle import Oracle
from tests.hostile.repositories import programs_on_path
from tests.hostile.scene import ROOT, Scene, marks
from tests.hostile.starts import (
    SETTINGS_FILES,
    console_script,
    ended,
    inside_the_tree,
    preloaded,
    settings_files,
    shadows,
)
from tests.support.model_server import ModelServer, call, calls, submit

FILES = {"check.sh": "grep -qx b a.txt || { echo FAIL: no b; exit 1; }\n", "a.txt": "a\n"}
OPTIONS = ("--check", "sh check.sh", "--no-plan", "--no-review")
COMMANDS = (["--version"], ["--help"], ["sessions"], ["config"], ["doctor"], ["clean", "--help"])


def script():
    return [calls(call("write_file", path="a.txt", content="b\n"), submit("Done.", "Mend it"))]


@pytest.mark.parametrize(
    "python_path", [f"{ROOT}:", f"{ROOT}:.", f"{ROOT}:{{tree}}", f"{ROOT}:sub/..", f"{ROOT}::"]
)
def test_no_module_of_the_tree_is_imported_by_any_command(tmp_path, python_path):
    scene = Scene(tmp_path / "scene", FILES)
    (scene.repository / "sub").mkdir()
    shadows(scene, preloaded())
    programs = programs_on_path(scene)["PATH"]
    command = console_script(scene)
    path = python_path.replace("{tree}", str(scene.repository))
    for arguments in COMMANDS:
        done = ended([*command, *arguments], scene, PYTHONPATH=path, PATH=programs)
        assert "Traceback" not in done.stderr, done.stderr
        assert marks(scene.ran) == [], arguments


def test_started_as_a_module_it_imports_nothing_of_the_tree_either(tmp_path):
    scene = Scene(tmp_path / "scene", FILES)
    shadows(scene, preloaded("-m"))
    for arguments in COMMANDS:
        done = ended([*scene._command(arguments)], scene)
        assert "Traceback" not in done.stderr, done.stderr
        assert marks(scene.ran) == [], arguments


def test_the_modules_are_armed(tmp_path):
    scene = Scene(tmp_path / "scene", FILES)
    shadows(scene, preloaded())
    ended([*console_script(scene)[:1], "-c", "import rich, docker, argparse"], scene)
    assert marks(scene.ran) == ["module-argparse", "module-docker", "module-rich"]


@pytest.mark.engine
@pytest.mark.parametrize("inside", [False, True], ids=["installed outside", "installed inside"])
def test_a_whole_session_believes_no_file_of_the_tree(
    tmp_path, engine, base_image, monkeypatch, inside
):
    monkeypatch.setenv("SELFHEAL_BASE_IMAGE", base_image)
    scene = Scene(tmp_path / "scene", FILES)
    attacker = ModelServer([], forever=submit("Nothing."))
    server = ModelServer(script())
    settings_files(scene, attacker.base_url)
    environment = dict(programs_on_path(scene)) | {"PYTHONPATH": f"{ROOT}:"}
    if inside:
        scene.command = inside_the_tree(scene)
        environment["PYTHONPATH"] = ""
    else:
        shadows(scene, preloaded())
        scene.command = console_script(scene)
    oracle = Oracle(scene, server=server)
    with attacker, server, oracle:
        ran = scene.heal(server.base_url, *OPTIONS, "--push", "origin/healed", **environment)
    assert oracle.broken(ran) == []
    assert ran.exit_code == 0, ran.says
    assert attacker.requests == []
    warned = " ".join(ran.result["warnings"])
    assert [name for name in SETTINGS_FILES if name not in warned] == []
