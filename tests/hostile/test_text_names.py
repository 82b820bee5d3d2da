"""Names of files as the heads of a difference show them: each on one line, each character that a
terminal or a reader would fall for as a mark."""

from __future__ import annotations

import pytest

from selfheal_tui.core.text import on_one_line
from selfheal_tui.ui.panes.diff import FileRow
from selfheal_tui.ui.screens.difftext import drawn_row
from selfheal_tui.ui.widgets.hunks import FileBlock
from selfheal_tui.ui.widgets.patchfiles import cut_patch
from tests.hostile.terminal_bytes import offences
from tests.hostile.texts import TEXTS

NAMES = {name: text.replace("\x00", "") for name, text in TEXTS.items()}


def quoted(path):
    """A name as git writes it in a patch."""
    raw = path.encode("utf-8", "surrogateescape")
    return '"' + "".join(f"\\{byte:03o}" for byte in raw) + '"'


def patch_of(old, new):
    """A renamed file with one changed line."""
    a, b = quoted(f"a/{old}"), quoted(f"b/{new}")
    head = f"diff --git {a} {b}\nsimilarity index 90%\n"
    moved = f"rename from {quoted(old)}\nrename to {quoted(new)}\n"
    return f"{head}{moved}--- {a}\n+++ {b}\n@@ -1 +1 @@\n-a\n+b\n"


@pytest.mark.parametrize("name", [name for name in NAMES if name != "half a surrogate"])
def test_a_name_is_one_line_of_marks_in_every_head(name):
    text = NAMES[name]
    old, new = f"old {text}.txt", f"new {text}.txt"
    patch = patch_of(old, new)
    (file,) = cut_patch(patch)
    assert (file.file.old_path, file.path) == (old, new)
    heads = [FileBlock(file), FileRow(new, 1, 1, file, reviewed=False)]
    for head in heads:
        for width in (300, 40):
            lines = [content.plain for content in head.make(width)]
            assert [line for line in lines if "\n" in line or "\t" in line] == []
            assert offences("\n".join(lines).encode("utf-8", "surrogatepass")) == []
    (shown, *_) = [content.plain for content in heads[0].make(3000)]
    assert shown.startswith(f"▾ {on_one_line(old)} → {on_one_line(new)}")
    rows = [drawn_row(line) for line in patch.split("\n")]
    assert offences("\n".join(rows).encode()) == []


def test_a_tab_and_a_newline_are_seen():
    (file,) = cut_patch(patch_of("a\tb\nc", "a\tb\nd"))
    assert FileBlock(file).text() == "a␉b␊c → a␉b␊d"
