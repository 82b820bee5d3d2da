"""A commit on the branch that is checked out: files, index and ref move together, or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from selfheal_tui.adapters.git.index import UserIndex, sweep
from selfheal_tui.adapters.git.patience import Patience
from selfheal_tui.adapters.git.repository import GitRepository
from selfheal_tui.adapters.git.worktree import Replacement, WorkingTree
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
)

HEX = "0123456789abcdef"
START = {"a.txt": b"1\n2\n3\n4\n5\n", "b.txt": b"b\n", "d/c.txt": b"c\n", "d/e/f.txt": b"f\n"}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, dict(START))


@pytest.fixture
async def git(repo: Repo, tmp_path: Path) -> GitRepository:
    return await repo.open(tmp_path / "state")


async def test_files_index_and_branch_follow_the_commit(repo: Repo, git: GitRepository) -> None:
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
    assert repo.git("rev-parse", "main") == commit
    assert repo.git("symbolic-ref", "HEAD") == "refs/heads/main"
    assert repo.git("status", "--porcelain", "--ignored") == ""
    assert repo.git("fsck", "--strict") == ""
    assert sorted(repo.manifest()) == ["a.txt", "b.txt", "n", "n/deep", "n/deep/new", "odd\nname"]
    assert (repo.path / "b.txt").readlink() == Path("a.txt")
    assert os.access(repo.path / "a.txt", os.X_OK)
    assert repo.read("a.txt") == b"fixed\n"
    reflog = repo.git("reflog", "--format=%gs", "HEAD").splitlines()
    assert reflog[0] == "selfheal: Fix it"


async def test_a_file_gives_way_to_a_folder_and_a_folder_to_a_file(
    repo: Repo, git: GitRepository
) -> None:
    change = change_of(
        {"b.txt/inside": b"1\n", "d": b"2\n"}, deleted=("b.txt", "d/c.txt", "d/e/f.txt")
    )
    await commit_change(git, change, branch=None)
    assert repo.read("b.txt/inside") == b"1\n"
    assert repo.read("d") == b"2\n"
    assert repo.git("status", "--porcelain") == ""


async def test_the_users_own_edits_stay_uncommitted(repo: Repo, git: GitRepository) -> None:
    repo.write("a.txt", b"mine\n2\n3\n4\n5\n")
    repo.write("b.txt", b"mine\n")
    repo.write("untracked", b"mine\n")
    repo.write("d/c.txt", b"staged\n")
    repo.git("add", "d/c.txt")
    commit = await commit_change(
        git, change_of({"a.txt": b"mine\n2\n3\n4\nfixed\n", "n": b"n\n"}), branch=None
    )
    assert repo.files_of(commit) == START | {"a.txt": b"1\n2\n3\n4\nfixed\n", "n": b"n\n"}
    assert repo.read("a.txt") == b"mine\n2\n3\n4\nfixed\n"
    assert repo.git("status", "--porcelain").splitlines() == [
        "M a.txt",
        " M b.txt",
        "M  d/c.txt",
        "?? untracked",
    ]
    assert "-1\n+mine\n" in repo.git("diff", "a.txt") + "\n"


async def test_line_ends_stay_as_they_are_on_disk(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a.txt": b"1\n2\n"})
    repo.git("config", "core.autocrlf", "true")
    repo.write("a.txt", b"1\r\n2\r\n")
    git = await repo.open(tmp_path / "state")
    commit = await commit_change(git, change_of({"a.txt": b"1\r\nfixed\n3\r\n"}), branch=None)
    assert repo.files_of(commit)["a.txt"] == b"1\nfixed\n3\n"
    assert repo.read("a.txt") == b"1\r\nfixed\r\n3\r\n"
    assert repo.git("status", "--porcelain") == ""


async def test_permissions_stay_but_for_the_executable_bit(repo: Repo, git: GitRepository) -> None:
    (repo.path / "a.txt").chmod(0o640)
    (repo.path / "b.txt").chmod(0o640)
    change = TreeChange((TreeFile("a.txt", REGULAR, b"x\n"), TreeFile("b.txt", EXECUTABLE, b"x\n")))
    await commit_change(git, change, branch=None)
    modes = [(repo.path / name).stat().st_mode & 0o777 for name in ("a.txt", "b.txt")]
    assert modes == [0o640, 0o750]


# --- refused, and nothing written


async def refused(
    repo: Repo, git: GitRepository, change: TreeChange, spoil: Callable[[], object]
) -> str:
    """Approve, then `spoil`, then commit: the sentence. Everything must be as after `spoil`."""
    snapshot = await git.snapshot()
    tree = await git.shadow.apply(snapshot.tree, change)
    commit_tree = await git.commit_tree_for(snapshot, tree)
    request = await git.commit_request(snapshot, commit_tree, "m\n", branch=None)
    spoil()
    before = repo.settled(), repo.manifest()
    with pytest.raises(RepositoryRefused) as caught:
        await git.commit(granted(request), snapshot, tree)
    assert (repo.settled(), repo.manifest()) == before
    return str(caught.value)


CHANGE = change_of({"a.txt": b"fixed\n", "n/new": b"new\n"}, ("d/c.txt",))


async def test_a_file_edited_meanwhile_is_not_overwritten(repo: Repo, git: GitRepository) -> None:
    said = await refused(repo, git, CHANGE, lambda: repo.write("a.txt", b"edited meanwhile\n"))
    assert "in a.txt: nothing was written" in said


async def test_a_file_that_appeared_is_not_overwritten(repo: Repo, git: GitRepository) -> None:
    said = await refused(repo, git, CHANGE, lambda: repo.write("n/new", b"mine\n"))
    assert "in n/new:" in said


async def test_an_ignored_file_is_not_overwritten(repo: Repo, git: GitRepository) -> None:
    (repo.path / ".git" / "info" / "exclude").write_text("secret.env\n")
    repo.write("secret.env", b"KEY=1\n")
    with pytest.raises(RepositoryRefused, match=r"in secret\.env: nothing was written"):
        await commit_change(git, change_of({"secret.env": b"KEY=stolen\n"}), branch=None)
    assert repo.read("secret.env") == b"KEY=1\n"
    assert repo.git("log", "--format=%s") == "first"


async def test_a_file_deleted_meanwhile_is_noticed(repo: Repo, git: GitRepository) -> None:
    said = await refused(repo, git, CHANGE, (repo.path / "d" / "c.txt").unlink)
    assert "in d/c.txt:" in said


async def test_nothing_is_written_through_a_link(
    repo: Repo, git: GitRepository, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    said = await refused(repo, git, CHANGE, lambda: (repo.path / "n").symlink_to(outside))
    assert "in n/new:" in said
    assert list(outside.iterdir()) == []


async def test_nothing_is_deleted_through_a_link(
    repo: Repo, git: GitRepository, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"

    def swap() -> None:
        (repo.path / "d").rename(outside)
        (repo.path / "d").symlink_to(outside)

    said = await refused(repo, git, CHANGE, swap)
    assert "in d/c.txt:" in said
    assert (outside / "c.txt").read_bytes() == b"c\n"


async def test_a_folder_with_other_files_does_not_give_way(repo: Repo, git: GitRepository) -> None:
    (repo.path / ".git" / "info" / "exclude").write_text("*.o\n")
    repo.write("d/e/ignored.o", b"mine\n")
    change = change_of({"d": b"file\n"}, deleted=("d/c.txt", "d/e/f.txt"))
    assert "in d:" in await refused(repo, git, change, lambda: None)


async def test_staged_changes_of_the_same_file_are_refused(repo: Repo, git: GitRepository) -> None:
    def stage() -> None:
        kept = repo.read("a.txt")
        repo.write("a.txt", b"staged\n")
        repo.git("add", "a.txt")
        repo.write("a.txt", kept)

    said = await refused(repo, git, CHANGE, stage)
    assert "you have staged changes in a.txt" in said


async def test_a_file_outside_the_sparse_checkout_needs_a_new_branch(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"in/a": b"1\n", "out/b": b"2\n"})
    repo.git("sparse-checkout", "set", "in")
    git = await repo.open(tmp_path / "state")
    with pytest.raises(RepositoryRefused, match="out/b is outside the sparse checkout"):
        await commit_change(git, change_of({"out/b": b"3\n"}), branch=None)
    commit = await commit_change(git, change_of({"out/b": b"3\n"}), branch="x")
    assert repo.files_of(commit) == {"in/a": b"1\n", "out/b": b"3\n"}
    await commit_change(git, change_of({"in/a": b"3\n"}), branch=None)
    assert repo.git("status", "--porcelain") == ""


async def test_a_split_index_works_or_is_refused_before_anything_is_written(
    repo: Repo, tmp_path: Path
) -> None:
    repo.git("update-index", "--split-index")
    git = await repo.open(tmp_path / "state")
    before = repo.manifest()
    with pytest.raises(RepositoryRefused, match="form that cannot be edited"):
        await commit_change(git, CHANGE, branch=None)
    assert repo.manifest() == before
    assert repo.git("status", "--porcelain") == ""
    await commit_change(git, CHANGE, branch="x")


async def test_another_branch_checked_out_meanwhile_is_noticed(
    repo: Repo, git: GitRepository
) -> None:
    said = await refused(repo, git, CHANGE, lambda: repo.git("checkout", "-q", "-b", "other"))
    assert "refs/heads/other moved since the snapshot" in said


async def test_a_branch_that_moved_meanwhile_is_noticed(repo: Repo, git: GitRepository) -> None:
    said = await refused(
        repo, git, CHANGE, lambda: repo.git("commit", "-q", "--allow-empty", "-m", "other")
    )
    assert "refs/heads/main moved since the snapshot" in said


async def test_a_lock_of_the_index_is_waited_for_and_never_removed(
    repo: Repo, tmp_path: Path
) -> None:
    lock = repo.path / ".git" / "index.lock"
    time = FakeTime()
    git = await repo.open(tmp_path / "state", patience=time.patience())
    said = await refused(repo, git, CHANGE, lambda: lock.write_text(""))
    assert "another git process holds" in said
    assert (lock.exists(), time.now) == (True, 10.0)
    time.then.append(lock.unlink)
    await commit_change(git, CHANGE, branch=None)
    assert repo.git("status", "--porcelain") == ""


# --- a failure in the middle


async def test_an_index_that_changes_in_between_undoes_the_files(
    repo: Repo, git: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    install = UserIndex.install

    def meddled(self: UserIndex, new: object) -> None:
        repo.git("update-index", "--add", "--cacheinfo", f"100644,{empty},other")
        install(self, new)  # type: ignore[arg-type]

    empty = repo.git("hash-object", "-w", "--stdin")
    monkeypatch.setattr(UserIndex, "install", meddled)
    before = repo.manifest()
    with pytest.raises(RepositoryRefused, match="the index changed at the same moment"):
        await commit_change(git, CHANGE, branch=None)
    assert repo.manifest() == before
    assert repo.git("status", "--porcelain") == "AD other"
    assert repo.git("log", "--format=%s") == "first"


async def test_a_first_commit_whose_branch_cannot_be_made_leaves_no_index(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    repo.write("a.txt", b"mine\n")
    git = await repo.open(tmp_path / "state")
    no_reflog_of(repo, "main")
    before, settled = repo.manifest(), repo.settled()
    with pytest.raises(RepositoryRefused, match="cannot be moved, nothing was changed"):
        await commit_change(git, change_of({"n/b": b"b\n"}), branch=None)
    assert (repo.manifest(), repo.settled()) == (before, settled)
    assert repo.git("status", "--porcelain") == "?? a.txt"


async def test_a_write_that_fails_undoes_the_ones_before(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, dict(START))
    before = repo.manifest()
    plan = [
        Replacement(
            "a.txt", TreeFile("a.txt", REGULAR, START["a.txt"]), TreeFile("a.txt", REGULAR, b"x")
        ),
        Replacement("d/c.txt", TreeFile("d/c.txt", REGULAR, b"c\n"), None),
        Replacement("d/e/f.txt", TreeFile("d/e/f.txt", REGULAR, b"f\n"), None),
        Replacement("n/new", None, TreeFile("n/new", REGULAR, b"x")),
        Replacement("b.txt", TreeFile("b.txt", REGULAR, b"not this\n"), None),
    ]
    tree = WorkingTree(repo.path, file_mode=True)
    for order in (plan, plan[::-1]):
        with pytest.raises(RepositoryRefused, match=r"in b\.txt"):
            tree.replace(order)
        assert repo.manifest() == before


KILL = """
import asyncio, os, signal, sys
from pathlib import Path
from selfheal_tui.adapters.git import commit, refs
from tests.support.repos import Repo, change_of, commit_change

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

