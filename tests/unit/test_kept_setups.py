"""What healed a repository's environment is kept in the user's folder, and can be looked at."""

from __future__ import annotations

import json

import pytest

from selfheal_tui.adapters.kept_setups import MOST, KeptSetup, KeptSetups
from selfheal_tui.core.dockerfile import dockerfile
from selfheal_tui.errors import SettingsError, UsageError
from selfheal_tui.resources import sandboxes_folder
from tests.support.headless import Workplace


@pytest.fixture
def kept(tmp_path):
    return KeptSetups(tmp_path / "config", "/home/ada/till")


def test_commands_are_kept_once_in_their_order_with_what_they_stand_on(kept):
    kept.add("pip install six", profile="python", detected="pip install -e .")
    kept.add("pip install PyYAML")
    kept.add("pip install six")
    assert kept.read() == KeptSetup(
        "/home/ada/till", "python", "pip install -e .", ("pip install six", "pip install PyYAML")
    )


def test_the_file_is_private_and_each_repository_has_its_own(kept, tmp_path):
    kept.add("pip install six")
    assert kept.file.stat().st_mode & 0o777 == 0o600
    assert KeptSetups(tmp_path / "config", "/home/ada/other").read().commands == ()


def test_one_command_or_all_of_them_are_forgotten(kept):
    for name in ("a", "b", "c"):
        kept.add(name)
    assert kept.forget(2) == ("b",)
    assert kept.read().commands == ("a", "c")
    assert kept.forget() == ("a", "c")
    assert not kept.file.exists()
    with pytest.raises(UsageError, match="0 set-up commands"):
        kept.forget()


@pytest.mark.parametrize(
    "command", ["pip install -i https://ada:hunter22@index.invalid/simple six", "", " ", "a\0b"]
)
def test_a_command_that_holds_a_secret_or_nothing_is_not_kept(kept, command):
    with pytest.raises(UsageError):
        kept.add(command)
    assert not kept.file.exists()


def test_there_is_a_most_of_commands(kept):
    for number in range(MOST):
        kept.add(f"true {number}")
    with pytest.raises(UsageError, match="forget one"):
        kept.add("one more")


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b"\xff", b'{"repository": "/home/ada/till", "commands": [1]}',
     b'{"repository": "/elsewhere", "commands": []}',
     b'{"repository": "/home/ada/till", "commands": [], "more": 1}'],
)  # fmt: skip
def test_a_file_that_is_not_ours_is_named(kept, content):
    kept.file.parent.mkdir(parents=True)
    kept.file.write_bytes(content)
    with pytest.raises(SettingsError, match=kept.file.name):
        kept.read()


def test_the_command_line_adds_shows_exports_and_forgets(tmp_path):
    place = Workplace(tmp_path, {"a.txt": "a\n"})
    assert place.run("config", "--add-setup", "pip install six").exit_code == 0
    assert "set-up 1: pip install six" in place.run("config").out
    assert json.loads(place.run("config", "--json").out)["setup"] == ["pip install six"]
    assert '"pip install six"]' in place.run("config", "--dockerfile").out
    assert place.run("config", "--forget-setup").out == "forgotten: pip install six\n"
    ended = place.run("config", "--dockerfile")
    assert (ended.exit_code, ended.out) == (2, "")
    assert place.git("status", "--porcelain") == ""


def test_a_dockerfile_stands_for_itself():
    profile = (sandboxes_folder() / "python" / "Dockerfile").read_text()
    text = dockerfile(profile, "pip install -e .", ["apt-get update &&\nrm -rf /x"])
    assert "ca-bundle.crt /opt" not in text
    assert text.endswith(
        "WORKDIR /work\nCOPY . .\n\n"
        'RUN ["/bin/sh", "-ec", "pip install -e ."]\n\n'
        'RUN ["/bin/sh", "-ec", "apt-get update &&\\nrm -rf /x"]\n'
    )
    assert "\nARG BASE_IMAGE=python:" in text


def test_a_dockerfile_holds_no_secret():
    text = dockerfile("", "pip install -i https://a:hunter22@x.invalid/ six", [])
    assert "hunter22" not in text
