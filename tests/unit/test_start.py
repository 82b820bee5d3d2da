"""What the start of the interface puts off until after its first frame."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from selfheal_tui.cli.collecting import put_off, taken_up
from selfheal_tui.cli.late import late_store
from selfheal_tui.cli.loading import INTERFACE, SESSION
from selfheal_tui.cli.place import Place
from selfheal_tui.errors import SelfhealError

ROOT = Path(__file__).parents[2]
LATER = (
    "sqlite3",
    "docker",
    "litellm",
    "pygments",
    "markdown_it",
    "selfheal_tui.core.events",
    "selfheal_tui.session",
    "selfheal_tui.ui.panes",
    "selfheal_tui.ui.listener",
)
"""What must not be loaded on the way to the first frame."""


def place_of(tmp_path):
    host = {"SELFHEAL_STATE_DIR": str(tmp_path / "state")}
    return Place(tmp_path, tmp_path, host, tmp_path / "config")


def test_the_store_is_opened_when_something_is_asked_of_it(tmp_path):
    file = tmp_path / "state" / "sessions.db"
    records = late_store(place_of(tmp_path))
    assert not file.exists()
    assert (records.sessions(), file.exists()) == ([], True)
    records.close()


def test_a_store_that_nobody_asked_is_closed_without_a_trace(tmp_path):
    late_store(place_of(tmp_path)).close()
    assert list((tmp_path / "state").iterdir()) == []


def test_a_state_folder_that_is_none_is_told_before_anything_is_asked(tmp_path):
    (tmp_path / "state").write_text("a file", encoding="utf-8")
    with pytest.raises(SelfhealError, match="state folder"):
        late_store(place_of(tmp_path))


def test_garbage_is_searched_for_again_when_the_interface_has_ended():
    async def show():
        with taken_up():
            assert not gc.isenabled()

    put_off()
    try:
        asyncio.run(show())
        assert gc.isenabled()
    finally:
        gc.enable()


def test_whatever_is_loaded_behind_the_first_frame_is_there():
    names = [import_module(name).__name__ for name in (*INTERFACE, *SESSION)]
    assert names == [*INTERFACE, *SESSION]


def test_the_first_frame_needs_neither_sessions_nor_panes():
    program = (
        "import sys\n"
        "import selfheal_tui.cli.dispatch, selfheal_tui.cli.interactive, selfheal_tui.cli.tui\n"
        f"print([name for name in {LATER!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]", done.stderr
