from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from selfheal_tui.adapters.git.repository import GitRepository, open_repository
from selfheal_tui.errors import RepositoryRefused
from tests.support.repos import Repo, change_of, commit_change, make_home, make_repo, poisoned


async def opened(folder: Path, repo: Repo, state: Path) -> GitRepository:
    return await open_repository(folder, state, environment=repo.environment)


async def test_the_root_is_found_from_a_folder_below(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a/b/c.txt": b"1\n"})
    git = await opened(repo.path / "a" / "b", repo, tmp_path / "state")
    assert (git.root, git.facts.branch, git.facts.head) == (
        str(repo.path),
        "refs/heads/main",
        repo.git("rev-parse", "HEAD"),
    )
    assert git.facts.warnings == ()


async def test_inherited_git_variables_are_not_followed(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a": b"1\n"})
    other = make_repo(tmp_path, {"b": b"2\n"}, name="other")
    environment = poisoned(repo.environment, tmp_path / "evil", other.path / ".git")
    git = await open_repository(repo.path, tmp_path / "state", environment=environment)
    assert git.root == str(repo.path)
    assert (await git.snapshot()).files == 1


async def test_a_folder_without_a_repository_is_refused(tmp_path: Path) -> None:
    environment = make_home(tmp_path)
    with pytest.raises(RepositoryRefused, match="is not in a git repository"):
        await open_repository(tmp_path, tmp_path / "state", environment=environment)
    with pytest.raises(RepositoryRefused, match="is not a folder"):
        await open_repository(tmp_path / "none", tmp_path / "state", environment=environment)


async def test_a_bare_repository_and_a_git_folder_are_refused(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a": b"1\n"})
    repo.git("init", "-q", "--bare", str(tmp_path / "bare.git"))
    for folder in (tmp_path / "bare.git", repo.path / ".git"):
        with pytest.raises(RepositoryRefused, match="bare repository or the inside of one"):
            await opened(folder, repo, tmp_path / "state")


async def test_a_partial_clone_is_refused(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a": b"1\n"})
    repo.git("config", "remote.origin.promisor", "true")
    with pytest.raises(RepositoryRefused, match="partial clone"):
        await opened(repo.path, repo, tmp_path / "state")


async def test_a_worktree_setting_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a": b"1\n"})
    repo.git("config", "core.worktree", str(tmp_path))
    with pytest.raises(RepositoryRefused, match=r"core\.worktree"):
        await opened(repo.path, repo, tmp_path / "state")


async def test_a_git_file_that_leads_to_another_repository_is_refused(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a": b"1\n"})
    (tmp_path / "trap").mkdir()
    (tmp_path / "trap" / ".git").write_text(f"gitdir: {repo.path}/.git\n")
    with pytest.raises(RepositoryRefused, match="does not point back"):
        await opened(tmp_path / "trap", repo, tmp_path / "state")


async def test_a_git_link_is_refused(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a": b"1\n"})
    (tmp_path / "trap").mkdir()
    (tmp_path / "trap" / ".git").symlink_to(repo.path / ".git")
    with pytest.raises(RepositoryRefused, match=r"no \.git of its own"):
        await opened(tmp_path / "trap", repo, tmp_path / "state")


async def test_a_repository_of_another_user_is_refused(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    repo = make_repo(tmp_path, {"a": b"1\n"})
    for path in (repo.path, repo.path / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(RepositoryRefused, match="belongs to another user"):
        await opened(repo.path, repo, tmp_path / "state")
    repo.git("config", "--global", "--add", "safe.directory", str(repo.path))
    assert (await opened(repo.path, repo, tmp_path / "state")).root == str(repo.path)


async def test_a_linked_worktree_works(tmp_path: Path) -> None:
    main = make_repo(tmp_path, {"a": b"1\n"})
    main.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = replace(main, path=tmp_path / "side")
    git = await opened(side.path, side, tmp_path / "state")
    assert git.facts.branch == "refs/heads/side"
    commit = await commit_change(git, change_of({"a": b"2\n"}), branch=None)
    assert main.git("rev-parse", "side") == commit
    assert side.git("status", "--porcelain") == ""
    assert main.git("status", "--porcelain") == ""


async def test_a_submodule_works_from_its_inside(tmp_path: Path) -> None:
    inner = make_repo(tmp_path, {"a": b"1\n"}, name="inner")
    outer = make_repo(tmp_path, {"o": b"1\n"}, name="outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.path), "sub")
    outer.commit("add it")
    git = await opened(outer.path / "sub", outer, tmp_path / "state")
    assert git.root == str(outer.path / "sub")
    assert (await git.snapshot()).files == 1


async def test_a_sha256_repository_works(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo", make_home(tmp_path))
    repo.path.mkdir()
    repo.git("init", "-q", "--object-format=sha256")
    repo.write("a", b"1\n")
    repo.commit()
    git = await opened(repo.path, repo, tmp_path / "state")
    commit = await commit_change(git, change_of({"b": b"2\n"}))
    assert len(commit) == 64
    assert repo.files_of("selfheal/fix") == {"a": b"1\n", "b": b"2\n"}
    repo.git("fsck", "--strict")


async def test_a_shallow_clone_works_and_is_told(tmp_path: Path) -> None:
    origin = make_repo(tmp_path, {"a": b"1\n"}, name="origin")
    origin.write("a", b"2\n")
    origin.commit("second")
    shallow = origin.clone("shallow", "--depth=1")
    git = await opened(shallow.path, shallow, tmp_path / "state")
    assert git.facts.warnings == (
        "the clone is shallow: a push may need `git fetch --unshallow` first",
    )
    await commit_change(git, change_of({"a": b"3\n"}))
    assert shallow.files_of("selfheal/fix") == {"a": b"3\n"}


async def test_hooks_signing_and_filters_are_told(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a": b"1\n", ".gitattributes": b"*.bin filter=lfs\n"})
    hook = repo.path / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o755)
    repo.git("config", "commit.gpgSign", "true")
    git = await opened(repo.path, repo, tmp_path / "state")
    assert git.facts.warnings == (
        "hooks will not run: pre-commit",
        "commits are not signed, although commit.gpgSign is set",
        "files with a filter attribute (LFS, encryption) cannot be committed",
    )


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("MERGE_HEAD", "merge"),
        ("rebase-merge/x", "rebase"),
        ("rebase-apply/x", "rebase"),
        ("CHERRY_PICK_HEAD", "cherry-pick"),
        ("REVERT_HEAD", "revert"),
        ("BISECT_LOG", "bisect"),
    ],
)
async def test_an_unfinished_operation_is_told_and_forbids_the_commit(
    tmp_path: Path, file: str, name: str
) -> None:
    repo = make_repo(tmp_path, {"a": b"1\n"})
    marker = repo.path / ".git" / file
    marker.parent.mkdir(exist_ok=True)
    marker.write_text("x")
    git = await opened(repo.path, repo, tmp_path / "state")
    assert git.facts.in_progress == name
    with pytest.raises(RepositoryRefused, match=f"a {name} is in progress"):
        await commit_change(git, change_of({"a": b"2\n"}))
    assert repo.git("branch", "--list", "selfheal/*") == ""


async def test_a_damaged_configuration_is_a_sentence(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a": b"1\n"})
    (repo.path / ".git" / "config").write_text("[core\n")
    with pytest.raises(RepositoryRefused, match="bad config line"):
        await opened(repo.path, repo, tmp_path / "state")


async def test_the_state_folder_is_private_and_opens_again(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a": b"1\n"})
    first = await opened(repo.path, repo, tmp_path / "state")
    tree = (await first.snapshot()).tree
    changed = await first.shadow.apply(tree, change_of({"n": b"new\n"}))
    await first.close()
    again = await opened(repo.path, repo, tmp_path / "state")
    assert await again.shadow.change(tree, changed) == change_of({"n": b"new\n"})
    for name in ("shadow.git", "rules", "scratch"):
        assert (tmp_path / "state" / name).stat().st_mode & 0o777 == 0o700
