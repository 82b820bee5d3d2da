from __future__ import annotations

import hashlib
import os
import shutil
import socket
from pathlib import Path

import pytest

from selfheal_tui.adapters.git import snapshot as snapshot_module
from selfheal_tui.agent.ports import Snapshot
from selfheal_tui.core.tree import EXECUTABLE, LINK, REGULAR, TreeFile
from tests.support.repos import Repo, make_home, make_repo


async def taken(repo: Repo, state: Path) -> tuple[Snapshot, set[TreeFile]]:
    git = await repo.open(state)
    snapshot = await git.snapshot()
    return snapshot, set(await git.shadow.files(snapshot.tree))


async def test_a_clean_tree_is_heads_tree_and_nothing_is_copied(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a": b"1\n", "d/b": b"22\n"})
    snapshot, files = await taken(repo, tmp_path / "state")
    head_tree = repo.git("rev-parse", "HEAD^{tree}")
    assert snapshot == Snapshot(
        tree=head_tree,
        head=repo.git("rev-parse", "HEAD"),
        head_tree=head_tree,
        branch="refs/heads/main",
        files=2,
        bytes=5,
    )
    assert files == {TreeFile("a", REGULAR, b"1\n"), TreeFile("d/b", REGULAR, b"22\n")}
    assert not list((tmp_path / "state" / "shadow.git" / "objects").glob("??"))


async def test_every_kind_of_uncommitted_edit_is_in_the_snapshot(tmp_path: Path) -> None:
    repo = make_repo(
        tmp_path,
        {n: f"{n}\n".encode() for n in ("edited", "staged", "deleted", "rm", "same", "mode")},
    )
    repo.write("edited", b"edited by hand\n")
    repo.write("staged", b"first staged\n")
    repo.git("add", "staged")
    repo.write("staged", b"then edited\n")
    (repo.path / "deleted").unlink()
    repo.git("rm", "-q", "rm")
    (repo.path / "mode").chmod(0o755)
    repo.write("new/untracked", b"new\n")
    (repo.path / "link").symlink_to("../../etc/passwd")
    repo.git("add", "link")
    before = repo.settled(), repo.manifest()
    snapshot, files = await taken(repo, tmp_path / "state")
    assert files == {
        TreeFile("edited", REGULAR, b"edited by hand\n"),
        TreeFile("staged", REGULAR, b"then edited\n"),
        TreeFile("same", REGULAR, b"same\n"),
        TreeFile("mode", EXECUTABLE, b"mode\n"),
        TreeFile("new/untracked", REGULAR, b"new\n"),
        TreeFile("link", LINK, b"../../etc/passwd"),
    }
    assert snapshot.dirty == ("deleted", "edited", "link", "mode", "new/untracked", "rm", "staged")
    assert (repo.settled(), repo.manifest()) == before


async def test_ignored_files_never_enter(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {".gitignore": b"*.log\n/.env\n", "kept.log": b"1\n", "a": b"1\n"})
    repo.git("add", "-f", "kept.log")
    repo.git("commit", "-q", "-m", "tracked although ignored")
    repo.write(".env", b"KEY=secret\n")
    repo.write("x.log", b"x\n")
    repo.write("excluded", b"x\n")
    (repo.path / ".git" / "info" / "exclude").write_text("excluded\n")
    repo.write("globally", b"x\n")
    (Path(repo.environment["HOME"]) / "ignore").write_text("globally\n")
    repo.git("config", "--global", "core.excludesFile", "~/ignore")
    _, files = await taken(repo, tmp_path / "state")
    assert {file.path for file in files} == {".gitignore", "kept.log", "a"}


async def test_odd_names_survive(tmp_path: Path) -> None:
    names = [
        "with space",
        "new\nline",
        "tab\there",
        'quo"te',
        "back\\slash",
        "-dash",
        ":(glob)*",
        "*?[x]",
        "ünï",
        os.fsdecode(b"not-utf8-\xff"),
        " lead",
        "trail ",
        "cr\r",
    ]
    repo = make_repo(tmp_path, {"a": b"1\n"})
    for name in names[::2]:
        repo.write(name, b"tracked\n")
    repo.commit()
    for name in names[1::2]:
        repo.write(f"d/{name}", b"untracked\n")
    _, files = await taken(repo, tmp_path / "state")
    assert {file.path for file in files} == {
        "a",
        *names[::2],
        *(f"d/{name}" for name in names[1::2]),
    }


async def test_what_is_not_a_file_is_left_out_with_its_reason(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a": b"1\n", "fifo": b"1\n", "sock": b"1\n", "big": b"1\n"})
    (repo.path / "fifo").unlink()
    os.mkfifo(repo.path / "fifo")
    (repo.path / "sock").unlink()
    server = socket.socket(socket.AF_UNIX)
    os.chdir(repo.path)
    server.bind("sock")
    server.close()
    with (repo.path / "big").open("wb") as stream:
        stream.truncate(snapshot_module.MAX_FILE + 1)
    nested = repo.path / "nested"
    nested.mkdir()
    Repo(nested, repo.environment).git("init", "-q")
    (nested / "x").write_text("x")
    snapshot, files = await taken(repo, tmp_path / "state")
    assert files == {TreeFile("a", REGULAR, b"1\n")}
    assert snapshot.left_out == (
        "big: larger than 100 MiB",
        "fifo: not a regular file",
        "nested/: a repository of its own",
        "sock: not a regular file",
    )
    assert snapshot.dirty == ()


async def test_a_submodule_is_left_out(tmp_path: Path) -> None:
    inner = make_repo(tmp_path, {"a": b"1\n"}, name="inner")
    repo = make_repo(tmp_path, {"o": b"1\n"})
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.path), "sub")
    repo.commit("add it")
    snapshot, files = await taken(repo, tmp_path / "state")
    assert {file.path for file in files} == {"o", ".gitmodules"}
    assert (snapshot.left_out, snapshot.dirty) == (("sub: a submodule",), ())


