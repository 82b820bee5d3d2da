"""Sandbox profiles: reading them, and choosing one for a tree."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.adapters.docker.profiles import detect, named, read_profile, read_profiles
from selfheal_tui.core.profile import Profile
from selfheal_tui.errors import SettingsError
from selfheal_tui.resources import sandboxes_folder


def make(folder: Path, name: str, text: str = "") -> Path:
    profile = folder / name
    profile.mkdir(parents=True)
    (profile / "sandbox.toml").write_text(text)
    (profile / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n")
    return profile


def test_a_profile_is_read_with_all_its_values(tmp_path):
    folder = make(
        tmp_path,
        "rust",
        'description = "Rust"\nbase_image = "rust:slim"\ndetect = ["Cargo.toml"]\n'
        'artifacts = ["target/"]\nmemory_mb = 4096\ndisk_mb = 2048\npids = 64\ncpus = 2\n'
        'root = true\n[environment]\nCARGO_TERM_COLOR = "never"\n',
    )
    assert read_profile(folder) == Profile(
        name="rust",
        folder=str(folder),
        description="Rust",
        base_image="rust:slim",
        detect=("Cargo.toml",),
        artifacts=("target/",),
        environment={"CARGO_TERM_COLOR": "never"},
        memory_mb=4096,
        disk_mb=2048,
        pids=64,
        cpus=2.0,
        root=True,
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("memory = 1", "unknown key `memory`; did you mean `memory_mb`?"),
        ("privileged = true", "unknown key `privileged`"),
        ("name = 'x'", "unknown key `name`"),
        ("folder = '/'", "unknown key `folder`"),
        ("root = 1", "`root` must be true or false, not 1"),
        ("pids = true", "`pids` must be a whole number, not True"),
        ("pids = 1", "`pids` must be at least 16, not 1"),
        ("cpus = nan", "`cpus` must be a number, not nan"),
        ("cpus = -1", "`cpus` must be at least 0, not -1"),
        ("detect = 'a'", "`detect` must be a list of strings, not 'a'"),
        ("[environment]\n'A=B' = ''", "`environment` must be a table of strings"),
        ("[environment]\nA = 1", "`environment` must be a table of strings"),
        ("root", "sandbox.toml: "),
    ],
)
def test_a_slip_in_a_profile_names_the_file_and_the_nearest_key(tmp_path, text, sentence):
    folder = make(tmp_path, "mine", text)
    with pytest.raises(SettingsError) as raised:
        read_profile(folder)
    assert str(folder / "sandbox.toml") in str(raised.value)
    assert sentence in str(raised.value)


@pytest.mark.parametrize("name", ["local", "Big", "a b", "-x"])
def test_a_name_that_no_image_can_have_is_refused(tmp_path, name):
    with pytest.raises(SettingsError, match="cannot be the name"):
        read_profile(make(tmp_path, name))


def test_a_profile_without_a_dockerfile_is_refused(tmp_path):
    folder = make(tmp_path, "bare")
    (folder / "Dockerfile").unlink()
    with pytest.raises(SettingsError, match="needs a Dockerfile"):
        read_profiles(tmp_path)


def test_the_users_profiles_come_first_and_replace_built_in_ones(tmp_path):
    builtin, own = tmp_path / "builtin", tmp_path / "own"
    for name in ("generic", "node", "python"):
        make(builtin, name)
    make(own, "python", "description = 'my own'")
    make(own, "zig")
    (own / "notes").mkdir()
    found = read_profiles(builtin, own)
    assert [profile.name for profile in found] == ["python", "zig", "node", "generic"]
    assert found[0].description == "my own"


def test_a_folder_that_is_not_there_holds_no_profiles(tmp_path):
    assert read_profiles(tmp_path / "none", tmp_path / "neither") == ()


def builtin() -> tuple[Profile, ...]:
    return read_profiles(sandboxes_folder())


def test_the_built_in_profiles_are_in_the_order_in_which_they_are_asked():
    assert [profile.name for profile in builtin()] == ["python", "node", "devops", "generic"]
    assert [profile.name for profile in builtin() if profile.root] == ["devops"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"pyproject.toml", "README.md"}, "python"),
        ({"requirements.txt", "package.json"}, "python"),
        ({"package.json", "helper.py"}, "node"),
        ({"till.py", "test_till.py"}, "python"),
        ({"index.mjs"}, "node"),
        ({"Makefile", "main.c"}, "generic"),
        (set(), "generic"),
    ],
)
def test_a_tree_is_matched_by_the_names_at_its_root(names, expected):
    assert detect(builtin(), names).name == expected


def test_a_users_profile_wins_over_a_built_in_one(tmp_path):
    make(tmp_path, "django", "detect = ['manage.py']")
    profiles = read_profiles(sandboxes_folder(), tmp_path)
    assert detect(profiles, {"manage.py", "pyproject.toml"}).name == "django"


@given(st.sets(st.text(max_size=12), max_size=6))
def test_devops_is_never_chosen_by_itself(names):
    assert detect(builtin(), names).name != "devops"


def test_a_profile_is_found_by_its_name():
    assert named(builtin(), "devops").root is True
    with pytest.raises(SettingsError, match="no sandbox profile `pyton`; did you mean `python`"):
        named(builtin(), "pyton")
