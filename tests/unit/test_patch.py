from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.core.patch import FileDiff, Hunk, Line, file_counts, read_patch

MODIFIED = """\
diff --git a/src/a.py b/src/a.py
index 1111111..2222222 100644
--- a/src/a.py
+++ b/src/a.py
@@ -1,3 +1,4 @@ def f():
 one
-two
+zwei
+drei
 four
@@ -10,2 +11 @@
-ten
 eleven
\\ No newline at end of file
"""


def test_a_modified_file_with_two_hunks() -> None:
    first = Hunk(
        "@@ -1,3 +1,4 @@ def f():",
        1,
        1,
        (
            Line(" ", "one", 1, 1),
            Line("-", "two", 2, None),
            Line("+", "zwei", None, 2),
            Line("+", "drei", None, 3),
            Line(" ", "four", 3, 4),
        ),
    )
    second = Hunk(
        "@@ -10,2 +11,1 @@",
        10,
        11,
        (Line("-", "ten", 10, None), Line(" ", "eleven", 11, 11, newline=False)),
    )
    assert read_patch(MODIFIED) == (
        FileDiff(
            path="src/a.py",
            old_path="src/a.py",
            kind="modified",
            added=2,
            removed=2,
            hunks=(first, second),
            old_mode="100644",
            new_mode="100644",
        ),
    )


def test_an_empty_patch_has_no_files() -> None:
    assert read_patch("") == ()
    assert file_counts("") == ()


HEADERS = {
    "added": "new file mode 100755\nindex 0..1\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n",
    "deleted": "deleted file mode 100644\nindex 1..0\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n",
    "mode": "old mode 100644\nnew mode 100755\n",
    "binary": "index 1..2 100644\nBinary files a/x and b/x differ\n",
    "link": "index 1..2 120000\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
}


@pytest.mark.parametrize(
    ("kind", "counts", "modes", "binary", "link"),
    [
        ("added", (1, 0), ("", "100755"), False, False),
        ("deleted", (0, 1), ("100644", ""), False, False),
        ("mode", (0, 0), ("100644", "100755"), False, False),
        ("binary", (0, 0), ("100644", "100644"), True, False),
        ("link", (1, 1), ("120000", "120000"), False, True),
    ],
)
def test_the_kinds_of_a_file(
    kind: str, counts: tuple[int, int], modes: tuple[str, str], binary: bool, link: bool
) -> None:
    text = "diff --git a/x b/x\n" + HEADERS[kind]
    (file,) = read_patch(text)
    assert file == FileDiff(
        path="x",
        old_path="x",
        kind=kind,
        added=counts[0],
        removed=counts[1],
        hunks=file.hunks,
        old_mode=modes[0],
        new_mode=modes[1],
        binary=binary,
        link=link,
    )
    assert file_counts(text) == (("x", *counts),)


def test_new_and_deleted_files_without_lines_or_with_bytes_have_their_kind() -> None:
    empty = "diff --git a/x b/x\nnew file mode 100644\nindex 0..1\n"
    binary = (
        "diff --git a/y y/b b/y y/b\ndeleted file mode 100644\nindex 1..0\n"
        "Binary files a/y y/b and /dev/null differ\n"
    )
    link = (
        "diff --git a/z b/z\nnew file mode 120000\nindex 0..1\n--- /dev/null\n+++ b/z\n"
        "@@ -0,0 +1 @@\n+to\n\\ No newline at end of file\n"
    )
    found = [(f.path, f.kind, f.binary, f.link) for f in read_patch(empty + binary + link)]
    assert found == [
        ("x", "added", False, False),
        ("y y/b", "deleted", True, False),
        ("z", "added", False, True),
    ]


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ('"%sa\\tb"', "a\tb"),
        ('"%sq\\"u\\\\o"', 'q"u\\o'),
        ('"%s\\303\\274"', "ü"),
        ('"%s\\377"', "\udcff"),
        ('"%snew\\nline"', "new\nline"),
        ("%swith space", "with space"),
        ("%sb/b/b b/b", "b/b/b b/b"),
    ],
)
def test_names_are_unquoted(written: str, path: str) -> None:
    old, new = written % "a/", written % "b/"
    with_lines = f"diff --git {old} {new}\n--- {old}\t\n+++ {new}\t\n@@ -1 +1 @@\n-a\n+b\n"
    without = f"diff --git {old} {new}\nold mode 100644\nnew mode 100755\n"
    assert [file.path for file in read_patch(with_lines + without)] == [path, path]


def test_a_rename_has_both_paths() -> None:
    text = "diff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to new\n"
    (file,) = read_patch(text)
    assert (file.old_path, file.path, file.kind) == ("old", "new", "modified")


def test_content_that_looks_like_a_header_is_content() -> None:
    text = (
        "diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n"
        "--- a/evil\n-@@ -1 +1 @@\n-diff --git a/y b/y\n"
        "+++ b/evil\n+@@ -9 +9 @@\n+diff --git a/z b/z\n"
    )
    (file,) = read_patch(text)
    assert (file.path, file.added, file.removed) == ("x", 3, 3)
    assert file.hunks[0].lines[0] == Line("-", "-- a/evil", 1, None)


def test_odd_line_ends_do_not_split_lines() -> None:
    text = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\r\x0b\u2028b\r\n+\r\n"
    (file,) = read_patch(text)
    assert [line.text for line in file.hunks[0].lines] == ["a\r\x0b\u2028b\r", "\r"]


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "diff --git a/x b/y\n",
        "diff --git \n",
        "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,5 +1 @@\n-a\n",
        "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n*a\n",
        "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n--- a/y\n+++ b/y\n@@ -1 +1",
    ],
)
def test_what_is_not_a_patch_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a patch|not the first line|hunk|another"):
        read_patch(text)


PIECES = st.sampled_from(
    [
        "diff --git a/x b/x\n",
        'diff --git "a/\\',
        "index 1..2 100644\n",
        "new file mode 100644\n",
        "deleted file mode 1\n",
        "old mode 1\n",
        "rename from x\n",
        "rename from ",
        "Binary files a/x and b/x differ\n",
        "GIT binary patch\n",
        "--- a/x\n",
        "--- /dev/null\n",
        '+++ "b/\\999"\n',
        "+++ b/x\n",
        "@@ -1 +1 @@\n",
        "@@ -0,0 +1,2 @@ \x1b[31m\n",
        "@@ -1,0 +1,0 @@\n",
        "@@ -99999999999999999999,1 +1 @@\n",
        "\n@@ -",
        "+a\n",
        "-b\n",
        " c\n",
        "\\ No newline at end of file\n",
        "\n",
        "\r",
        "\udcff",
        "\x00",
        "x",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=25).map("".join)))
def test_any_text_gives_values_or_a_value_error(text: str) -> None:
    try:
        files = read_patch(text)
    except ValueError:
        files = ()
    for file in files:
        assert file.path
        assert file.added == sum(line.sign == "+" for h in file.hunks for line in h.lines)
    try:
        counts = file_counts(text)
    except ValueError:
        counts = ()
    assert not files or counts == tuple((f.path, f.added, f.removed) for f in files)
