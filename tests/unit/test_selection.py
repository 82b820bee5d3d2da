"""Refused hunks leave a change, and nothing else of it does."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.adapters.git.repository import GitRepository
from selfheal_tui.adapters.git.shadow import ShadowRepository
from selfheal_tui.agent.selection import describe, without_hunks
from selfheal_tui.core.approval import WHOLE_FILE, RefusedHunk
from selfheal_tui.core.hunkbytes import taken_back
from selfheal_tui.core.patch import Hunk, read_patch
from selfheal_tui.core.tree import EXECUTABLE, LINK, REGULAR, TreeChange, TreeFile
from selfheal_tui.errors import UsageError
from tests.support.repos import change_of, make_repo

LINES = [b"%d\n" % n for n in range(40)]
LONG = b"".join(LINES)


@pytest.fixture
async def git(tmp_path: Path) -> GitRepository:
    files = {"long": LONG, "gone": b"1\n2\n", "kept": b"k\n", "crlf": LONG.replace(b"\n", b"\r\n")}
    return await make_repo(tmp_path, files).open(tmp_path / "state")


async def trees(git: GitRepository, change: TreeChange) -> tuple[str, str]:
    base = (await git.snapshot()).tree
    return base, await git.shadow.apply(base, change)


async def files_of(git: GitRepository, tree: str) -> dict[str, tuple[int, bytes]]:
    return {file.path: (file.mode, file.content) for file in await git.shadow.files(tree)}


def edited(*numbers: int, by: bytes = b"new\n") -> bytes:
    """The long file with other lines at these places."""
    return b"".join(by if n in numbers else line for n, line in enumerate(LINES))


async def test_refusing_nothing_leaves_the_tree(git: GitRepository) -> None:
    base, tree = await trees(git, change_of({"long": edited(3), "new": b"n\n"}, ("gone",)))
    assert await without_hunks(git.shadow, base, tree, ()) == tree


async def test_refusing_every_file_gives_the_base(git: GitRepository) -> None:
    change = TreeChange(
        (
            TreeFile("long", EXECUTABLE, edited(3)),
            TreeFile("new", REGULAR, b"n\n"),
            TreeFile("empty", REGULAR, b""),
            TreeFile("kept", LINK, b"long"),
            TreeFile("binary", REGULAR, b"\0\1"),
        ),
        ("gone",),
    )
    base, tree = await trees(git, change)
    paths = ("long", "new", "empty", "kept", "binary", "gone")
    refused = [RefusedHunk(path, WHOLE_FILE) for path in paths]
    assert await without_hunks(git.shadow, base, tree, refused) == base


async def test_one_hunk_goes_and_the_others_stay(git: GitRepository) -> None:
    base, tree = await trees(git, change_of({"long": edited(3, 20, 36), "new": b"n\n"}))
    left = await without_hunks(git.shadow, base, tree, [RefusedHunk("long", 1)])
    assert await files_of(git, left) == await files_of(git, tree) | {
        "long": (REGULAR, edited(3, 36))
    }


async def test_a_file_refused_hunk_by_hunk_has_its_old_mode_again(git: GitRepository) -> None:
    base, tree = await trees(git, TreeChange((TreeFile("long", EXECUTABLE, edited(3, 20)),)))
    both = [RefusedHunk("long", 0), RefusedHunk("long", 1)]
    assert await without_hunks(git.shadow, base, tree, both) == base
    left = await without_hunks(git.shadow, base, tree, both[:1])
    assert (await files_of(git, left))["long"] == (EXECUTABLE, edited(20))


async def test_carriage_returns_and_a_missing_last_newline_stay_as_they_are(
    git: GitRepository,
) -> None:
    lines = (await files_of(git, (await git.snapshot()).tree))["crlf"][1].split(b"\n")
    lines[3], lines[30] = b"\xff mixed", b"\x0b\x0c\x85\xe2\x80\xa8 not the ends of lines\r"
    change = change_of({"crlf": b"\n".join(lines) + b"last\rline"})
    base, tree = await trees(git, change)
    left = await without_hunks(git.shadow, base, tree, [RefusedHunk("crlf", 0)])
    expected = b"\n".join([*lines[:3], b"3\r", *lines[4:]]) + b"last\rline"
    assert (await files_of(git, left))["crlf"] == (REGULAR, expected)


async def test_a_file_that_became_a_link_goes_back_as_a_whole(git: GitRepository) -> None:
    base, tree = await trees(git, TreeChange((TreeFile("long", LINK, b"kept"),)))
    assert await without_hunks(git.shadow, base, tree, [RefusedHunk("long", 0)]) == base


async def test_names_that_git_quotes_are_found(git: GitRepository) -> None:
    odd = 'a"\\\n\tb' + os.fsdecode(b"\xff")
    base, tree = await trees(git, change_of({odd: b"1\n", "new": b"2\n"}))
    left = await without_hunks(git.shadow, base, tree, [RefusedHunk(odd, 0)])
    assert left == await git.shadow.apply(base, change_of({"new": b"2\n"}))


@pytest.mark.parametrize(
    ("refused", "sentence"),
    [
        (RefusedHunk("kept", 0), "the change does not touch kept"),
        (RefusedHunk("long", 2), "the change has no hunk 2 in long, which has 1"),
        (RefusedHunk("long", -2), "no hunk -2"),
        (RefusedHunk("empty", 0), "no hunk 0 in empty, which has 0"),
    ],
)
async def test_what_is_not_there_cannot_be_refused(
    git: GitRepository, refused: RefusedHunk, sentence: str
) -> None:
    base, tree = await trees(git, change_of({"long": edited(3), "empty": b""}))
    with pytest.raises(UsageError, match=sentence):
        await without_hunks(git.shadow, base, tree, [refused])


async def test_a_file_cannot_come_back_where_a_folder_is_now(git: GitRepository) -> None:
    base, tree = await trees(git, change_of({"gone/inside": b"1\n"}, ("gone",)))
    with pytest.raises(UsageError, match="gone cannot be taken back alone"):
        await without_hunks(git.shadow, base, tree, [RefusedHunk("gone", WHOLE_FILE)])
    both = [RefusedHunk("gone", WHOLE_FILE), RefusedHunk("gone/inside", 0)]
    assert await without_hunks(git.shadow, base, tree, both) == base


async def test_refused_hunks_are_told_by_path_header_and_reason(git: GitRepository) -> None:
    base, tree = await trees(git, change_of({"long": edited(20), "new": b"n\n"}))
    files = read_patch(await git.shadow.patch(base, tree))
    refused = (RefusedHunk("long", 0, "no"), RefusedHunk("new", WHOLE_FILE))
    assert describe(files, refused) == (
        ("long", "@@ -18,7 +18,7 @@", "no"),
        ("new", "", ""),
    )
    with pytest.raises(UsageError, match="does not touch other"):
        describe(files, [RefusedHunk("other", 0)])


def test_a_hunk_of_another_file_is_refused() -> None:
    hunk = Hunk("@@ -8,2 +8,2 @@", 8, 8, ())
    with pytest.raises(ValueError, match="not one of this file"):
        taken_back(b"1\n", b"2\n", [hunk])


# --- beside git's own apply


@pytest.fixture(scope="module")
def shadow(tmp_path_factory: pytest.TempPathFactory) -> ShadowRepository:
    """One for all examples: to make a repository takes longer than to try an example."""
    folder = tmp_path_factory.mktemp("selection")
    return asyncio.run(make_repo(folder, {"a": b"1\n"}).open(folder / "state")).shadow


CONTENTS = st.lists(
    st.sampled_from([b"a", b"b", b"c\r", b"", b"\xff", b"x\x0by", b"\r", b"d\xe2\x80\xa8"]),
    max_size=60,
).map(b"\n".join)


@settings(max_examples=40, deadline=None)
@given(
    old=CONTENTS,
    edits=st.lists(st.tuples(st.integers(0, 60), CONTENTS), max_size=4),
    data=st.data(),
)
def test_any_choice_is_what_git_apply_makes_of_the_other_hunks(
    shadow: ShadowRepository,
    tmp_path_factory: pytest.TempPathFactory,
    old: bytes,
    edits: list[tuple[int, bytes]],
    data: st.DataObject,
) -> None:
    new = old
    for place, text in edits:
        lines = new.split(b"\n")
        new = b"\n".join([*lines[:place], text[:4], *lines[place + 1 :]])
    base = shadow.applied(shadow.empty_tree, change_of({"file": old}))
    tree = shadow.applied(shadow.empty_tree, change_of({"file": new}))
    patch = shadow.unified(base, tree)
    hunks = read_patch(patch)[0].hunks if patch else ()
    chosen = data.draw(st.sets(st.sampled_from(range(len(hunks))))) if hunks else set()
    refused = [RefusedHunk("file", number) for number in chosen]
    left = asyncio.run(without_hunks(shadow, base, tree, refused))
    content = next(file.content for file in shadow.all_files(left))
    kept = [number for number in range(len(hunks)) if number not in chosen]
    assert content == applied_by_git(shadow, tmp_path_factory, base, tree, kept)
    if len(kept) == len(hunks):
        assert left == tree
    if not kept:
        assert left == base


def applied_by_git(
    shadow: ShadowRepository,
    factory: pytest.TempPathFactory,
    base: str,
    tree: str,
    kept: list[int],
) -> bytes:
    """The file of `base` after `git apply` of the `kept` hunks, cut from the bytes of the patch."""
    folder = factory.mktemp("apply")
    (folder / "file").write_bytes(next(f.content for f in shadow.all_files(base)))
    raw = shadow.git.call("diff-tree", "-r", "-p", "--no-color", "--full-index", base, tree)
    lines = raw.split(b"\n")
    starts = [n for n, line in enumerate(lines) if line.startswith(b"@@ -")]
    parts = itertools.pairwise([*starts, len(lines)])
    pieces = [b"\n".join(lines[start:end]) for start, end in parts]
    if kept:
        head = b"\n".join(lines[: starts[0]])
        wanted = [pieces[number].removesuffix(b"\n") for number in kept]
        subprocess.run(
            ["git", "apply", "--whitespace=nowarn", "-"],
            cwd=folder,
            input=b"\n".join([head, *wanted, b""]),
            check=True,
            env={"PATH": os.environ["PATH"], "GIT_CEILING_DIRECTORIES": str(folder.parent)},
        )
    return (folder / "file").read_bytes()
