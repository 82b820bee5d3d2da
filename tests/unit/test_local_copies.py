"""The private folders of copies: what a killed process left goes, everything else stays."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from selfheal_tui.adapters.local_copies import new_copy

KILLED = """
import os, signal
from selfheal_tui.adapters.local_copies import new_copy
(new_copy().folder / "file").write_text("code of the user")
os.kill(os.getpid(), signal.SIGKILL)
"""


KILLED_AS_IT_LEFT = """
import os, shutil, signal
from selfheal_tui.adapters.local_copies import new_copy
copy = new_copy()
(copy.folder / "link").symlink_to("/")
for name in ("home", "tmp", "work"):
    (copy.folder / name).mkdir()
    (copy.folder / name / "file").write_text("code of the user")
shutil.rmtree = lambda *args, **more: os.kill(os.getpid(), signal.SIGKILL)
copy.remove()
"""


@pytest.fixture
def below(tmp_path, monkeypatch):
    """The temporary folder of this process and its children."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def names(below):
    return sorted(path.name for path in below.iterdir())


@pytest.mark.parametrize("program", [KILLED, KILLED_AS_IT_LEFT], ids=["at work", "as it left"])
def test_what_a_killed_process_left_is_removed_by_the_next_one(below, program):
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", program], cwd=root).returncode == -9
    (left,) = names(below)
    one = new_copy()
    assert names(below) == [one.folder.name] != [left]
    other = new_copy()
    assert names(below) == sorted([one.folder.name, other.folder.name])
    one.remove()
    other.remove()
    assert names(below) == []


def test_what_is_not_one_of_them_stays(below):
    outside = below / "outside"
    outside.mkdir()
    (outside / "held").write_text("")
    (below / "selfheal-local-link").symlink_to(outside)
    (below / "selfheal-local-file").write_text("")
    (below / "selfheal-local-older").mkdir()
    link = below / "selfheal-local-linked"
    link.mkdir()
    (link / "held").symlink_to(outside / "held")
    before = names(below)
    new_copy().remove()
    assert names(below) == before
    assert (outside / "held").exists()
