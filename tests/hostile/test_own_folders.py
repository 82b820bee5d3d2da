"""Where selfheal keeps its own files, as somebody may have arranged it: in the repository, behind a
link, open to everybody. Records and settings are nobody else's."""

from __future__ import annotations

import stat

import pytest

from selfheal_tui.headless import OUTPUT_FILES
from tests.hostile.faulted import FILES, LOCAL, mending
from tests.hostile.forking import heal
from tests.hostile.oracle import Oracle
from tests.hostile.scene import Scene

INSIDE = {
    "the state folder, by its whole path": {"SELFHEAL_STATE_DIR": "{repository}/.selfheal/state"},
    "the state folder, in .git": {"SELFHEAL_STATE_DIR": "{repository}/.git/selfheal"},
    "the state folder, relative": {"SELFHEAL_STATE_DIR": "state"},
    "the state folder, through a link above it": {"SELFHEAL_STATE_DIR": "{folder}/link/state"},
    "the settings": {"SELFHEAL_CONFIG_DIR": "{repository}/settings"},
    "everything, as HOME is the repository": {
        "HOME": "{repository}",
        "SELFHEAL_STATE_DIR": "",
        "SELFHEAL_CONFIG_DIR": "",
    },
}


@pytest.mark.parametrize("where", INSIDE)
def test_in_the_repository_is_no_place_for_what_is_selfheals_own(tmp_path, forks, where):
    scene = Scene(tmp_path / "scene", FILES)
    (scene.folder / "link").symlink_to(scene.repository)
    names = {"repository": scene.repository, "folder": scene.folder}
    environment = {name: value.format(**names) for name, value in INSIDE[where].items()}
    with mending() as server:
        ran, _ = forks.run(scene, *heal(server.base_url, *LOCAL), **environment)
        assert server.requests == []
    assert ran.exit_code == 2, ran.says
    assert "lies in the repository" in ran.says
    assert scene.git("log", "--all", "--format=%s") == "Start"


def test_a_relative_state_folder_is_the_one_beside_where_it_was_started(tmp_path, forks):
    scene = Scene(tmp_path / "scene", FILES)
    server = mending()
    with server, Oracle(scene, server=server, engine=False) as oracle:
        state = {"SELFHEAL_STATE_DIR": "../state"}
        ran, _ = forks.run(scene, *heal(server.base_url, *LOCAL), **state)
    assert ran.exit_code == 0, ran.says
    assert oracle.broken(ran) == []
    assert (scene.state / "sessions.db").exists()


def test_a_state_folder_that_is_a_link_or_open_to_all_is_refused_or_closed(tmp_path, forks):
    scene = Scene(tmp_path / "scene", FILES)
    elsewhere = scene.folder / "elsewhere"
    elsewhere.mkdir()
    (scene.folder / "link").symlink_to(elsewhere)
    scene.state.mkdir(exist_ok=True)
    scene.state.chmod(0o777)
    with mending() as server:
        link = {"SELFHEAL_STATE_DIR": str(scene.folder / "link")}
        refused, _ = forks.run(scene, *heal(server.base_url, *LOCAL), **link)
        ran, _ = forks.run(scene, *heal(server.base_url, *LOCAL))
    assert (refused.exit_code, ran.exit_code) == (70, 0), refused.says + ran.says
    assert list(elsewhere.iterdir()) == []
    modes = {stat.S_IMODE(path.stat().st_mode) for path in scene.state.iterdir()}
    assert stat.S_IMODE(scene.state.stat().st_mode) == 0o700
    assert all(mode & 0o077 == 0 for mode in modes), modes


@pytest.mark.parametrize("is_there", [True, False], ids=["a file that is there", "a new file"])
def test_a_link_that_the_repository_has_where_the_result_goes_is_not_followed(
    tmp_path, forks, is_there
):
    scene = Scene(tmp_path / "scene", FILES)
    target = scene.home / ".bashrc"
    if is_there:
        target.write_text("alias ll='ls -l'\n")
    before = target.read_text() if is_there else None
    scene.write("out/result.json", '{"failing_before": []}\n')
    for name in ("events.jsonl", "patch.diff"):
        (scene.repository / "out" / name).symlink_to(target)
    with mending() as server:
        ran, _ = forks.run(scene, *heal(server.base_url, *LOCAL, "--output-dir", "out"))
    assert ran.exit_code == 0, ran.says
    assert (target.read_text() if target.exists() else None) == before
    assert not any((scene.repository / "out" / name).is_symlink() for name in OUTPUT_FILES)
