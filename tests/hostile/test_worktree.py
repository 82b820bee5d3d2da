"""The working tree as somebody arranges it between the look and the write: folders become links,
files have a second name elsewhere, pipes stand where files stood. What is outside stays."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfheal_tui.adapters.git import worktree
from selfheal_tui.adapters.git.beneath import Beneath
from selfheal_tui.adapters.git.repository import GitRepository
from selfheal_tui.errors import RepositoryRefused
from tests.support.repos import Repo, change_of, commit_change, granted, make_repo, manifest

START = {"a.txt": b"a\n", "d/b.txt": b"b\n", "d/e/c.txt": b"c\n"}
CHANGE = change_of({"a.txt": b"A\n", "d/b.txt": b"B\n", "d/e/new": b"new\n"}, ("d/e/c.txt",))


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, dict(START))


@pytest.fixture
async def git(repo: Repo, tmp_path: Path) -> GitRepository:
    return await repo.open(tmp_path / "state")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the repository with files of the same names."""
    folder = tmp_path / "outside"
    for name, content in {"b.txt": b"b\n", "e/c.txt": b"c\n"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def swapped(repo: Repo, folder: str, outside: Path) -> None:
    """The folder becomes a link to `outside`, where the same files are."""
    if not (repo.path / folder).is_symlink():
        (repo.path / folder).rename(repo.path.parent / "moved away")
        (repo.path / folder).symlink_to(outside)


@pytest.mark.parametrize("moment", ["_is_at", "_write", "_write_synced", "_delete"])
async def test_a_folder_that_becomes_a_link_in_between_is_not_gone_through(
    repo: Repo,
    git: GitRepository,
    outside: Path,
    moment: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = manifest(outside)
    owner = worktree.WorkingTree if moment == "_is_at" else worktree
    real = getattr(owner, moment)

    def after_a_swap(*arguments: object, **more: object) -> object:
        swapped(repo, "d", outside)
        return real(*arguments, **more)

    snapshot = await git.snapshot()
    tree = await git.shadow.apply(snapshot.tree, CHANGE)
    request = await git.worktree_request(snapshot, tree)
    monkeypatch.setattr(owner, moment, after_a_swap)
    with pytest.raises(RepositoryRefused):
        await git.update_worktree(granted(request), snapshot)
    assert manifest(outside) == before


async def test_a_second_name_of_a_file_keeps_the_old_bytes(
    repo: Repo, git: GitRepository, tmp_path: Path
) -> None:
    os.link(repo.path / "a.txt", tmp_path / "second name")
    os.link(repo.path / "d" / "e" / "c.txt", tmp_path / "of the deleted")
    await commit_change(git, CHANGE, branch=None)
    assert repo.read("a.txt") == b"A\n"
    assert (tmp_path / "second name").read_bytes() == b"a\n"
    assert (tmp_path / "of the deleted").read_bytes() == b"c\n"


async def test_a_reflog_with_a_second_name_is_not_written_to(
    repo: Repo, git: GitRepository, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "start file of a shell"
    os.link(repo.path / ".git" / "logs" / "refs" / "heads" / "main", elsewhere)
    before = elsewhere.read_bytes()
    with pytest.raises(RepositoryRefused, match="second name"):
        await commit_change(git, CHANGE, branch=None)
    assert elsewhere.read_bytes() == before


@pytest.mark.parametrize("path", ["a.txt", "d/b.txt"])
async def test_a_pipe_in_place_of_a_file_is_neither_read_nor_written(
    repo: Repo, git: GitRepository, path: str
) -> None:
    snapshot = await git.snapshot()
    tree = await git.shadow.apply(snapshot.tree, CHANGE)
    request = await git.worktree_request(snapshot, tree)
    (repo.path / path).unlink()
    os.mkfifo(repo.path / path)
    with pytest.raises(RepositoryRefused, match="working tree changed"):
        await git.update_worktree(granted(request), snapshot)
    assert (repo.path / path).is_fifo()
    assert f"{path}: not a regular file" in (await git.snapshot()).left_out


async def test_a_file_that_becomes_a_pipe_while_it_is_looked_at_is_left_out(
    repo: Repo, git: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Beneath.content

    def content(self: Beneath, path: str) -> bytes:
        if path == "a.txt" and not (repo.path / path).is_fifo():
            (repo.path / path).unlink()
            os.mkfifo(repo.path / path)
        return real(self, path)

    monkeypatch.setattr(Beneath, "content", content)
    snapshot = await git.snapshot()
    assert [left for left in snapshot.left_out if left.startswith("a.txt")] == [
        "a.txt: not a regular file"
    ]


def nest(repo: Repo) -> None:
    folder = os.open(repo.path, os.O_RDONLY)
    for _ in range(1_500):
        os.mkdir("d", dir_fd=folder) if not _has(folder, "d") else None
        below = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(os.open("deep", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
    os.close(folder)


@pytest.fixture
def deep(repo: Repo) -> Iterator[None]:
    """A file 1,500 folders down."""
    nest(repo)
    yield
    # Deeper than Python's own way of removing folders goes.
    subprocess.run(["rm", "-rf", repo.path / "d" / "d"], check=True)


@pytest.mark.usefixtures("deep")
async def test_folders_deeper_than_a_path_may_be_keep_nothing_else_out(git: GitRepository) -> None:
    snapshot = await git.snapshot()
    names = await git.shadow.files(snapshot.tree)
    assert {"a.txt", "d/b.txt"} <= {file.path for file in names}


def _has(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder)
    except FileNotFoundError:
        return False
    return True
