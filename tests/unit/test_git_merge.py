"""Three-way merges of trees: nothing is lost silently, and no conflict mark is left anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfheal_tui.adapters.git.repository import GitRepository
from selfheal_tui.core.merge import Conflict, Merge, clashes, left_marks
from selfheal_tui.core.tree import EXECUTABLE, LINK, REGULAR, TreeChange, TreeFile
from tests.support.repos import make_repo

TEN = "".join(f"line {n}\n" for n in range(10))


@pytest.fixture
async def git(tmp_path: Path) -> GitRepository:
    repo = make_repo(tmp_path, {"a": TEN.encode(), "b": b"b\n", "d/c": b"c\n"})
    return await repo.open(tmp_path / "state")


class Trees:
    """Trees made of texts, merged by name."""

    def __init__(self, git: GitRepository) -> None:
        self.git = git
        self.shadow = git.shadow

    def tree(self, files: dict[str, TreeFile | str]) -> str:
        written = tuple(
            file if isinstance(file, TreeFile) else TreeFile(path, REGULAR, file.encode())
            for path, file in files.items()
        )
        return self.shadow.applied(self.shadow.empty_tree, TreeChange(written))

    def files(self, tree: str) -> dict[str, str]:
        return {file.path: file.content.decode() for file in self.shadow.all_files(tree)}

    async def merge(self, base, ours, theirs) -> Merge:
        return await self.git.merge_trees(*(self.tree(files) for files in (base, ours, theirs)))


@pytest.fixture
async def trees(git: GitRepository) -> Trees:
    return Trees(git)


def changed(text: str, *places: tuple[int, str]) -> str:
    lines = text.splitlines(keepends=True)
    for number, line in places:
        lines[number] = line
    return "".join(lines)


async def test_changes_of_different_files_come_together(trees):
    base = {"a": "1\n", "b": "1\n", "gone": "x\n"}
    merge = await trees.merge(
        base, {**base, "a": "2\n", "new": "n\n"}, {"a": "1\n", "b": "2\n", "d/more": "m\n"}
    )
    assert merge.conflicts == ()
    assert trees.files(merge.tree) == {"a": "2\n", "b": "2\n", "new": "n\n", "d/more": "m\n"}


async def test_changes_of_different_places_of_one_file_come_together(trees):
    ours, theirs = changed(TEN, (1, "ours\n")), changed(TEN, (8, "theirs\n"))
    merge = await trees.merge({"a": TEN}, {"a": ours}, {"a": theirs})
    assert merge.conflicts == ()
    assert trees.files(merge.tree) == {"a": changed(TEN, (1, "ours\n"), (8, "theirs\n"))}


async def test_what_clashes_stays_as_the_first_has_it_without_marks_and_is_told(trees):
    ours = changed(TEN, (1, "ours\n"), (9, "ours too\n"))
    theirs = changed(TEN, (1, "theirs\n"), (5, "theirs too\n"))
    merge = await trees.merge({"a": TEN}, {"a": ours}, {"a": theirs})
    (conflict,) = merge.conflicts
    assert trees.files(merge.tree)["a"] == changed(
        TEN, (1, "ours\n"), (5, "theirs too\n"), (9, "ours too\n")
    )
    assert conflict.path == "a"
    assert "<<<<<<< first\nours\n||||||| before\nline 1\n=======\ntheirs\n>>>>>>>" in conflict.text
    assert "line 9" not in conflict.text


@pytest.mark.parametrize("deleted_by_us", [True, False])
async def test_a_file_that_one_side_deleted_and_the_other_changed_is_kept_and_told(
    trees, deleted_by_us
):
    base, gone, kept = {"a": "1\n", "b": "b\n"}, {"b": "b\n"}, {"a": "2\n", "b": "b\n"}
    sides = (gone, kept) if deleted_by_us else (kept, gone)
    merge = await trees.merge(base, *sides)
    assert [conflict.path for conflict in merge.conflicts] == ["a"]
    assert trees.files(merge.tree) == kept


async def test_two_binary_versions_are_a_conflict_and_the_first_stays(trees):
    merge = await trees.merge({"a": "\0"}, {"a": "\0ours"}, {"a": "\0theirs"})
    assert merge.conflicts == (Conflict("a", "it is not text: it is as the first side left it"),)
    assert trees.files(merge.tree) == {"a": "\0ours"}


async def test_a_new_mode_and_a_new_text_come_together(trees):
    merge = await trees.merge({"a": "1\n"}, {"a": TreeFile("a", EXECUTABLE, b"1\n")}, {"a": "2\n"})
    assert merge.conflicts == ()
    assert trees.shadow.all_files(merge.tree) == (TreeFile("a", EXECUTABLE, b"2\n"),)


async def test_a_link_never_gets_the_text_of_a_file(trees):
    link = TreeFile("a", LINK, b"1\n")
    merge = await trees.merge({"a": "1\n"}, {"a": "2\n"}, {"a": link})
    assert [conflict.path for conflict in merge.conflicts] == ["a"]
    assert trees.shadow.all_files(merge.tree) == (TreeFile("a", REGULAR, b"2\n"),)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [({"n": "ours\n"}, {"n/x": "theirs\n"}), ({"n/x": "ours\n"}, {"n": "theirs\n"}),
     ({"Name": "ours\n"}, {"name": "theirs\n"})],
)  # fmt: skip
async def test_names_that_cannot_stand_together_are_left_out_and_told_with_their_text(
    trees, ours, theirs
):
    base = {"b": "b\n"}
    merge = await trees.merge(base, base | ours, base | theirs | {"fits": "f\n"})
    (conflict,) = merge.conflicts
    assert (conflict.path, conflict.text) == next(iter(theirs.items()))
    assert trees.files(merge.tree) == base | ours | {"fits": "f\n"}


async def test_an_attribute_of_the_tree_has_no_say(trees):
    rule = {".gitattributes": "* merge=union -text\n"}
    merge = await trees.merge(rule | {"a": "1\n"}, rule | {"a": "2\n"}, rule | {"a": "3\n"})
    assert [conflict.path for conflict in merge.conflicts] == ["a"]
    assert trees.files(merge.tree)["a"] == "2\n"


# --- properties ----------------------------------------------------------------------------

TEXTS = st.lists(st.sampled_from(["x", "y", "z", "", "<<<<<<< x", "=="]), max_size=6).map(
    lambda lines: "\n".join(lines)
)
FILES = st.dictionaries(
    st.sampled_from(["a", "B", "b", "d/a", "d", "d/e/f"]), TEXTS | st.just("\0"), max_size=4
).filter(lambda files: _stands(files))


def _stands(files) -> bool:
    folders = {path[:at] for path in files for at, sign in enumerate(path) if sign == "/"}
    names = [name.casefold() for name in {*files, *folders}]
    return len(set(names)) == len(names) and not folders & files.keys()


@given(FILES, FILES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_who_changed_nothing_has_no_say(trees, base, side):
    made = trees.tree(side)
    assert await trees.merge(base, side, base) == Merge(made)
    assert await trees.merge(base, base, side) == Merge(made)
    assert await trees.merge(base, side, side) == Merge(made)


@given(FILES, FILES, FILES)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_both_orders_see_the_same_conflicts_and_agree_where_there_is_none(
    trees, base, one, two
):
    there, back = await trees.merge(base, one, two), await trees.merge(base, two, one)
    assert bool(there.conflicts) == bool(back.conflicts)
    if not there.conflicts:
        assert there.tree == back.tree


@given(st.lists(st.sampled_from(["-", "one", "two"]), min_size=1, max_size=12))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_every_line_that_a_side_wrote_is_in_the_tree_or_told(trees, writers):
    base = "".join(f"line {n}\n" for n in range(len(writers)))
    sides = {
        name: changed(base, *((n, f"{name} {n}\n") for n, by in enumerate(writers) if by == name))
        for name in ("one", "two")
    }
    merge = await trees.merge({"a": base}, {"a": sides["one"]}, {"a": sides["two"]})
    found = trees.files(merge.tree)["a"]
    told = found + "".join(conflict.text for conflict in merge.conflicts)
    assert [n for n, by in enumerate(writers) if by != "-" and f"{by} {n}\n" not in told] == []
    assert not left_marks((base,), found)


@given(FILES, FILES, FILES)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_path_that_only_one_side_changed_is_as_that_side_left_it(trees, base, one, two):
    merge = await trees.merge(base, one, two)
    found, told = trees.files(merge.tree), {conflict.path for conflict in merge.conflicts}
    for path in {*base, *one, *two} - told:
        if two.get(path) == base.get(path):
            assert found.get(path) == one.get(path)
        elif one.get(path) == base.get(path):
            assert found.get(path) == two.get(path)


@given(TEXTS, TEXTS)
def test_marks_that_were_there_before_are_none_that_were_left(before, now):
    assert not left_marks((before, now), now)


def test_marks_are_found_and_clashes_are_shown_with_what_is_around_them():
    marked = f"{TEN}<<<<<<< first\na\n=======\nb\n>>>>>>> second\n{TEN}"
    assert left_marks((TEN,), marked)
    assert not left_marks((TEN,), TEN + "=======\n")
    assert clashes(marked).splitlines() == [
        "[line 8 of the marked text]", "line 7", "line 8", "line 9",
        "<<<<<<< first", "a", "=======", "b", ">>>>>>> second", "line 0", "line 1", "line 2",
    ]  # fmt: skip
