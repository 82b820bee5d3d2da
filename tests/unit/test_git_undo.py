"""A commit is taken back: its branch, and the files and index entries that are still its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from selfheal_tui.adapters.git.index import UserIndex, sweep
from selfheal_tui.adapters.git.patience import Patience
from selfheal_tui.adapters.git.repository import GitRepository
from selfheal_tui.core.approval import UndoRequest
from selfheal_tui.core.events import Undone
from selfheal_tui.core.tree import EXECUTABLE, LINK, REGULAR, TreeChange, TreeFile
from selfheal_tui.errors import RepositoryRefused
from tests.support.repos import (
    FakeTime,
    Repo,
    change_of,
    commit_change,
    granted,
    make_repo,
    no_reflog_of,
    plant_everything,
)

START = {"a.txt": b"1\n2\n3\n4\n5\n", "b.txt": b"b\n", "d/c.txt": b"c\n", "d/e/f.txt": b"f\n"}
MAIN = "refs/heads/main"
CHANGE = change_of({"a.txt": b"fixed\n", "n/new": b"new\n"}, ("d/c.txt",))
PATHS = ("a.txt", "d/c.txt", "n/new")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, dict(START))


@pytest.fixture
async def git(repo: Repo, tmp_path: Path) -> GitRepository:
    return await repo.open(tmp_path / "state")


async def undo(git: GitRepository, commit: str, ref: str = MAIN) -> Undone:
    """Ask for the undo of a commit that had updated the files when it is main's, and do it."""
    request = await git.undo_request(commit, ref, update_worktree=ref == MAIN)
    return await git.undo(granted(request))


async def test_branch_index_and_files_go_back(repo: Repo, git: GitRepository) -> None:
    before, parent = repo.manifest(), repo.git("rev-parse", "main")
    change = TreeChange(
        (
            TreeFile("a.txt", EXECUTABLE, b"fixed\n"),
            TreeFile("b.txt", LINK, b"a.txt"),
            TreeFile("n/deep/new", REGULAR, b"new\n"),
            TreeFile("odd\nname", REGULAR, b"odd\n"),
        ),
        ("d/c.txt", "d/e/f.txt"),
    )
    commit = await commit_change(git, change, branch=None)
    paths = ("a.txt", "b.txt", "d/c.txt", "d/e/f.txt", "n/deep/new", "odd\nname")
    assert await undo(git, commit) == Undone(commit, MAIN, parent, restored=paths)
    assert repo.git("rev-parse", "main") == parent
    assert repo.git("status", "--porcelain") == ""
    assert repo.git("fsck", "--strict", "--no-dangling") == ""
    assert repo.manifest() == before
    reflog = repo.git("reflog", "--format=%gs %gn", "main").splitlines()
    assert reflog[0] == f"selfheal: undo of {commit[:12]}: Fix it Ada Test"


async def test_the_request_names_exactly_what_will_be(repo: Repo, git: GitRepository) -> None:
    parent = repo.git("rev-parse", "main")
    on_side = await commit_change(git, CHANGE, branch="side")
    assert await git.undo_request(on_side, "refs/heads/side", update_worktree=False) == UndoRequest(
        on_side, "refs/heads/side", parent, update_worktree=False
    )
    here = await commit_change(git, CHANGE, branch=None)
    assert await git.undo_request(here, MAIN, update_worktree=True) == UndoRequest(
        here, MAIN, parent, update_worktree=True, paths=PATHS
    )


async def test_of_a_commit_on_a_new_branch_only_the_branch_goes_back(
    repo: Repo, git: GitRepository
) -> None:
    parent = repo.git("rev-parse", "main")
    commit = await commit_change(git, CHANGE, branch="side")
    repo.write("a.txt", b"mine\n")
    before = repo.settled(), repo.manifest()
    ref = "refs/heads/side"
    assert await undo(git, commit, ref) == Undone(commit, ref, parent)
    settled = repo.settled()
    assert repo.git("rev-parse", "side", "main").splitlines() == [parent, parent]
    assert (settled | {ref: before[0][ref]}, repo.manifest()) == before


