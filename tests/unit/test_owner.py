import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.adapters.docker.owner import (
    HOST,
    OWNER,
    SESSION,
    Owner,
    host_mark,
    is_alive,
    is_orphan,
    labels_for,
    parse_owner,
    this_process,
)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A machine of its own with one process, 77, whose name tries to look like the fields."""
    boot = tmp_path / "sys/kernel/random"
    boot.mkdir(parents=True)
    (boot / "boot_id").write_text("b00t\n")
    (tmp_path / "77").mkdir()
    (tmp_path / "77/stat").write_text(_stat(77, "a) S (b", "S", 4242))
    return tmp_path


def _stat(pid: int, name: str, state: str, start: int) -> str:
    return f"{pid} ({name}) {state} " + " ".join("0" for _ in range(18)) + f" {start} 0 0\n"


def test_an_owner_survives_its_label():
    owner = Owner(1000, 77, "b00t", "4242")
    assert parse_owner(str(owner)) == owner


@settings(max_examples=200)
@given(st.text())
def test_any_text_is_an_owner_or_none(label: str):
    owner = parse_owner(label)
    assert owner is None or parse_owner(str(owner)) == owner


@pytest.mark.parametrize(
    "label", ["", "1:2:3", "1:2:3:4:5", "a:2:b:4", "1:-2:b:4", "1:2::4", "²:1:b:4"]
)
def test_what_is_not_our_label_has_no_owner(label: str):
    assert parse_owner(label) is None


def test_this_process_is_alive():
    assert is_alive(this_process())


def test_the_same_process_of_the_same_boot_is_alive(proc: Path):
    assert is_alive(Owner(0, 77, "b00t", "4242"), proc)


@pytest.mark.parametrize(
    "owner",
    [
        Owner(0, 78, "b00t", "4242"),
        Owner(0, 77, "b00t", "4243"),
        Owner(0, 77, "0ther", "4242"),
    ],
)
def test_another_number_start_or_boot_is_dead(owner: Owner, proc: Path):
    assert not is_alive(owner, proc)


def test_a_zombie_is_dead(proc: Path):
    (proc / "77/stat").write_text(_stat(77, "x", "Z", 4242))
    assert not is_alive(Owner(0, 77, "b00t", "4242"), proc)


def test_without_a_start_time_the_number_decides(tmp_path: Path):
    assert is_alive(Owner(os.getuid(), os.getpid(), "-", "-"), tmp_path)


def test_labels_name_session_owner_and_machine(proc: Path):
    owner = Owner(1, 77, "b00t", "4242")
    assert labels_for("s1", owner, proc) == {
        SESSION: "s1",
        OWNER: "1:77:b00t:4242",
        HOST: host_mark(proc),
    }


def test_only_what_a_dead_owner_of_this_user_and_machine_left_is_an_orphan(proc: Path):
    mine = os.getuid()
    dead, living = Owner(mine, 78, "b00t", "1"), Owner(mine, 77, "b00t", "4242")
    elsewhere = {OWNER: str(dead), HOST: "another"}
    found = [
        is_orphan(labels, proc)
        for labels in (
            labels_for("s", dead, proc),
            {OWNER: str(dead)},
            labels_for("s", living, proc),
            labels_for("s", Owner(mine + 1, 78, "b00t", "1"), proc),
            elsewhere,
            {SESSION: "s"},
            {},
        )
    ]
    assert found == [True, True, False, False, False, False, False]
