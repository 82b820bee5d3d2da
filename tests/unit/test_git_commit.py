from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from selfheal_tui.adapters.git.patience import Patience
from selfheal_tui.adapters.git.repository import GitRepository
from selfheal_tui.agent.ports import Snapshot
from selfheal_tui.core.approval import CommitRequest
from selfheal_tui.core.tree import EXECUTABLE, LINK, TreeChange, TreeFile
from selfheal_tui.errors import RepositoryRefused
from tests.support.repos import FakeTime, Repo, change_of, commit_change, granted, make_repo

START = {"a.txt": b"1\n2\n3\n4\n5\n", "b.txt": b"b\n", "d/c.txt": b"c\n"}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, dict(START))


@pytest.fixture
async def git(repo: Repo, tmp_path: Path) -> GitRepository:
    return await repo.open(tmp_path / "state")


async def test_a_commit_on_a_new_branch_touches_nothing_else(
    repo: Repo, git: GitRepository
) -> None:
    repo.write("b.txt", b"uncommitted\n")
    repo.git("add", "b.txt")
    repo.write("untracked", b"x\n")
    before = repo.settled(), repo.manifest()
    change = TreeChange(
        (
            TreeFile("a.txt", EXECUTABLE, b"fixed\n"),
            TreeFile("n/link", LINK, b"../a.txt"),
            TreeFile("n/new", 0o100644, b"new\n"),
        ),
        ("d/c.txt",),
    )
    commit = await commit_change(git, change, message="Fix it\n\nBecause.\n")
    settled = repo.settled()
    for name in ("refs/heads/selfheal", "refs/heads/selfheal/fix"):
        settled.pop(name)
    assert (settled, repo.manifest()) == before
    assert repo.git("rev-parse", "selfheal/fix") == commit
    assert repo.git("rev-parse", "selfheal/fix^") == repo.git("rev-parse", "main")
    assert repo.git("ls-tree", "-r", "--format=%(objectmode) %(path)", commit).splitlines() == [
        "100755 a.txt",
        "100644 b.txt",
        "120000 n/link",
        "100644 n/new",
    ]
    assert repo.files_of(commit) == {
        "a.txt": b"fixed\n",
        "b.txt": b"b\n",
        "n/link": b"../a.txt",
        "n/new": b"new\n",
    }
    assert repo.git("fsck", "--strict") == ""
    assert repo.git("reflog", "--format=%gs %gn", "selfheal/fix") == "selfheal: Fix it Ada Test"


async def test_message_and_identity_are_exactly_those_approved(
    repo: Repo, git: GitRepository
) -> None:
    message = "# not a comment\n\n\nSchöne Grüße  \n\tend without newline"
    commit = await commit_change(git, change_of({"b.txt": b"2\n"}), message=message)
    raw = repo.git("cat-file", "commit", commit)
    head, _, body = raw.partition("\n\n")
    assert body == message
    assert "author Ada Test <ada@example.org> " in head
    assert "committer Ada Test <ada@example.org> " in head


async def test_the_request_names_exactly_what_will_be(repo: Repo, git: GitRepository) -> None:
    snapshot = await git.snapshot()
    tree = await git.shadow.apply(snapshot.tree, change_of({"b.txt": b"2\n"}))
    head = repo.git("rev-parse", "HEAD")
    assert await git.commit_request(snapshot, tree, "m\n", branch="x/y") == CommitRequest(
        tree, head, "refs/heads/x/y", "0" * 40, "m\n", update_worktree=False
    )
    assert await git.commit_request(snapshot, tree, "m\n", branch=None) == CommitRequest(
        tree, head, "refs/heads/main", head, "m\n", update_worktree=True
    )


async def test_only_objects_of_the_change_are_handed_over(repo: Repo, git: GitRepository) -> None:
    repo.write("untracked", b"the user's secret draft\n")
    repo.write("b.txt", b"the user's other draft\n")
    await commit_change(git, change_of({"a.txt": b"fixed\n"}))
    unreachable = repo.git("fsck", "--unreachable", "--no-reflogs")
    assert unreachable == ""
    hashed = repo.git("hash-object", "--stdin", feed=b"the user's secret draft\n")
    assert repo.git("cat-file", "-t", hashed, check=False) == ""


# --- the user's own uncommitted edits


async def test_uncommitted_edits_elsewhere_are_not_in_the_commit(
    repo: Repo, git: GitRepository
) -> None:
    repo.write("b.txt", b"mine\n")
    (repo.path / "d" / "c.txt").unlink()
    commit = await commit_change(git, change_of({"a.txt": b"fixed\n"}))
    assert repo.files_of(commit) == START | {"a.txt": b"fixed\n"}