async def test_files_stay_when_another_branch_is_checked_out_now(
    repo: Repo, git: GitRepository
) -> None:
    parent = repo.git("rev-parse", "main")
    commit = await commit_change(git, CHANGE, branch=None)
    repo.git("switch", "-q", "-c", "other")
    before = repo.manifest()
    assert await undo(git, commit) == Undone(commit, MAIN, parent)
    assert repo.git("rev-parse", "main", "other").splitlines() == [parent, commit]
    assert (repo.manifest(), repo.git("status", "--porcelain")) == (before, "")


# --- what the user did since


async def test_files_that_are_no_longer_the_commits_are_kept_and_named(
    repo: Repo, git: GitRepository
) -> None:
    parent = repo.git("rev-parse", "main")
    commit = await commit_change(git, CHANGE, branch=None)
    repo.write("a.txt", b"fixed, and more\n")
    repo.write("d/c.txt", b"made again\n")
    undone = await undo(git, commit)
    assert undone == Undone(commit, MAIN, parent, restored=("n/new",), kept=("a.txt", "d/c.txt"))
    assert repo.read("a.txt") == b"fixed, and more\n"
    assert repo.read("d/c.txt") == b"made again\n"
    assert repo.git("status", "--porcelain").splitlines() == ["M a.txt", " M d/c.txt"]


async def test_what_is_staged_is_kept_with_its_file(repo: Repo, git: GitRepository) -> None:
    commit = await commit_change(git, CHANGE, branch=None)
    repo.write("a.txt", b"staged\n")
    repo.git("add", "a.txt")
    repo.write("a.txt", b"fixed\n")
    undone = await undo(git, commit)
    assert (undone.restored, undone.kept) == (("d/c.txt", "n/new"), ("a.txt",))
    assert repo.git("show", ":a.txt") == "staged"
    assert repo.read("a.txt") == b"fixed\n"


async def test_edits_elsewhere_staged_or_not_stay(repo: Repo, git: GitRepository) -> None:
    commit = await commit_change(git, CHANGE, branch=None)
    repo.write("b.txt", b"mine\n")
    repo.git("add", "b.txt")
    repo.write("d/e/f.txt", b"mine\n")
    repo.write("untracked", b"mine\n")
    assert (await undo(git, commit)).kept == ()
    assert repo.git("status", "--porcelain").splitlines() == [
        "M  b.txt",
        " M d/e/f.txt",
        "?? untracked",
    ]


async def test_uncommitted_edits_that_were_there_before_stay_uncommitted(
    repo: Repo, git: GitRepository
) -> None:
    repo.write("a.txt", b"mine\n2\n3\n4\n5\n")
    commit = await commit_change(git, change_of({"a.txt": b"mine\n2\n3\n4\nfixed\n"}), branch=None)
    assert (await undo(git, commit)).kept == ("a.txt",)
    assert repo.read("a.txt") == b"mine\n2\n3\n4\nfixed\n"
    assert repo.git("status", "--porcelain") == "M a.txt"


async def test_a_mode_that_was_changed_since_keeps_the_file(repo: Repo, git: GitRepository) -> None:
    commit = await commit_change(git, CHANGE, branch=None)
    (repo.path / "a.txt").chmod(0o755)
    assert (await undo(git, commit)).kept == ("a.txt",)
    assert repo.read("a.txt") == b"fixed\n"


async def test_a_file_that_cannot_come_back_is_kept(repo: Repo, git: GitRepository) -> None:
    change = change_of({"b.txt/inside": b"1\n", "b.txt/other": b"2\n"}, ("b.txt",))
    commit = await commit_change(git, change, branch=None)
    repo.write("b.txt/inside", b"mine\n")
    undone = await undo(git, commit)
    assert (undone.restored, undone.kept) == (("b.txt/other",), ("b.txt", "b.txt/inside"))
    assert repo.read("b.txt/inside") == b"mine\n"
    assert repo.git("ls-files").splitlines() == sorted(START)


async def test_a_folder_gives_way_to_the_file_it_was(repo: Repo, git: GitRepository) -> None:
    before = repo.manifest()
    change = change_of({"b.txt/inside": b"1\n", "d": b"2\n"}, ("b.txt", "d/c.txt", "d/e/f.txt"))
    commit = await commit_change(git, change, branch=None)
    assert (await undo(git, commit)).kept == ()
    assert (repo.manifest(), repo.git("status", "--porcelain")) == (before, "")