# Every operation that changes something on disk is a place to die, before it and after it.
for name in ("rename", "unlink", "link", "fsync", "mkdir", "symlink"):
    setattr(os, name, dying(getattr(os, name)))
refs.Conversation.say = dying(refs.Conversation.say)
move_all = commit.Commits._move_all

def now_mortal(*arguments):
    alive[0] = False
    return move_all(*arguments)

commit.Commits._move_all = now_mortal

async def main():
    repo = Repo(Path(sys.argv[1]), dict(os.environ))
    git = await repo.open(Path(sys.argv[2]))
    change = change_of({"a.txt": b"fixed\\n", "n/new": b"new\\n"}, ("d/c.txt",))
    await commit_change(git, change, branch=None)

asyncio.run(main())
"""


def test_a_kill_at_any_moment_loses_nothing_and_leaves_no_lock(tmp_path: Path) -> None:
    done = {"a.txt": b"fixed\n", "b.txt": b"b\n", "d/e/f.txt": b"f\n", "n/new": b"new\n"}
    root = str(Path(__file__).parents[2])
    for moment in range(1, 60):
        place = tmp_path / str(moment)
        place.mkdir()
        repo = make_repo(place, dict(START))
        repo.write("b.txt", b"mine\n")
        ended = subprocess.run(
            [sys.executable, "-c", KILL, str(repo.path), str(place / "state"), str(moment)],
            env=repo.environment | {"PYTHONPATH": root},
            capture_output=True,
            check=False,
        )
        sweep(repo.path / ".git")
        # The git process that holds the ref's lock has to notice that we are gone.
        Patience(pause=0.01).wait(lambda repo=repo: _no_lock(repo), f"a lock stays: {moment}")
        assert not list((repo.path / ".git").glob("selfheal-*")), moment
        assert repo.read("b.txt") == b"mine\n"
        for name in ("a.txt", "d/c.txt", "n/new"):
            found = repo.read(name) if (repo.path / name).exists() else None
            assert found in {START.get(name), done.get(name)}, (moment, name)
        assert repo.git("fsck", "--strict", "--no-dangling") == ""
        if ended.returncode == 0:
            assert repo.files_of("main") == done
            return
        assert ended.returncode == -9, ended.stderr
        assert repo.files_of("main") in (START, done), moment
        if repo.files_of("main") == done:
            assert repo.git("status", "--porcelain") == "M b.txt"
    raise AssertionError("the commit never came to its end")


def _no_lock(repo: Repo) -> bool | None:
    return not list((repo.path / ".git").rglob("*.lock")) or None


def test_what_a_dead_process_left_is_swept_and_nothing_else(repo: Repo) -> None:
    folder = repo.path / ".git"
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    ours = folder / f"selfheal-index-{dead.pid}-{HEX}"
    ours.write_bytes(b"index")
    os.link(ours, folder / "index.lock")
    alive = folder / f"selfheal-index-{os.getpid()}-{HEX}"
    alive.write_bytes(b"index")
    sweep(folder)
    assert not ours.exists()
    assert not (folder / "index.lock").exists()
    assert alive.exists()
    ours.write_bytes(b"index")
    (folder / "index.lock").write_bytes(b"somebody else's")
    sweep(folder)
    assert (folder / "index.lock").exists()


def test_what_a_killed_process_left_of_a_file_goes_with_the_next_writing(repo: Repo) -> None:
    tree = WorkingTree(repo.path, file_mode=True)
    plan = [
        Replacement("d/c.txt", *(TreeFile("d/c.txt", REGULAR, text) for text in (b"c\n", b"x\n"))),
        Replacement("n/new", None, TreeFile("n/new", REGULAR, b"x\n")),
    ]
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = f".selfheal-{dead.pid}-{HEX}.tmp"
    for kept in (
        f"d/.selfheal-{os.getpid()}-{HEX}.tmp",
        f"d/e/{left}",
        f"d/.selfheal-{dead.pid}.tmp",
        f"d/selfheal-index-{dead.pid}-{HEX}",
        f"d/selfheal-index-{dead.pid}-notes.md",
        f"d/.selfheal-{dead.pid}-{HEX[::-1]}.tmp/of a folder",
    ):
        repo.write(kept, b"not left behind, or not here, or not ours")
    untouched = repo.manifest()
    for make, changed in ((tree.replace, {"d/c.txt", "n", "n/new"}), (tree.undo, set())):
        repo.write(f"d/{left}", b"half")
        repo.write(f"n/{left}", b"half")
        make(plan)
        now = repo.manifest()
        found = {name for name in {*now, *untouched} if now.get(name) != untouched.get(name)}
        assert found == changed