async def test_nothing_is_read_through_a_link(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"d/secret": b"1\n", "a": b"1\n"})
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("the key")
    shutil.rmtree(repo.path / "d")
    (repo.path / "d").symlink_to(outside)
    _, files = await taken(repo, tmp_path / "state")
    assert files == {TreeFile("a", REGULAR, b"1\n"), TreeFile("d", LINK, bytes(outside))}


async def test_a_file_may_become_a_folder_and_a_folder_a_file(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"file": b"1\n", "folder/x": b"1\n"})
    (repo.path / "file").unlink()
    repo.write("file/inside", b"2\n")
    shutil.rmtree(repo.path / "folder")
    repo.write("folder", b"3\n")
    snapshot, files = await taken(repo, tmp_path / "state")
    assert files == {
        TreeFile("file/inside", REGULAR, b"2\n"),
        TreeFile("folder", REGULAR, b"3\n"),
    }
    assert snapshot.dirty == ("file", "file/inside", "folder", "folder/x")


async def test_an_unreadable_file_is_left_out(tmp_path: Path) -> None:
    if os.getuid() == 0:
        pytest.skip("root reads everything")
    repo = make_repo(tmp_path, {"a": b"1\n", "locked": b"1\n"})
    (repo.path / "locked").chmod(0)
    snapshot, _ = await taken(repo, tmp_path / "state")
    assert snapshot.left_out == ("locked: permission denied",)


