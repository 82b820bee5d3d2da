"""Where the data folders are, in a checkout and in a wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from selfheal_tui.errors import SelfhealError
from selfheal_tui.resources import sandboxes_folder, themes_folder

ROOT = Path(__file__).parents[2]
PROFILES = {"python", "node", "generic", "devops"}


def test_a_checkout_has_its_folders_beside_the_package():
    assert sandboxes_folder() == ROOT / "sandboxes"
    assert {path.name for path in sandboxes_folder().iterdir()} >= PROFILES


def test_an_installed_package_has_them_inside(tmp_path):
    package = tmp_path / "selfheal_tui"
    (package / "data" / "sandboxes").mkdir(parents=True)
    (package / "data" / "themes").mkdir()
    (tmp_path / "sandboxes").mkdir()
    assert sandboxes_folder(package) == package / "data" / "sandboxes"
    assert themes_folder(package) == package / "data" / "themes"


def test_what_lies_beside_an_installed_package_is_someone_elses(tmp_path):
    (tmp_path / "themes").mkdir()
    with pytest.raises(SelfhealError, match="install selfheal again"):
        themes_folder(tmp_path / "selfheal_tui")


def test_a_wheel_carries_the_profiles(tmp_path):
    pytest.importorskip("hatchling", reason="hatchling builds the wheel and is not installed")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    start = "selfheal_tui/data/sandboxes"
    wanted = {
        f"{start}/{name}/{file}" for name in PROFILES for file in ("sandbox.toml", "Dockerfile")
    }
    assert wanted <= names
    assert not [name for name in names if name.startswith(("sandboxes/", "tests/", "themes/"))]
