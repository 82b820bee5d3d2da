"""Files of the working tree are written without a commit: all of them or none, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from selfheal_tui.adapters.git.repository import GitRepository
from selfheal_tui.agent.ports import Snapshot
from selfheal_tui.core.approval import WorktreeRequest
from selfheal_tui.core.tree import EXECUTABLE, LINK, REGULAR, TreeChange, TreeFile
from selfheal_tui.errors import RepositoryRefused
from tests.support.repos import FakeTime, Repo, change_of, granted, make_repo, plant_everything

START = {"a.txt": b"1\n2\n3\n", "b.txt": b"b\n", "d/c.txt": b"c\n", "d/e/f.txt": b"f\n"}
CHANGE = change_of({"a.txt": b"fixed\n", "n/new": b"new\n"}, ("d/c.txt",))


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, dict(START))


@pytest.fixture
async def git(repo: Repo, tmp_path: Path) -> GitRepository:
    return await repo.open(tmp_path / "state")


async def asked(git: GitRepository, change: TreeChange) -> tuple[WorktreeRequest, Snapshot]:
    snapshot = await git.snapshot()
    tree = await git.shadow.apply(snapshot.tree, change)
    return await git.worktree_request(snapshot, tree), snapshot


async def update(git: GitRepository, change: TreeChange) -> WorktreeRequest:
    request, snapshot = await asked(git, change)
    await git.update_worktree(granted(request), snapshot)
    return request


async def test_only_files_are_written(repo: Repo, git: GitRepository) -> None:
    repo.write("b.txt", b"mine\n")
    repo.git("add", "b.txt")
    repo.write("untracked", b"mine\n")
    change = TreeChange(
        (
            TreeFile("a.txt", EXECUTABLE, b"fixed\n"),
            TreeFile("d/link", LINK, b"../a.txt"),
            TreeFile("n/new", REGULAR, b"new\n"),
        ),
        ("d/c.txt", "d/e/f.txt"),
    )
    before = repo.settled()
    request = await update(git, change)
    snapshot = await git.snapshot()
    assert repo.settled() == before
    assert request == WorktreeRequest(
        request.base, snapshot.tree, ("a.txt", "d/c.txt", "d/e/f.txt", "d/link", "n/new")
    )
    assert repo.read("a.txt") == b"fixed\n"
    assert os.access(repo.path / "a.txt", os.X_OK)
    assert (repo.path / "d" / "link").readlink() == Path("../a.txt")
    assert sorted(repo.manifest()) == ["a.txt", "b.txt", "d", "d/link", "n", "n/new", "untracked"]
    assert repo.git("log", "--format=%s") == "first"


async def test_it_comes_on_top_of_the_users_own_edits(repo: Repo, git: GitRepository) -> None:
    repo.write("a.txt", b"mine\n2\n3\n")
    await update(git, change_of({"a.txt": b"mine\n2\nfixed\n"}))
    assert repo.read("a.txt") == b"mine\n2\nfixed\n"


async def test_it_needs_no_branch_and_no_identity(repo: Repo, git: GitRepository) -> None:
    repo.git("checkout", "-q", "--detach")
    repo.git("config", "user.name", "")
    await update(git, change_of({"a.txt": b"fixed\n"}))
    assert repo.read("a.txt") == b"fixed\n"


async def test_line_ends_stay_as_they_are_on_disk(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a": b"1\r\n2\r\n"})
    git = await repo.open(tmp_path / "state")
    await update(git, change_of({"a": b"1\r\nfixed\n"}))
    assert repo.read("a") == b"1\r\nfixed\r\n"


# --- refused, and nothing written


async def refused(
    repo: Repo, git: GitRepository, spoil: Callable[[], object], change: TreeChange = CHANGE
) -> str:
    """Approve, then `spoil`, then write: the sentence. Everything must be as after `spoil`."""
    request, snapshot = await asked(git, change)
    spoil()
    before = repo.settled(), repo.manifest()
    with pytest.raises(RepositoryRefused) as caught:
        await git.update_worktree(granted(request), snapshot)
    assert (repo.settled(), repo.manifest()) == before
    return str(caught.value)


async def test_a_file_edited_meanwhile_stays(repo: Repo, git: GitRepository) -> None:
    said = await refused(repo, git, lambda: repo.write("a.txt", b"edited meanwhile\n"))
    assert "in a.txt: nothing was written" in said


async def test_a_file_that_appeared_stays(repo: Repo, git: GitRepository) -> None:
    assert "in n/new:" in await refused(repo, git, lambda: repo.write("n/new", b"mine\n"))


async def test_nothing_is_written_through_a_link(
    repo: Repo, git: GitRepository, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    said = await refused(repo, git, lambda: (repo.path / "n").symlink_to(outside))
    assert "in n/new:" in said
    assert list(outside.iterdir()) == []


async def test_a_merge_that_began_meanwhile_forbids_it(repo: Repo, git: GitRepository) -> None:
    head = repo.git("rev-parse", "HEAD")
    merge = repo.path / ".git" / "MERGE_HEAD"
    assert "a merge is in progress" in await refused(repo, git, lambda: merge.write_text(head))


async def test_a_git_that_writes_right_now_is_waited_for(repo: Repo, tmp_path: Path) -> None:
    lock = repo.path / ".git" / "index.lock"
    time = FakeTime()
    git = await repo.open(tmp_path / "state", patience=time.patience())
    assert "another git process holds" in await refused(repo, git, lambda: lock.write_text(""))
    time.then.append(lock.unlink)
    await update(git, CHANGE)
    assert repo.read("a.txt") == b"fixed\n"


async def test_another_tree_than_the_approved_one_is_not_written(
    repo: Repo, git: GitRepository
) -> None:
    request, _ = await asked(git, CHANGE)
    repo.write("b.txt", b"mine\n")
    later = await git.snapshot()
    with pytest.raises(RepositoryRefused, match="not what was approved"):
        await git.update_worktree(granted(request), later)


async def test_files_with_a_filter_are_refused_when_it_is_asked(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {".gitattributes": b"*.bin filter=lfs\n", "a.bin": b"1\n"})
    git = await repo.open(tmp_path / "state")
    with pytest.raises(RepositoryRefused, match=r"cannot be written.*'a\.bin' \(filter=lfs\)"):
        await asked(git, change_of({"a.bin": b"2\n"}))


async def test_nothing_to_write_is_said(git: GitRepository) -> None:
    with pytest.raises(RepositoryRefused, match="there is nothing to write"):
        await asked(git, TreeChange())


async def test_a_change_that_no_longer_fits_cannot_be_asked_for(
    repo: Repo, git: GitRepository
) -> None:
    snapshot = await git.snapshot()
    tree = await git.shadow.apply(snapshot.tree, CHANGE)
    repo.write("a.txt", b"edited meanwhile\n")
    with pytest.raises(RepositoryRefused, match=r"in a\.txt: nothing was written"):
        await git.worktree_request(snapshot, tree)


async def test_nothing_that_the_repository_names_runs(repo: Repo, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    plant_everything(repo, marker)
    git = await repo.open(tmp_path / "state")
    request, snapshot = await asked(git, CHANGE)
    assert await git.stale(request, snapshot) == ""
    await git.update_worktree(granted(request), snapshot)
    assert not marker.exists()
