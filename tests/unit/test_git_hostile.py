"""A repository that names programs in every way there is: nothing of it ever runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.adapters.git.repository import open_repository
from selfheal_tui.core.tree import REGULAR, TreeChange, TreeFile
from selfheal_tui.errors import RepositoryRefused
from tests.support.repos import (
    Repo,
    change_of,
    commit_change,
    granted,
    make_remote,
    make_repo,
    manifest,
    plant_everything,
    poisoned,
    write_script,
)

START = {"a.txt": b"1\n", "b.txt": b"2\n", "x.id": b"$Id$\n", "d/c.txt": b"3\n"}


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "marker"


@pytest.fixture
def planted(tmp_path: Path, marker: Path) -> Repo:
    repo = make_repo(tmp_path, START | {".gitattributes": b"*.txt diff=planted merge=planted\n"})
    make_remote(repo)
    plant_everything(repo, marker)
    repo.write("a.txt", b"1 by hand\n")
    repo.write("x.dat", b"untracked, with a filter\n")
    return repo


def ran(marker: Path) -> str:
    """What ran, empty for nothing."""
    return marker.read_text() if marker.exists() else ""


def test_the_traps_do_work(planted: Repo, marker: Path) -> None:
    """Otherwise the tests below would prove nothing."""
    planted.git("status", check=False)
    planted.git("diff", check=False)
    planted.git("add", "-A", check=False)
    planted.git("commit", "-q", "--no-gpg-sign", "-m", "x", check=False)
    assert len(marker.read_text().splitlines()) >= 5


@pytest.mark.parametrize("branch", [None, "selfheal/fix"])
async def test_nothing_runs_from_the_snapshot_to_the_push_and_the_undo(
    planted: Repo, tmp_path: Path, marker: Path, branch: str | None
) -> None:
    evil = write_script(tmp_path / "evil", marker)
    elsewhere = make_repo(tmp_path, {"other": b"1\n"}, name="elsewhere")
    untouched = manifest(elsewhere.path)
    environment = poisoned(planted.environment, evil, elsewhere.path / ".git")
    git = await open_repository(planted.path / "d", tmp_path / "state", environment=environment)
    snapshot = await git.snapshot()
    planted_tree = await git.shadow.apply(
        snapshot.tree, change_of({".gitattributes": b"* diff=planted filter=planted\n"})
    )
    assert "a.txt" in await git.shadow.patch(snapshot.head_tree, planted_tree)
    await git.shadow.change(snapshot.head_tree, planted_tree)
    await git.shadow.ignored(planted_tree, ("y.txt",))
    change = TreeChange((TreeFile("b.txt", REGULAR, b"fixed\n"),), ("d/c.txt",))
    commit = await commit_change(git, change, branch=branch, snapshot=snapshot)
    request = await git.push_request(commit, "origin", "pushed")
    assert await git.stale(request, snapshot) == ""
    await git.push(granted(request))
    back = await git.undo_request(
        commit, f"refs/heads/{branch or 'main'}", update_worktree=branch is None
    )
    assert (await git.undo(granted(back))).kept == ()
    assert not ran(marker)
    remote = Repo(tmp_path / "remote.git", planted.environment)
    assert remote.git("rev-parse", "pushed") == commit
    assert manifest(elsewhere.path) == untouched
    assert "Ada Test" in planted.git("cat-file", "commit", commit)
    assert planted.read("a.txt") == b"1 by hand\n"


async def test_a_changed_file_with_a_planted_filter_is_refused_and_the_filter_not_run(
    planted: Repo, tmp_path: Path, marker: Path
) -> None:
    git = await planted.open(tmp_path / "state")
    with pytest.raises(RepositoryRefused, match="filter=planted"):
        await commit_change(git, change_of({"new.dat": b"x\n"}))
    assert not ran(marker)


async def test_a_git_in_the_worktree_is_not_the_git_that_runs(
    planted: Repo, tmp_path: Path, marker: Path
) -> None:
    write_script(planted.path / "bin" / "git", marker)
    path = f"{planted.path}/bin:bin:.:{planted.environment['PATH']}"
    git = await open_repository(
        planted.path / "d", tmp_path / "state", environment=planted.environment | {"PATH": path}
    )
    await commit_change(git, change_of({"b.txt": b"fixed\n"}))
    assert not ran(marker)


async def test_a_remote_that_is_a_program_is_refused(
    planted: Repo, tmp_path: Path, marker: Path
) -> None:
    planted.git("remote", "add", "evil", f"ext::{tmp_path}/evil")
    git = await planted.open(tmp_path / "state")
    commit = await commit_change(git, change_of({"b.txt": b"fixed\n"}))
    with pytest.raises(RepositoryRefused, match="transport that is not allowed"):
        await git.push_request(commit, "evil", "x")
    assert not ran(marker)
