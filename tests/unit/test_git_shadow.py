from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfheal_tui.adapters.git.beneath import above_of
from selfheal_tui.adapters.git.repository import GitRepository
from selfheal_tui.core.patch import file_counts, read_patch
from selfheal_tui.core.tree import EXECUTABLE, LINK, REGULAR, TreeChange, TreeFile
from selfheal_tui.errors import SandboxError
from tests.support.repos import change_of, make_repo


@pytest.fixture
async def git(tmp_path: Path) -> GitRepository:
    repo = make_repo(tmp_path, {"a": b"1\n", "d/b": b"2\n", ".gitignore": b"*.o\nbuild/\n"})
    (repo.path / ".git" / "info" / "exclude").write_text("mine\n")
    return await repo.open(tmp_path / "state")


async def test_a_change_goes_in_and_comes_out(git: GitRepository) -> None:
    base = (await git.snapshot()).tree
    change = TreeChange(
        (
            TreeFile("a", EXECUTABLE, b"1\n"),
            TreeFile("empty", REGULAR, b""),
            TreeFile("link", LINK, b"/etc/passwd"),
            TreeFile("n/new\nline", REGULAR, b"\0binary"),
        ),
        ("d/b",),
    )
    tree = await git.shadow.apply(base, change)
    came = await git.shadow.change(base, tree)
    assert (set(came.written), came.deleted) == (set(change.written), change.deleted)
    assert set(await git.shadow.files(tree)) == {
        *change.written,
        TreeFile(".gitignore", REGULAR, b"*.o\nbuild/\n"),
    }
    assert await git.shadow.apply(tree, TreeChange()) == tree


async def test_the_same_files_always_give_the_same_tree(git: GitRepository) -> None:
    base = (await git.snapshot()).tree
    there = await git.shadow.apply(base, change_of({"x/y": b"1\n"}, ("a",)))
    back = await git.shadow.apply(there, change_of({"a": b"1\n"}, ("x/y",)))
    assert back == base


async def test_a_file_gives_way_to_a_folder_and_back(git: GitRepository) -> None:
    base = (await git.snapshot()).tree
    folder = await git.shadow.apply(base, change_of({"a/x": b"1\n"}, ("a",)))
    assert {f.path for f in await git.shadow.files(folder)} == {"a/x", "d/b", ".gitignore"}
    file = await git.shadow.apply(folder, change_of({"a": b"1\n"}, ("a/x",)))
    assert file == base


async def test_everything_can_be_deleted(git: GitRepository) -> None:
    base = (await git.snapshot()).tree
    tree = await git.shadow.apply(base, change_of({}, ("a", "d/b", ".gitignore")))
    assert await git.shadow.files(tree) == ()


@pytest.mark.parametrize(
    "path",
    ["../a", "/etc/x", "a/../b", ".git/config", "x/.GIT/hooks/y", "", "a//b", "./a", "a/."],
)
async def test_a_bad_name_is_refused(git: GitRepository, path: str) -> None:
    base = (await git.snapshot()).tree
    with pytest.raises(SandboxError):
        await git.shadow.apply(base, change_of({path: b"x"}))


async def test_the_patch_is_gits(git: GitRepository) -> None:
    base = (await git.snapshot()).tree
    tree = await git.shadow.apply(base, change_of({"a": b"one\n", "ü": b"\0"}, ("d/b",)))
    one, ue = "5626abf0f72e58d7a153368ba57db4c673c0e171", "f76dd238ade08917e6712764a16a22005a50573d"
    assert await git.shadow.patch(base, tree) == (
        "diff --git a/a b/a\n"
        f"index d00491fd7e5bb6fa28c517a0bb32b8b506539d4d..{one} 100644\n"
        "--- a/a\n+++ b/a\n@@ -1 +1 @@\n-1\n+one\n"
        "diff --git a/d/b b/d/b\ndeleted file mode 100644\n"
        f"index 0cfbf08886fca9a91cb753ec8734c84fcbe52c9f..{'0' * 40}\n"
        "--- a/d/b\n+++ /dev/null\n@@ -1 +0,0 @@\n-2\n"
        'diff --git "a/\\303\\274" "b/\\303\\274"\nnew file mode 100644\n'
        f"index {'0' * 40}..{ue}\n"
        'Binary files /dev/null and "b/\\303\\274" differ\n'
    )


async def test_attributes_of_the_tree_do_not_hide_a_difference(git: GitRepository) -> None:
    base = (await git.snapshot()).tree
    start = await git.shadow.apply(base, change_of({".gitattributes": b"* -diff binary\n"}))
    tree = await git.shadow.apply(start, change_of({"a": b"one\n"}))
    assert "-1\n+one\n" in await git.shadow.patch(start, tree)


