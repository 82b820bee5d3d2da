"""A request that is waited for is told to be stale as soon as what it stands on moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.adapters.git.repository import GitRepository
from selfheal_tui.adapters.git.runner import Runner
from selfheal_tui.agent.ports import Snapshot
from selfheal_tui.core.approval import (
    CommitRequest,
    PlanRequest,
    PushRequest,
    SetupRequest,
    UndoRequest,
    WorktreeRequest,
)
from tests.support.repos import (
    Repo,
    change_of,
    commit_change,
    make_remote,
    make_repo,
    plant_everything,
)

START = {"a.txt": b"1\n", "b.txt": b"2\n", "d/c.txt": b"3\n"}
CHANGE = change_of({"a.txt": b"fixed\n", "n/new": b"new\n"}, ("d/c.txt",))


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, dict(START))


@pytest.fixture
async def git(repo: Repo, tmp_path: Path) -> GitRepository:
    return await repo.open(tmp_path / "state")


async def a_commit(git: GitRepository, *, branch: str | None) -> tuple[CommitRequest, Snapshot]:
    snapshot = await git.snapshot()
    tree = await git.shadow.apply(snapshot.tree, CHANGE)
    commit_tree = await git.commit_tree_for(snapshot, tree)
    return await git.commit_request(snapshot, commit_tree, "m\n", branch=branch), snapshot


async def an_update(git: GitRepository) -> tuple[WorktreeRequest, Snapshot]:
    snapshot = await git.snapshot()
    tree = await git.shadow.apply(snapshot.tree, CHANGE)
    return await git.worktree_request(snapshot, tree), snapshot


def move_on(repo: Repo, ref: str = "HEAD") -> str:
    """Somebody commits the same tree on top of `ref`."""
    made = repo.git("commit-tree", "HEAD^{tree}", "-p", ref, "-m", "other")
    repo.git("update-ref", ref, made)
    return made[:12]


# --- a commit on a new branch


async def test_a_new_branch_is_stale_when_it_is_there(repo: Repo, git: GitRepository) -> None:
    request, snapshot = await a_commit(git, branch="selfheal/fix")
    move_on(repo)
    repo.write("a.txt", b"mine\n")
    assert await git.stale(request, snapshot) == ""
    repo.git("branch", "selfheal/fix/more")
    assert await git.stale(request, snapshot) == "the branch selfheal/fix/more exists now"


async def test_every_commit_is_stale_while_a_merge_is_in_progress(
    repo: Repo, git: GitRepository
) -> None:
    merge = repo.path / ".git" / "MERGE_HEAD"
    for branch in (None, "selfheal/fix"):
        merge.unlink(missing_ok=True)
        request, snapshot = await a_commit(git, branch=branch)
        merge.write_text(repo.git("rev-parse", "HEAD"))
        assert "a merge is in progress" in await git.stale(request, snapshot)


# --- a commit on the current branch


async def test_a_commit_here_holds_while_only_other_files_change(
    repo: Repo, git: GitRepository
) -> None:
    request, snapshot = await a_commit(git, branch=None)
    repo.write("b.txt", b"mine\n")
    repo.write("untracked", b"mine\n")
    repo.git("branch", "other")
    assert await git.stale(request, snapshot) == ""


async def test_a_commit_here_is_stale_when_the_branch_moved(repo: Repo, git: GitRepository) -> None:
    request, snapshot = await a_commit(git, branch=None)
    moved = move_on(repo)
    assert await git.stale(request, snapshot) == f"refs/heads/main moved to {moved}"


async def test_a_commit_here_is_stale_when_another_branch_is_checked_out(
    repo: Repo, git: GitRepository
) -> None:
    request, snapshot = await a_commit(git, branch=None)
    repo.git("switch", "-q", "-c", "other")
    said = await git.stale(request, snapshot)
    assert said == "refs/heads/other is checked out now, not refs/heads/main"
    repo.git("switch", "-q", "--detach")
    assert "HEAD is detached at" in await git.stale(request, snapshot)


async def test_a_commit_here_is_stale_when_one_of_its_files_changed(
    repo: Repo, git: GitRepository
) -> None:
    request, snapshot = await a_commit(git, branch=None)
    assert await git.stale(request, snapshot) == ""
    repo.write("a.txt", b"mine\n")
    (repo.path / "d" / "c.txt").unlink()
    repo.write("n/new", b"mine\n")
    said = await git.stale(request, snapshot)
    assert said == "a.txt, d/c.txt, n/new changed in the working tree"


async def test_the_first_commit_of_a_branch_is_watched_too(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    git = await repo.open(tmp_path / "state")
    snapshot = await git.snapshot()
    tree = await git.shadow.apply(snapshot.tree, change_of({"a": b"1\n"}))
    request = await git.commit_request(snapshot, tree, "m\n", branch=None)
    assert await git.stale(request, snapshot) == ""
    repo.write("b", b"2\n")
    repo.commit()
    assert "refs/heads/main moved to" in await git.stale(request, snapshot)


# --- files without a commit


async def test_an_update_holds_whatever_the_branches_do(repo: Repo, git: GitRepository) -> None:
    request, snapshot = await an_update(git)
    move_on(repo)
    repo.git("switch", "-q", "-c", "other")
    repo.write("b.txt", b"mine\n")
    assert await git.stale(request, snapshot) == ""


async def test_an_update_is_stale_when_a_file_has_another_kind(
    repo: Repo, git: GitRepository
) -> None:
    request, snapshot = await an_update(git)
    (repo.path / "a.txt").unlink()
    (repo.path / "a.txt").symlink_to("b.txt")
    (repo.path / "n" / "new").mkdir(parents=True)
    assert await git.stale(request, snapshot) == "a.txt, n/new changed in the working tree"


async def test_the_executable_bit_counts(repo: Repo, git: GitRepository) -> None:
    request, snapshot = await an_update(git)
    (repo.path / "a.txt").chmod(0o755)
    assert await git.stale(request, snapshot) == "a.txt changed in the working tree"


async def test_a_file_may_have_been_a_folder_all_along(repo: Repo, git: GitRepository) -> None:
    snapshot = await git.snapshot()
    tree = await git.shadow.apply(snapshot.tree, change_of({"d": b"file\n"}, ("d/c.txt",)))
    request = await git.worktree_request(snapshot, tree)
    assert await git.stale(request, snapshot) == ""


async def test_a_change_within_the_same_moment_is_seen(repo: Repo, git: GitRepository) -> None:
    request, snapshot = await an_update(git)
    for content in (b"2\n", b"1\n", b"3\n"):
        (repo.path / "a.txt").write_bytes(content)
        assert bool(await git.stale(request, snapshot)) == (content != START["a.txt"])


async def test_a_vanished_working_tree_is_a_sentence(repo: Repo, git: GitRepository) -> None:
    request, snapshot = await an_update(git)
    repo.path.rename(repo.path.parent / "elsewhere")
    assert "the working tree cannot be read" in await git.stale(request, snapshot)


# --- a push, an undo, and what nothing moves under


async def test_a_push_is_stale_when_the_remote_has_another_url(
    repo: Repo, git: GitRepository, tmp_path: Path
) -> None:
    remote = make_remote(repo)
    commit = await commit_change(git, CHANGE)
    request = await git.push_request(commit, "origin", "fix")
    snapshot = await git.snapshot()
    assert request == PushRequest(commit, "origin", str(remote), "refs/heads/fix", "0" * 40)
    assert await git.stale(request, snapshot) == ""
    repo.git("remote", "set-url", "--push", "origin", str(tmp_path / "other.git"))
    said = await git.stale(request, snapshot)
    assert said == f"the URL of origin is {tmp_path / 'other.git'} now"
    repo.git("remote", "remove", "origin")
    assert "there is no remote 'origin'" in await git.stale(request, snapshot)


async def test_an_undo_is_stale_when_its_branch_moved_or_was_left(
    repo: Repo, git: GitRepository
) -> None:
    commit = await commit_change(git, CHANGE, branch=None)
    request = await git.undo_request(commit, "refs/heads/main", update_worktree=True)
    snapshot = await git.snapshot()
    assert await git.stale(request, snapshot) == ""
    repo.git("switch", "-q", "-c", "other")
    said = await git.stale(request, snapshot)
    assert said == "refs/heads/main is not the branch checked out now"
    moved = move_on(repo, "refs/heads/main")
    assert await git.stale(request, snapshot) == f"refs/heads/main moved to {moved}"
    repo.git("branch", "-D", "main")
    assert await git.stale(request, snapshot) == "refs/heads/main is not there any more"


async def test_a_plan_and_a_set_up_command_stand_on_nothing_of_the_repository(
    repo: Repo, git: GitRepository
) -> None:
    snapshot = await git.snapshot()
    move_on(repo)
    assert await git.stale(PlanRequest(("one",)), snapshot) == ""
    assert await git.stale(SetupRequest("pip install x", "", "image"), snapshot) == ""


async def test_a_look_starts_one_git_at_most_and_nothing_planted(
    repo: Repo, git: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "marker"
    make_remote(repo)
    commit = await commit_change(git, CHANGE, branch="done")
    plant_everything(repo, marker)
    snapshot = await git.snapshot()
    requests = [
        (await a_commit(git, branch=None))[0],
        (await a_commit(git, branch="new"))[0],
        (await an_update(git))[0],
        PushRequest(commit, "origin", str(tmp_path / "remote.git"), "refs/heads/x", "0" * 40),
        UndoRequest(commit, "refs/heads/done", repo.git("rev-parse", "main"), False),
    ]
    for request in requests:
        assert await git.stale(request, snapshot) == ""
    started: list[str] = []
    start = Runner._start

    def counted(self: Runner, arguments: tuple[str, ...], **keywords: object) -> object:
        started.append(arguments[0])
        return start(self, arguments, **keywords)  # type: ignore[arg-type]

    monkeypatch.setattr(Runner, "_start", counted)
    for request in requests:
        assert await git.stale(request, snapshot) == ""
    assert started == ["for-each-ref", "for-each-ref", "config", "for-each-ref"]
    assert not marker.exists()