async def test_line_ends_stay_as_they_are_on_disk(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {".gitattributes": b"* text=auto eol=crlf\n", "a": b"1\n2\n"})
    (repo.path / "a").unlink()
    repo.git("checkout", "-q", "--", "a")
    assert repo.read("a") == b"1\r\n2\r\n"
    git = await repo.open(tmp_path / "state")
    commit = await commit_change(git, change_of({"a": b"1\r\nfixed\r\n"}), branch=None)
    assert repo.files_of(commit)["a"] == b"1\nfixed\n"
    assert (await undo(git, commit)).restored == ("a",)
    assert repo.read("a") == b"1\r\n2\r\n"
    assert repo.git("status", "--porcelain") == ""


async def test_nothing_is_restored_through_a_link(
    repo: Repo, git: GitRepository, tmp_path: Path
) -> None:
    commit = await commit_change(git, CHANGE, branch=None)
    (repo.path / "n").rename(tmp_path / "outside")
    (repo.path / "n").symlink_to(tmp_path / "outside")
    assert "n/new" in (await undo(git, commit)).restored
    assert (repo.path / "n").is_symlink()
    assert (tmp_path / "outside" / "new").read_bytes() == b"new\n"


# --- refused, and nothing changed


async def refused(
    repo: Repo, git: GitRepository, commit: str, spoil: Callable[[], object], ref: str = MAIN
) -> str:
    """Approve, then `spoil`, then undo: the sentence. Everything must be as after `spoil`."""
    request = await git.undo_request(commit, ref, update_worktree=ref == MAIN)
    spoil()
    before = repo.settled(), repo.manifest()
    with pytest.raises(RepositoryRefused) as caught:
        await git.undo(granted(request))
    assert (repo.settled(), repo.manifest()) == before
    return str(caught.value)


async def test_a_commit_on_top_is_named(repo: Repo, git: GitRepository) -> None:
    commit = await commit_change(git, CHANGE, branch=None)

    def on_top() -> None:
        repo.git("commit", "-q", "--allow-empty", "-m", "Later work")

    said = await refused(repo, git, commit, on_top)
    tip = repo.git("rev-parse", "main")[:12]
    assert f"commits on top of {commit[:12]}, up to {tip} (Later work)" in said


async def test_a_branch_that_was_amended_is_named(repo: Repo, git: GitRepository) -> None:
    commit = await commit_change(git, CHANGE, branch=None)

    def amend() -> None:
        repo.git("commit", "-q", "--amend", "-m", "Better words")

    said = await refused(repo, git, commit, amend)
    assert "(Better words) now and no longer at" in said


async def test_a_branch_that_is_gone_has_nothing_to_undo(repo: Repo, git: GitRepository) -> None:
    commit = await commit_change(git, CHANGE, branch="side")
    said = await refused(
        repo, git, commit, lambda: repo.git("branch", "-D", "side"), "refs/heads/side"
    )
    assert "refs/heads/side is not there any more" in said


