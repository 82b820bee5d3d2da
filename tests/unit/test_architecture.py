"""Imports point down only, and nothing heavy is loaded before it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "selfheal_tui"

# What each room may import of ours, besides itself. The reason stands beside it.
ALLOWED = {
    "core": {"errors"},  # pure values serve every room
    "settings": {"errors"},
    "folders": {"errors"},
    "resources": {"errors"},
    "errors": set(),
    "agent": {"core", "errors", "settings"},  # the loop knows ports, never who is behind them
    "adapters": {"agent", "core", "errors", "settings"},
    "parts": {"agent", "core"},  # values and shapes that a session is handed
    "course": {"agent", "core", "errors", "parts", "settings"},  # gets its adapters handed in
    "session": {"agent", "core", "course", "errors", "parts", "settings"},
    "headless": {"agent", "core", "errors", "session"},  # a front-end shows events, nothing else
    # Like headless, it shows events; what it asks of a run it asks of its own `conductor`.
    "ui": {"agent", "core", "errors", "session", "settings"},
    "demo": set(),
}
HEAVY = (
    "textual",
    "litellm",
    "docker",
    "git",
    "unidiff",
    "openai",
    "requests",
    "tree_sitter",
    "model2vec",
)


def imports_of(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
            if node.module == "selfheal_tui":
                names = [f"selfheal_tui.{alias.name}" for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("selfheal_tui.")}
    return found


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_imports_point_down_only(room):
    place = PACKAGE / room
    files = sorted(place.rglob("*.py")) if place.is_dir() else [PACKAGE / f"{room}.py"]
    files = [file for file in files if "project" not in file.parts]
    wrong = {
        str(file.relative_to(ROOT)): sorted(extra)
        for file in files
        if (extra := imports_of(file) - ALLOWED[room] - {room, "__version__"})
    }
    assert wrong == {}


def test_every_room_has_its_rule():
    rooms = {path.stem for path in PACKAGE.iterdir() if not path.name.startswith("_")}
    assert rooms - {"cli", "data"} == set(ALLOWED)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["--help"],
        ["--yes"],
        ["sessions", "--help"],
        ["bench", "--help"],
        ["doctor", "--help"],
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_loaded_before_it_is_used(arguments, tmp_path):
    program = (
        "import sys\n"
        "from selfheal_tui.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "SELFHEAL_STATE_DIR": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "LOADED []", done.stderr