async def test_an_empty_repository_gives_an_empty_head(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    snapshot, files = await taken(repo, tmp_path / "state")
    empty = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    assert files == set()
    assert snapshot == Snapshot(empty, "0" * 40, empty, "refs/heads/main", 0, 0)


async def test_a_detached_head_has_no_branch(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a": b"1\n"})
    repo.git("checkout", "-q", "--detach")
    snapshot, _ = await taken(repo, tmp_path / "state")
    assert (snapshot.branch, snapshot.head) == ("", repo.git("rev-parse", "HEAD"))


async def test_a_sparse_checkout_is_completed_from_the_index(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"in/a": b"1\n", "out/b": b"2\n"})
    repo.git("sparse-checkout", "set", "in")
    assert not (repo.path / "out").exists()
    snapshot, files = await taken(repo, tmp_path / "state")
    assert files == {TreeFile("in/a", REGULAR, b"1\n"), TreeFile("out/b", REGULAR, b"2\n")}
    assert snapshot.dirty == ()


@pytest.mark.parametrize("by", ["setting", "attribute"])
async def test_a_crlf_checkout_is_not_dirty_but_comes_as_it_is(tmp_path: Path, by: str) -> None:
    repo = make_repo(tmp_path, {"a.txt": b"1\n2\n", "b.txt": b"1\n"})
    if by == "setting":
        repo.git("config", "core.autocrlf", "true")
    else:
        repo.write(".gitattributes", b"*.txt text eol=crlf\n")
        repo.commit()
    repo.write("a.txt", b"1\r\n2\r\n")
    repo.write("b.txt", b"changed\r\n")
    snapshot, files = await taken(repo, tmp_path / "state")
    assert TreeFile("a.txt", REGULAR, b"1\r\n2\r\n") in files
    assert snapshot.dirty == ("b.txt",)


async def test_line_ends_that_git_would_commit_are_dirty(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a.txt": b"1\n2\n", "b.bin": b"1\n"})
    repo.write(".gitattributes", b"*.bin -text\n")
    repo.commit()
    repo.write("a.txt", b"1\r\n2\r\n")
    repo.write("b.bin", b"1\r\n")
    snapshot, _ = await taken(repo, tmp_path / "state")
    assert snapshot.dirty == ("a.txt", "b.bin")


async def test_files_with_a_filter_are_not_called_dirty(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {".gitattributes": b"*.dat filter=lfs\n", "x.dat": b"pointer\n"})
    repo.write("x.dat", b"the large content\n")
    snapshot, files = await taken(repo, tmp_path / "state")
    assert snapshot.dirty == ()
    assert TreeFile("x.dat", REGULAR, b"the large content\n") in files


async def test_a_second_snapshot_sees_what_changed_since(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a": b"1\n", "b": b"1\n", "c/d": b"1\n"})
    git = await repo.open(tmp_path / "state")
    first = await git.snapshot()
    repo.write("a", b"2\n")
    (repo.path / "c" / "d").unlink()
    repo.write("c/e", b"3\n")
    second = await git.snapshot()
    change = await git.shadow.change(first.tree, second.tree)
    assert set(change.written) == {TreeFile("a", REGULAR, b"2\n"), TreeFile("c/e", REGULAR, b"3\n")}
    assert change.deleted == ("c/d",)
    # The same size, and a time stamp put back: content is the truth.
    old = (repo.path / "b").stat()
    repo.write("b", b"9\n")
    os.utime(repo.path / "b", ns=(old.st_atime_ns, old.st_mtime_ns))
    third = await git.snapshot()
    assert (await git.shadow.change(second.tree, third.tree)).written == (
        TreeFile("b", REGULAR, b"9\n"),
    )


async def test_file_modes_come_from_the_index_where_the_disk_has_none(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    repo.write("run", b"#!\n", executable=True)
    repo.write("plain", b"1\n")
    repo.commit()
    repo.git("config", "core.fileMode", "false")
    (repo.path / "run").chmod(0o644)
    (repo.path / "plain").chmod(0o755)
    snapshot, files = await taken(repo, tmp_path / "state")
    assert files == {TreeFile("run", EXECUTABLE, b"#!\n"), TreeFile("plain", REGULAR, b"1\n")}
    assert snapshot.dirty == ()


async def test_a_name_that_leaves_the_tree_is_not_opened(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"aaaaaaaaa": b"1\n", "b": b"1\n"})
    (tmp_path / "secret").write_text("the key")
    index = repo.path / ".git" / "index"
    # What no git would write, but a planted index may hold.
    damaged = index.read_bytes()[:-20].replace(b"aaaaaaaaa", b"../secret")
    index.write_bytes(damaged + hashlib.sha1(damaged).digest())
    snapshot, files = await taken(repo, tmp_path / "state")
    assert {file.path for file in files} == {"aaaaaaaaa", "b"}
    assert snapshot.left_out == ("../secret: not a plain path within the tree: '../secret'",)


async def test_an_interrupted_update_leaves_nothing_in_the_snapshot(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a": b"1\n"})
    repo.write(".selfheal-123-0123456789abcdef.tmp", b"half")
    snapshot, files = await taken(repo, tmp_path / "state")
    assert files == {TreeFile("a", REGULAR, b"1\n")}
    assert snapshot.left_out == (
        ".selfheal-123-0123456789abcdef.tmp: left behind by an interrupted update",
    )


async def test_a_conflict_is_taken_as_it_is_on_disk(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a": b"1\n", "b": b"1\n"})
    repo.git("checkout", "-q", "-b", "side")
    repo.write("a", b"side\n")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.write("a", b"main\n")
    repo.commit()
    repo.git("merge", "side", check=False)
    snapshot, files = await taken(repo, tmp_path / "state")
    assert TreeFile("a", REGULAR, repo.read("a")) in files
    assert b"<<<<<<<" in repo.read("a")
    assert (snapshot.files, snapshot.dirty) == (2, ("a",))


async def test_a_home_that_is_not_set_is_no_matter(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, {"a": b"1\n"})
    environment = {k: v for k, v in make_home(tmp_path).items() if k != "HOME"}
    snapshot, _ = await taken(Repo(repo.path, environment), tmp_path / "state")
    assert snapshot.files == 1