async def test_the_first_commit_cannot_be_undone(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    git = await repo.open(tmp_path / "state")
    commit = await commit_change(git, change_of({"a": b"1\n"}), branch=None)
    with pytest.raises(RepositoryRefused, match="first commit of refs/heads/main"):
        await undo(git, commit)
    assert repo.git("rev-parse", "main") == commit


async def test_a_new_branch_that_is_checked_out_now_is_left_first(
    repo: Repo, git: GitRepository
) -> None:
    commit = await commit_change(git, CHANGE, branch="side")
    said = await refused(
        repo, git, commit, lambda: repo.git("switch", "-q", "side"), "refs/heads/side"
    )
    assert "switch to another branch first" in said


async def test_a_branch_of_another_working_tree_is_undone_there(
    repo: Repo, git: GitRepository, tmp_path: Path
) -> None:
    commit = await commit_change(git, CHANGE, branch="side")
    other = tmp_path / "other tree"
    said = await refused(
        repo,
        git,
        commit,
        lambda: repo.git("worktree", "add", "-q", str(other), "side"),
        "refs/heads/side",
    )
    assert f"checked out in {other}: undo it there" in said


async def test_an_undo_in_a_linked_working_tree(repo: Repo, tmp_path: Path) -> None:
    other = Repo(tmp_path / "other", repo.environment)
    repo.git("worktree", "add", "-q", "-b", "side", str(other.path))
    git = await other.open(tmp_path / "state")
    commit = await commit_change(git, CHANGE, branch=None)
    request = await git.undo_request(commit, "refs/heads/side", update_worktree=True)
    assert (await git.undo(granted(request))).restored == PATHS
    assert other.git("status", "--porcelain") == ""


async def test_another_branch_checked_out_meanwhile_is_noticed(
    repo: Repo, git: GitRepository
) -> None:
    commit = await commit_change(git, CHANGE, branch=None)
    said = await refused(repo, git, commit, lambda: repo.git("switch", "-q", "-c", "other"))
    assert "not what was approved" in said


async def test_a_merge_in_progress_forbids_it(repo: Repo, git: GitRepository) -> None:
    commit = await commit_change(git, CHANGE, branch=None)
    merge = repo.path / ".git" / "MERGE_HEAD"
    said = await refused(repo, git, commit, lambda: merge.write_text(commit))
    assert "a merge is in progress" in said


async def test_a_symbolic_branch_is_not_moved(repo: Repo, git: GitRepository) -> None:
    commit = await commit_change(git, CHANGE, branch="side")
    repo.git("symbolic-ref", "refs/heads/alias", "refs/heads/side")
    with pytest.raises(RepositoryRefused, match="stands for refs/heads/side"):
        await git.undo_request(commit, "refs/heads/alias", update_worktree=False)


async def test_files_that_have_a_filter_by_now_are_refused(repo: Repo, git: GitRepository) -> None:
    change = change_of({".gitattributes": b"*.bin filter=lfs\n", "a.txt": b"fixed\n"})
    repo.write("a.bin", b"1\n")
    repo.commit()
    made = await commit_change(git, change, branch=None)
    assert (await undo(git, made)).kept == ()
    change = change_of({".gitattributes": b"*.txt filter=lfs\n"})
    made = await commit_change(git, change, branch=None)
    repo.git("-c", "filter.lfs.clean=cat", "commit", "-q", "--allow-empty", "--amend", "-m", "x")
    repo.write("a.txt", b"2\n")
    repo.git("-c", "filter.lfs.clean=cat", "commit", "-q", "-a", "--amend", "-m", "x")
    with pytest.raises(RepositoryRefused, match=r"cannot be restored.*'a\.txt' \(filter=lfs\)"):
        await undo(git, repo.git("rev-parse", "HEAD"))


# --- locks, failures and kills


async def test_a_lock_of_the_index_is_waited_for_and_never_removed(
    repo: Repo, tmp_path: Path
) -> None:
    lock = repo.path / ".git" / "index.lock"
    time = FakeTime()
    git = await repo.open(tmp_path / "state", patience=time.patience())
    commit = await commit_change(git, CHANGE, branch=None)
    said = await refused(repo, git, commit, lambda: lock.write_text(""))
    assert "another git process holds" in said
    assert (lock.exists(), time.now) == (True, 10.0)
    time.then.append(lock.unlink)
    assert (await undo(git, commit)).restored == PATHS
    assert repo.git("status", "--porcelain") == ""


async def test_a_lock_of_the_branch_that_stays_is_named_and_not_removed(
    repo: Repo, git: GitRepository
) -> None:
    lock = repo.path / ".git" / "refs" / "heads" / "main.lock"
    commit = await commit_change(git, CHANGE, branch=None)
    assert "holds the lock of refs/heads/main" in await refused(
        repo, git, commit, lambda: lock.write_text("")
    )
    assert lock.exists()


async def test_an_index_that_changes_in_between_puts_the_files_back(
    repo: Repo, git: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = await commit_change(git, CHANGE, branch=None)
    install = UserIndex.install

    def meddled(self: UserIndex, new: object) -> None:
        repo.git("update-index", "--add", "--cacheinfo", f"100644,{empty},other")
        install(self, new)  # type: ignore[arg-type]

    empty = repo.git("hash-object", "-w", "--stdin")
    monkeypatch.setattr(UserIndex, "install", meddled)
    before = repo.manifest()
    with pytest.raises(RepositoryRefused, match="the index changed at the same moment"):
        await undo(git, commit)
    assert repo.manifest() == before
    assert repo.git("rev-parse", "main") == commit
    assert repo.git("status", "--porcelain") == "AD other"


@pytest.mark.parametrize("ref", [MAIN, "refs/heads/side"])
async def test_nothing_that_the_repository_names_runs(repo: Repo, tmp_path: Path, ref: str) -> None:
    marker = tmp_path / "marker"
    git = await repo.open(tmp_path / "state")
    branch = None if ref == MAIN else "side"
    commit = await commit_change(git, CHANGE, branch=branch)
    plant_everything(repo, marker)
    git = await repo.open(tmp_path / "state")
    assert (await undo(git, commit, ref)).kept == ()
    assert not marker.exists()


KILL = """
import asyncio, os, signal, sys
from pathlib import Path
from selfheal_tui.adapters.git import refs, undo
from tests.support.repos import Repo, granted

count = [0]
limit = int(sys.argv[3])
alive = [True]

def dying(function):
    def inner(*arguments, **keywords):
        count[0] += not alive[0]
        if count[0] == limit:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **keywords)
    return inner

for name in ("rename", "unlink", "link", "fsync", "mkdir", "rmdir"):
    setattr(os, name, dying(getattr(os, name)))
refs.Conversation.say = dying(refs.Conversation.say)
move_all = undo.Undos._move_all

def now_mortal(*arguments):
    alive[0] = False
    return move_all(*arguments)

undo.Undos._move_all = now_mortal

async def main():
    repo = Repo(Path(sys.argv[1]), dict(os.environ))
    git = await repo.open(Path(sys.argv[2]))
    request = await git.undo_request(sys.argv[4], "refs/heads/main", update_worktree=True)
    await git.undo(granted(request))

asyncio.run(main())
"""


async def test_after_a_kill_at_any_moment_the_undo_can_be_asked_for_again(tmp_path: Path) -> None:
    for moment in range(1, 60):
        place = tmp_path / str(moment)
        place.mkdir()
        repo = make_repo(place, dict(START))
        git = await repo.open(place / "state")
        commit = await commit_change(git, CHANGE, branch=None)
        repo.write("b.txt", b"mine\n")
        code = _undo_and_die(repo, place / "state", moment, commit)
        sweep(repo.path / ".git")
        # The git process that holds the ref's lock has to notice that we are gone.
        Patience(pause=0.01).wait(lambda repo=repo: _no_lock(repo), f"a lock stays: {moment}")
        assert not list((repo.path / ".git").glob("selfheal-*")), moment
        if repo.git("rev-parse", "main") == commit:
            undone = await undo(git, commit)
            assert (undone.restored, undone.kept) == (PATHS, ()), moment
        assert repo.git("status", "--porcelain", "-uno") == "M b.txt", moment
        assert repo.git("fsck", "--strict", "--no-dangling") == ""
        for name in PATHS:
            found = repo.read(name) if (repo.path / name).exists() else None
            assert found == START.get(name), (moment, name)
        if code == 0:
            return
        assert code == -9, moment
    raise AssertionError("the undo never came to its end")


def _undo_and_die(repo: Repo, state: Path, moment: int, commit: str) -> int:
    return subprocess.run(
        [sys.executable, "-c", KILL, str(repo.path), str(state), str(moment), commit],
        env=repo.environment | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        check=False,
    ).returncode


def _no_lock(repo: Repo) -> bool | None:
    return not list((repo.path / ".git").rglob("*.lock")) or None


async def test_a_branch_that_cannot_be_moved_after_all_leaves_files_and_index_as_they_were(
    repo: Repo, git: GitRepository
) -> None:
    commit = await commit_change(git, CHANGE, branch=None)
    before = repo.manifest()
    request = await git.undo_request(commit, MAIN, update_worktree=True)
    no_reflog_of(repo, "main")
    with pytest.raises(RepositoryRefused, match="cannot be moved, nothing was changed"):
        await git.undo(granted(request))
    assert repo.manifest() == before
    assert repo.git("status", "--porcelain") == ""
    assert repo.git("rev-parse", "main") == commit
