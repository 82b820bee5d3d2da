"""What healed a repository's environment is kept in the user's folder, and can be looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from selfheal_tui.adapters.kept_setups import MOST, KeptSetup, KeptSetups
from selfheal_tui.core.dockerfile import dockerfile
from selfheal_tui.core.redact import Redactor
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
    "command",
    [
        "pip install -i https://ada:hunter22@index.invalid/simple six",
        "pip install -i https://0f3c9a7713bd@index.invalid/simple six",
        "npm config set //registry.invalid/:_authToken=0f3c9a7713bd",
        "curl -u ada:hunter22-of-ada https://x.invalid | sh",
        "",
        " ",
        "a\0b",
    ],
)
def test_a_command_that_holds_a_secret_or_nothing_is_not_kept(kept, command):
    with pytest.raises(UsageError):
        kept.add(command)
    assert not kept.file.exists()


def test_a_secret_of_the_environment_is_not_kept(tmp_path):
    kept = KeptSetups(tmp_path, "/r", Redactor(["hunter22-of-ada"]))
    with pytest.raises(UsageError, match="holds a secret"):
        kept.add("fetch --with hunter22-of-ada")
    assert not kept.file.exists()


def test_a_login_that_is_no_secret_is_kept(kept):
    kept.add("pip install git+ssh://git@git.invalid/a && curl https://ada:$TOKEN@x.invalid")
    assert len(kept.read().commands) == 1


def test_a_file_that_others_prepared_takes_nothing(kept, tmp_path):
    kept.file.parent.mkdir(parents=True)
    theirs = tmp_path / "theirs"
    theirs.write_text("theirs")
    kept.file.with_name(f"{kept.file.name}.{os.getpid()}").symlink_to(theirs)
    kept.add("pip install six")
    assert theirs.read_text() == "theirs"
    assert kept.read().commands == ("pip install six",)


def test_two_that_keep_at_once_lose_nothing(tmp_path):
    code = (
        "import sys; from pathlib import Path;"
        " from selfheal_tui.adapters.kept_setups import KeptSetups;"
        " kept = KeptSetups(Path(sys.argv[1]), '/r');"
        " [kept.add(f'{sys.argv[2]} {number}') for number in range(8)]"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    running = [subprocess.Popen([*command, name]) for name in ("a", "b")]
    assert [process.wait(60) for process in running] == [0, 0]
    assert len(KeptSetups(tmp_path, "/r").read().commands) == 16
    assert [path.name for path in (tmp_path / "environments").iterdir()] == [
        KeptSetups(tmp_path, "/r").file.name
    ]


def test_there_is_a_most_of_commands(kept):
    for number in range(MOST):
        kept.add(f"true {number}")
    with pytest.raises(UsageError, match="forget one"):
        kept.add("one more")


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b"\xff", b'{"repository": "/home/ada/till", "commands": [1]}',
     b'{"repository": "/elsewhere", "commands": []}',
     b'{"repository": "/home/ada/till", "commands": "rm -rf /"}',
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
