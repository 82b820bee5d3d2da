from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.adapters.git.environment import (
    find_git,
    local_environment,
    network_environment,
    private_environment,
    safe_path,
)
from selfheal_tui.adapters.git.runner import USER_COMMANDS, GitFailed, Runner, one_line
from selfheal_tui.errors import RepositoryRefused
from tests.support.repos import make_repo, write_script


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    repo = make_repo(tmp_path, {"a": b"1\n"})
    environment = local_environment(repo.environment, repo.path)
    return Runner(find_git(repo.environment, repo.path), repo.path, environment, USER_COMMANDS)


@pytest.mark.parametrize(
    "command", ["status", "diff", "add", "commit", "stash", "checkout", "update-index", "push"]
)
def test_what_is_not_on_the_list_is_never_started(runner: Runner, command: str) -> None:
    with pytest.raises(ValueError, match="not on the list"):
        runner.call(command)


def test_configuration_is_only_read(runner: Runner) -> None:
    with pytest.raises(ValueError, match="reading only"):
        runner.call("config", "user.name", "Mallory")


def test_a_failure_is_one_sentence_with_what_git_said(runner: Runner) -> None:
    with pytest.raises(GitFailed) as caught:
        runner.call("rev-parse", "--verify", "no-such-ref")
    assert str(caught.value) == "git rev-parse failed: Needed a single revision"
    assert caught.value.code == 128


def test_a_command_that_takes_too_long_is_ended(runner: Runner, tmp_path: Path) -> None:
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 1000\n")
    slow.chmod(0o755)
    hanging = Runner(str(slow), tmp_path, {"PATH": os.environ["PATH"]}, USER_COMMANDS, timeout=0.1)
    with pytest.raises(RepositoryRefused, match=r"did not end within 0\.1 s"):
        hanging.call("rev-parse")
    with pytest.raises(RepositoryRefused, match="did not end"), hanging.talk("update-ref") as talk:
        talk.hear()


def test_a_missing_git_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RepositoryRefused, match="git is not installed"):
        find_git({"PATH": str(tmp_path)}, tmp_path / "tree")
    gone = Runner(str(tmp_path / "git"), tmp_path, {}, USER_COMMANDS)
    with pytest.raises(RepositoryRefused, match="cannot be started"):
        gone.call("rev-parse")


def test_a_git_of_the_worktree_is_not_taken(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    write_script(tree / "bin" / "git", tmp_path / "marker")
    (tmp_path / "link").symlink_to(tree / "bin")
    path = f"{tree}/bin:{tmp_path}/link:bin::.:{os.environ['PATH']}"
    assert safe_path({"PATH": path}, tree) == ":".join(
        part for part in os.environ["PATH"].split(":") if part.startswith("/")
    )
    assert not find_git({"PATH": path}, tree).startswith(str(tmp_path))


def test_environments_are_built_from_scratch(tmp_path: Path) -> None:
    host = {
        "PATH": "/usr/bin",
        "HOME": "/home/u",
        "GIT_DIR": "/evil",
        "GIT_SSH_COMMAND": "evil",
        "OPENAI_API_KEY": "secret",
        "SSH_AUTH_SOCK": "/agent",
        "https_proxy": "http://proxy.example",
        "LD_PRELOAD": "evil.so",
    }
    fixed = {
        "LANG": "C",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "PATH": "/usr/bin",
    }
    assert local_environment(host, tmp_path) == fixed | {"HOME": "/home/u"}
    assert private_environment(host, tmp_path, Path("/state")) == fixed | {
        "HOME": "/state",
        "XDG_CONFIG_HOME": "/state",
        "GIT_CONFIG_GLOBAL": "/dev/null",
    }
    assert network_environment(host, tmp_path) == fixed | {
        "HOME": "/home/u",
        "GIT_ALLOW_PROTOCOL": "https:http:ssh:file",
        "SSH_AUTH_SOCK": "/agent",
        "https_proxy": "http://proxy.example",
    }


@given(st.binary(max_size=2000))
def test_what_git_says_becomes_one_printable_line(data: bytes) -> None:
    line = one_line(data)
    assert line.isprintable()
    assert len(line) <= 400


def test_terminal_sequences_do_not_survive() -> None:
    assert one_line(b"fatal: \x1b]52;c;evil\x07 moved\nnext") == "]52;c;evil moved next"