async def test_uncommitted_edits_of_the_same_file_are_taken_apart(
    repo: Repo, git: GitRepository
) -> None:
    repo.write("a.txt", b"mine\n2\n3\n4\n5\n")
    commit = await commit_change(git, change_of({"a.txt": b"mine\n2\n3\n4\nfixed\n"}))
    assert repo.files_of(commit)["a.txt"] == b"1\n2\n3\n4\nfixed\n"


async def test_overlapping_edits_are_refused_by_name(repo: Repo, git: GitRepository) -> None:
    repo.write("a.txt", b"mine\n2\n3\n4\n5\n")
    repo.write("new.txt", b"untracked\n")
    repo.write("d/c.txt", b"mine\n")
    (repo.path / "b.txt").unlink()
    change = change_of(
        {"a.txt": b"fixed\n2\n3\n4\n5\n", "new.txt": b"edited\n", "b.txt": b"again\n"},
        deleted=("d/c.txt",),
    )
    with pytest.raises(RepositoryRefused, match="commit or stash them first") as caught:
        await commit_change(git, change)
    assert " a.txt, b.txt, d/c.txt, new.txt:" in str(caught.value)
    assert repo.git("branch", "--list", "selfheal/*") == ""


async def test_an_untracked_file_that_is_deleted_does_not_matter(
    repo: Repo, git: GitRepository
) -> None:
    repo.write("new.txt", b"untracked\n")
    commit = await commit_change(git, change_of({"a.txt": b"fixed\n"}, ("new.txt",)))
    assert repo.files_of(commit) == START | {"a.txt": b"fixed\n"}


async def test_a_mode_set_by_the_user_stays_uncommitted(repo: Repo, git: GitRepository) -> None:
    (repo.path / "b.txt").chmod(0o755)
    snapshot = await git.snapshot()
    change = TreeChange((TreeFile("b.txt", EXECUTABLE, b"fixed\n"),))
    commit = await commit_change(git, change, snapshot=snapshot)
    assert repo.git("ls-tree", "--format=%(objectmode)", commit, "b.txt") == "100644"
    assert repo.files_of(commit)["b.txt"] == b"fixed\n"


async def test_a_commit_tree_is_its_own_commit_tree(repo: Repo, git: GitRepository) -> None:
    repo.write("a.txt", b"mine\n2\n3\n4\n5\n")
    snapshot = await git.snapshot()
    tree = await git.shadow.apply(
        snapshot.tree, change_of({"a.txt": b"mine\n2\n3\n4\nfixed\n", "n": b"n\n"})
    )
    commit_tree = await git.commit_tree_for(snapshot, tree)
    assert await git.commit_tree_for(snapshot, snapshot.tree) == snapshot.head_tree
    assert commit_tree != tree


async def test_a_submodule_stays_as_it_is(tmp_path: Path) -> None:
    inner = make_repo(tmp_path, {"a": b"1\n"}, name="inner")
    repo = make_repo(tmp_path, {"o": b"1\n"}, name="outer")
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.path), "sub")
    repo.commit("add it")
    git = await repo.open(tmp_path / "state")
    commit = await commit_change(git, change_of({"o": b"2\n"}))
    assert repo.git("rev-parse", f"{commit}:sub") == inner.git("rev-parse", "HEAD")
    assert repo.git("diff", "--name-only", "HEAD", commit) == "o"
    with pytest.raises(RepositoryRefused, match="sub/x"):
        await commit_change(git, change_of({"sub/x": b"2\n"}), branch="other")


# --- line ends


