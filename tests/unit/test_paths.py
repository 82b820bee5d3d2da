import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.core.paths import (
    bare_repository_in,
    collision_in,
    fault_of,
    is_git_folder,
)

MANY = settings(max_examples=200)


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "src/a b.py",
        "ünï/\udcff\udcfe",
        "new\nline",
        ".gitignore",
        ".github/workflows/ci.yml",
        "git",
        "git~",
        "my.git/config",
        "...",
        "a\\b",
        "~",
        "-rf",
    ],
)
def test_an_ordinary_name_may_come_out(path: str):
    assert fault_of(path) is None


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("", "is not a name"),
        ("a\0b", "is not a name"),
        ("/etc/passwd", "is an absolute path"),
        ("a//b", "is not a plain path"),
        ("./a", "is not a plain path"),
        ("a/", "is not a plain path"),
        ("../a", "leads out of the tree"),
        ("a/../../b", "leads out of the tree"),
        ("/".join(["d"] * 257), "is more than 256 folders deep"),
        ("n" * 256, "is too long"),
        ("/".join(["n" * 200] * 21), "is too long"),
    ],
)
def test_a_name_that_is_no_plain_path_is_refused(path: str, fault: str):
    assert fault_of(path) == fault


@pytest.mark.parametrize(
    "name",
    [
        ".git",
        ".GIT",
        ".gIt",
        ".g\u200cit",
        "\ufeff.git",
        ".\uff47it",
        "\uff0egit",
        "\u2024git",
        "git~1",
        "GIT~2",
        ".git ",
        ".git. .",
        ".git::$INDEX_ALLOCATION",
        "a\\.git\\config",
        ".g\u0131t".replace("\u0131", "i"),
    ],
)
def test_every_spelling_of_the_git_folder_is_refused(name: str):
    refused = "is, or could be read as, a part of a .git folder"
    assert [fault_of(path) for path in (name, f"a/{name}", f"{name}/hooks/x")] == [refused] * 3


@MANY
@given(
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.lists(st.sampled_from("\u200c\u200d\u202a\u206f\ufeff"), max_size=5),
    st.integers(0, 4),
    st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]),
)
def test_case_and_ignored_characters_hide_nothing(
    upper: list[bool], ignored: list[str], at: int, form: str
):
    name = "".join(c.upper() if up else c for c, up in zip(".git", upper, strict=True))
    name = name[:at] + "".join(ignored) + name[at:]
    assert is_git_folder(unicodedata.normalize(form, name))


@MANY
@given(st.text(max_size=60))
def test_any_text_is_judged_and_what_passes_stays_within_the_tree(path: str):
    fault = fault_of(path)
    if fault is None:
        assert not path.startswith("/")
        assert not {"", ".", "..", ".git"} & set(path.casefold().split("/"))
    else:
        assert fault.split()[0] in {"is", "is,", "leads"}


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (["a", "b"], None),
        (["src/a", "src/b"], None),
        (["Readme", "README"], ("Readme", "README")),
        (["Src/a", "src/b"], ("Src", "src")),
        (["caf\u00e9", "cafe\u0301"], ("caf\u00e9", "cafe\u0301")),
        (["a", "a"], None),
    ],
)
def test_names_that_a_folding_file_system_takes_for_one_collide(
    paths: list[str], found: tuple[str, str] | None
):
    assert collision_in(paths) == found


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (["HEAD", "objects/x", "refs/heads/main"], "."),
        (["evil/HEAD", "evil/objects/pack/p", "evil/refs/heads/main"], "evil"),
        (["evil/head", "evil/Objects/p", "evil/REFS/h"], "evil"),
        (["HEAD", "a/objects/x", "refs/x"], None),
        (["objects", "refs.py"], None),
        (["d/HEAD", "d/commondir"], "d"),
        (["d/commondir", "d/objects/a", "d/refs/a"], None),
        (["d/HEAD.", "d/Obje\u200ccts/a", "d/refs:x"], "d"),
    ],
)
def test_a_folder_that_looks_like_a_bare_repository_is_found(paths: list[str], found: str | None):
    assert bare_repository_in(paths) == found