async def test_ignore_rules_are_the_trees_the_users_and_the_sandboxs(git: GitRepository) -> None:
    base = (await git.snapshot()).tree
    paths = ("x.o", "build/x", "d/build/y", "mine", "a.pyc", "p/__pycache__/m", "a", "kept", "./x")
    assert await git.shadow.ignored(base, paths) == {
        "x.o",
        "build/x",
        "d/build/y",
        "mine",
        "a.pyc",
        "p/__pycache__/m",
    }
    tree = await git.shadow.apply(base, change_of({".gitignore": b"kept\n", "d/.gitignore": b"!*"}))
    assert await git.shadow.ignored(tree, ("x.o", "kept", "d/kept", "mine")) == {"kept", "mine"}


async def test_what_the_tree_holds_is_never_ignored(git: GitRepository) -> None:
    base = (await git.snapshot()).tree
    tree = await git.shadow.apply(base, change_of({"x.o": b"tracked", "build/y": b"too"}))
    assert await git.shadow.ignored(tree, ("x.o", "build/y", "y.o")) == {"y.o"}


async def test_odd_names_are_asked_for_as_they_are(git: GitRepository) -> None:
    base = (await git.snapshot()).tree
    odd = (":(top)x.o", "*.o", "new\nline.o", os.fsdecode(b"\xff.o"), "-x.o", " .o", "../x.o", "")
    assert await git.shadow.ignored(base, odd) == set(odd) - {"../x.o", ""}


async def test_a_planted_ignore_link_is_not_followed(git: GitRepository, tmp_path: Path) -> None:
    base = (await git.snapshot()).tree
    outside = tmp_path / "outside"
    outside.write_text("*\n")
    link = TreeChange((TreeFile("d/.gitignore", LINK, bytes(outside)),))
    tree = await git.shadow.apply(base, link)
    assert await git.shadow.ignored(tree, ("d/x", "d/x.o")) == {"d/x.o"}


PATHS = st.lists(
    st.sampled_from(["a", "b", "ü", "c d", 'q"', "new\nline", "t\tb", "\\", " b/b", "\udcff"]),
    min_size=1,
    max_size=2,
).map("/".join)
CONTENT = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from([b"-- x", b"++ y", b"@@ -1 +1 @@", b"\r", b"", b"z"]), max_size=9).map(
        b"\n".join
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(PATHS, CONTENT, max_size=4), st.dictionaries(PATHS, CONTENT, max_size=4))
async def test_any_tree_survives_and_any_patch_is_read(
    git: GitRepository, one: dict[str, bytes], other: dict[str, bytes]
) -> None:
    one, other = _without_clashes(one), _without_clashes(other)
    empty = git.shadow.empty_tree
    old = await git.shadow.apply(empty, change_of(one))
    new = await git.shadow.apply(empty, change_of(other))
    assert {f.path: f.content for f in await git.shadow.files(new)} == other
    change = await git.shadow.change(old, new)
    assert await git.shadow.apply(old, change) == new
    patch = await git.shadow.patch(old, new)
    touched = {f.path for f in change.written} | set(change.deleted)
    assert {file.path for file in read_patch(patch)} == touched
    assert file_counts(patch) == tuple((f.path, f.added, f.removed) for f in read_patch(patch))


def _without_clashes(files: dict[str, bytes]) -> dict[str, bytes]:
    return {p: c for p, c in files.items() if not any(above in files for above in above_of(p))}


@pytest.mark.parametrize("paths", [("a/x",), ("d",), ("n", "n/x"), ("d/b/c/e",)])
async def test_a_path_cannot_be_a_file_and_a_folder(
    git: GitRepository, paths: tuple[str, ...]
) -> None:
    base = (await git.snapshot()).tree
    with pytest.raises(SandboxError, match="both a file and a folder"):
        await git.shadow.apply(base, change_of(dict.fromkeys(paths, b"x")))


@pytest.mark.parametrize(
    ("paths", "reason"),
    [
        (("A",), "takes? for 'a'"),
        (("D/x",), "takes? for 'd'"),
        (("n", "N"), "takes? for"),
        (("x/HEAD", "x/refs/y", "x/objects/z"), "takes for a repository"),
        (("HEAD", "refs/y", "objects/z"), "takes for a repository"),
        (("git~1/x",), r"\.git folder"),
        (("x" * 300,), "too long"),
    ],
)
async def test_names_that_trick_other_systems_are_refused(
    git: GitRepository, paths: tuple[str, ...], reason: str
) -> None:
    base = (await git.snapshot()).tree
    with pytest.raises(SandboxError, match=reason):
        await git.shadow.apply(base, change_of(dict.fromkeys(paths, b"x")))


async def test_the_users_own_odd_names_are_no_fault_of_a_change(tmp_path: Path) -> None:
    files = ("README", "readme", "fixture/HEAD", "fixture/refs/x", "fixture/objects/y")
    repo = make_repo(tmp_path, dict.fromkeys(files, b"1\n"))
    git = await repo.open(tmp_path / "state")
    base = (await git.snapshot()).tree
    tree = await git.shadow.apply(base, change_of({"fixture/refs/z": b"2\n", "readme": b"2\n"}))
    assert {f.path for f in await git.shadow.files(tree)} == {*files, "fixture/refs/z"}