async def test_a_crlf_checkout_commits_lf(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a.txt": b"1\n2\n3\n4\n5\n", "b.txt": b"1\n2\n3\n4\n5\n"})
    repo.git("config", "core.autocrlf", "true")
    repo.write("a.txt", b"1\r\n2\r\n3\r\n4\r\n5\r\n")
    repo.write("b.txt", b"mine\r\n2\r\n3\r\n4\r\n5\r\n")
    git = await repo.open(tmp_path / "state")
    change = change_of(
        {"a.txt": b"1\r\nfixed\n3\r\n4\r\n5\r\n", "b.txt": b"mine\r\n2\r\n3\r\n4\r\nfixed\n"}
    )
    commit = await commit_change(git, change)
    assert repo.files_of(commit) == {
        "a.txt": b"1\nfixed\n3\n4\n5\n",
        "b.txt": b"1\n2\n3\n4\nfixed\n",
    }


async def test_crlf_that_is_committed_stays_crlf(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a.txt": b"1\r\n2\r\n"})
    git = await repo.open(tmp_path / "state")
    commit = await commit_change(git, change_of({"a.txt": b"1\r\n3\r\n"}))
    assert repo.files_of(commit) == {"a.txt": b"1\r\n3\r\n"}


# --- what forbids it


async def test_a_tree_that_equals_heads_is_not_committed(git: GitRepository) -> None:
    snapshot = await git.snapshot()
    with pytest.raises(RepositoryRefused, match="nothing to commit"):
        await git.commit_request(snapshot, snapshot.head_tree, "m\n", branch="x")


@pytest.mark.parametrize("message", ["", " \n", "a\0b", "\udcff", "a\U0001ffff", "\ufdd0b"])
async def test_a_message_that_is_none_is_refused(git: GitRepository, message: str) -> None:
    with pytest.raises(RepositoryRefused, match="commit message"):
        await commit_change(git, change_of({"b.txt": b"2\n"}), message=message)


@pytest.mark.parametrize("branch", ["-x", "a..b", "a b", "", "x.lock", "a/", "HEAD", "@{1}"])
async def test_a_name_that_no_branch_can_have_is_refused(git: GitRepository, branch: str) -> None:
    with pytest.raises(RepositoryRefused, match="not a name that git allows"):
        await commit_change(git, change_of({"b.txt": b"2\n"}), branch=branch)


@pytest.mark.parametrize("branch", ["main", "main/x", "topic"])
async def test_a_branch_that_stands_in_the_way_is_named(
    repo: Repo, git: GitRepository, branch: str
) -> None:
    repo.git("branch", "topic/one")
    with pytest.raises(RepositoryRefused, match="exists already"):
        await commit_change(git, change_of({"b.txt": b"2\n"}), branch=branch)


async def test_an_unused_branch_is_found(repo: Repo, git: GitRepository) -> None:
    assert await git.unused_branch("Fix the Tests!") == "selfheal/fix-the-tests"
    repo.git("branch", "selfheal/fix-the-tests")
    repo.git("branch", "selfheal/fix-the-tests-2/deep")
    assert await git.unused_branch("Fix the Tests!") == "selfheal/fix-the-tests-3"


@pytest.mark.parametrize("missing", ["user.name", "user.email"])
async def test_a_missing_identity_says_what_to_set(
    repo: Repo, git: GitRepository, missing: str
) -> None:
    repo.git("config", "--global", "--unset", missing)
    with pytest.raises(RepositoryRefused, match=f"git config --global {missing}"):
        await commit_change(git, change_of({"b.txt": b"2\n"}))


@pytest.mark.parametrize("attribute", ["filter=lfs", "working-tree-encoding=UTF-16LE"])
async def test_files_with_a_filter_are_refused(tmp_path: Path, attribute: str) -> None:
    repo = make_repo(tmp_path, {".gitattributes": f"*.dat {attribute}\n".encode(), "x.dat": b"1\n"})
    git = await repo.open(tmp_path / "state")
    with pytest.raises(RepositoryRefused, match=r"'x\.dat' \(" + attribute):
        await commit_change(git, change_of({"x.dat": b"2\n"}))
    await commit_change(git, change_of({"plain.txt": b"2\n"}))


async def test_a_filter_that_the_user_set_for_himself_counts(
    repo: Repo, git: GitRepository, tmp_path: Path
) -> None:
    (repo.path / ".git" / "info").mkdir(exist_ok=True)
    (repo.path / ".git" / "info" / "attributes").write_text("b.txt filter=crypt\n")
    again = await repo.open(tmp_path / "again")
    with pytest.raises(RepositoryRefused, match="filter=crypt"):
        await commit_change(again, change_of({"b.txt": b"2\n"}))
    assert git.facts.filters is False


async def test_another_tree_than_the_approved_one_is_not_committed(
    repo: Repo, git: GitRepository
) -> None:
    snapshot = await git.snapshot()
    approved = await git.shadow.apply(snapshot.tree, change_of({"b.txt": b"2\n"}))
    other = await git.shadow.apply(snapshot.tree, change_of({"b.txt": b"evil\n"}))
    request = await git.commit_request(snapshot, approved, "m\n", branch="x")
    with pytest.raises(RepositoryRefused, match="not what was approved"):
        await git.commit(granted(request), snapshot, other)
    assert repo.git("branch", "--list", "x") == ""


async def test_a_merge_that_began_after_the_approval_forbids_it(
    repo: Repo, git: GitRepository
) -> None:
    snapshot = await git.snapshot()
    tree = await git.shadow.apply(snapshot.tree, change_of({"b.txt": b"2\n"}))
    request = await git.commit_request(snapshot, tree, "m\n", branch="x")
    (repo.path / ".git" / "MERGE_HEAD").write_text(snapshot.head + "\n")
    with pytest.raises(RepositoryRefused, match="a merge is in progress"):
        await git.commit(granted(request), snapshot, tree)


async def test_a_disk_that_refuses_is_a_sentence(
    repo: Repo, git: GitRepository, tmp_path: Path
) -> None:
    (tmp_path / "state" / "scratch").rmdir()
    with pytest.raises(RepositoryRefused, match=r"the disk refuses: .*No such file"):
        await commit_change(git, change_of({"b.txt": b"2\n"}))
    assert repo.git("branch", "--list", "selfheal/*") == ""


# --- locks and races


async def two_requests(
    git: GitRepository, branch: str | None
) -> tuple[Snapshot, list[tuple[CommitRequest, str]]]:
    snapshot = await git.snapshot()
    requests = []
    for content in (b"one\n", b"two\n"):
        tree = await git.shadow.apply(snapshot.tree, change_of({"b.txt": content}))
        request = await git.commit_request(snapshot, tree, "m\n", branch=branch)
        requests.append((request, tree))
    return snapshot, requests


@pytest.mark.parametrize("branch", ["x", None])
async def test_of_two_racing_commits_one_wins_and_the_other_is_told(
    repo: Repo, tmp_path: Path, branch: str | None
) -> None:
    patience = Patience(seconds=30.0, pause=0.01)
    git = await repo.open(tmp_path / "one", patience=patience)
    other = await repo.open(tmp_path / "other", patience=patience)
    snapshot, requests = await two_requests(git, branch)
    theirs, their_requests = await two_requests(other, branch)
    results = await asyncio.gather(
        git.commit(granted(requests[0][0]), snapshot, requests[0][1]),
        other.commit(granted(their_requests[1][0]), theirs, their_requests[1][1]),
        return_exceptions=True,
    )
    (winner,) = [result for result in results if isinstance(result, str)]
    (loser,) = [result for result in results if isinstance(result, RepositoryRefused)]
    assert repo.git("rev-parse", branch or "HEAD") == winner
    # What the loser sees first depends on how far the winner has come: files, index, then the ref.
    seen = ("working tree changed", "you have staged changes", "moved since the snapshot")
    assert any(words in str(loser) for words in seen), loser
    if branch is None:
        assert repo.git("status", "--porcelain") == ""


async def test_the_second_of_two_commits_is_told(repo: Repo, git: GitRepository) -> None:
    snapshot, requests = await two_requests(git, "x")
    first = await git.commit(granted(requests[0][0]), snapshot, requests[0][1])
    with pytest.raises(RepositoryRefused, match="moved since the snapshot"):
        await git.commit(granted(requests[1][0]), snapshot, requests[1][1])
    assert repo.git("rev-parse", "x") == first


async def test_a_lock_of_somebody_else_is_waited_for(repo: Repo, tmp_path: Path) -> None:
    lock = repo.path / ".git" / "refs" / "heads" / "x.lock"
    lock.write_text("")
    time = FakeTime(then=[lambda: None, lambda: None, lock.unlink])
    git = await repo.open(tmp_path / "state", patience=time.patience())
    commit = await commit_change(git, change_of({"b.txt": b"2\n"}), branch="x")
    assert (repo.git("rev-parse", "x"), time.now) == (commit, 1.5)


async def test_a_lock_that_stays_is_named_and_not_removed(repo: Repo, tmp_path: Path) -> None:
    lock = repo.path / ".git" / "refs" / "heads" / "x.lock"
    lock.write_text("")
    time = FakeTime()
    git = await repo.open(tmp_path / "state", patience=time.patience())
    with pytest.raises(RepositoryRefused, match="another git process holds the lock"):
        await commit_change(git, change_of({"b.txt": b"2\n"}), branch="x")
    assert lock.exists()
    assert time.now == 10.0


# --- where HEAD is


async def test_the_first_commit_of_an_empty_repository(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    git = await repo.open(tmp_path / "state")
    commit = await commit_change(git, change_of({"a": b"1\n", "d/b": b"2\n"}), branch=None)
    assert repo.git("log", "--format=%H %P", "main") == commit
    assert repo.files_of("main") == {"a": b"1\n", "d/b": b"2\n"}
    assert repo.git("status", "--porcelain") == ""


async def test_a_new_branch_beside_an_unborn_one(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    git = await repo.open(tmp_path / "state")
    await commit_change(git, change_of({"a": b"1\n"}), branch="x")
    assert repo.files_of("x") == {"a": b"1\n"}
    assert repo.git("symbolic-ref", "HEAD") == "refs/heads/main"


async def test_a_detached_head_needs_a_branch(repo: Repo, git: GitRepository) -> None:
    repo.git("checkout", "-q", "--detach")
    with pytest.raises(RepositoryRefused, match="HEAD is detached"):
        await commit_change(git, change_of({"b.txt": b"2\n"}), branch=None)
    commit = await commit_change(git, change_of({"b.txt": b"2\n"}), branch="x")
    assert repo.git("rev-parse", "x") == commit
