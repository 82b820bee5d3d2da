"""The local sandbox does what every sandbox does, and touches nothing but its copy."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from selfheal_tui.adapters.local import open_local_sandbox
from selfheal_tui.core.tree import LINK, REGULAR, TreeChange, TreeFile
from selfheal_tui.errors import SandboxError
from tests.support.sandbox_contract import SandboxContract


@pytest.fixture
async def sandbox(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    opened = await open_local_sandbox()
    yield opened
    await opened.close()


class TestLocalSandbox(SandboxContract):
    pass


@pytest.fixture
async def plain_shell(tmp_path, monkeypatch):
    """A sandbox on a machine without bash."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    opened = await open_local_sandbox()
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    "promise",
    [
        SandboxContract.test_folder_and_exports_hold_from_command_to_command,
        SandboxContract.test_a_command_sees_no_arguments,
        SandboxContract.test_without_shell_state_a_command_starts_clean_and_leaves_nothing,
        SandboxContract.test_a_working_directory_that_is_gone_falls_back_to_the_root,
        SandboxContract.test_every_character_of_a_command_reaches_the_shell,
    ],
)
async def test_without_bash_a_plain_shell_keeps_the_same_promises(plain_shell, promise):
    await promise(SandboxContract(), plain_shell)


async def test_the_copy_is_private_and_gone_after_closing(sandbox):
    folder = Path(sandbox.facts.workdir).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    await sandbox.run("mkdir -p a/b; touch a/b/c; chmod 000 a/b a", timeout=10)
    await sandbox.close()
    assert not folder.exists()


async def test_the_facts_say_that_there_is_no_isolation(sandbox):
    assert "no isolation" in sandbox.facts.isolation


async def test_nothing_is_written_through_a_link_out_of_the_copy(sandbox, tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "f").write_text("safe")
    await sandbox.put_tree((TreeFile("way", LINK, os.fsencode(victim)),))
    for write in (
        sandbox.write("way/f", b"bad"),
        sandbox.apply(TreeChange((TreeFile("way/f", REGULAR, b"bad"),))),
    ):
        with pytest.raises(SandboxError):
            await write
    await sandbox.apply(TreeChange(deleted=("way/f",)))
    with pytest.raises(SandboxError):
        await sandbox.fetch(["way/f"])
    with pytest.raises(SandboxError, match="outside the tree"):
        await sandbox.read("way/f", 10)
    assert (victim / "f").read_text() == "safe"


async def test_emptying_the_copy_does_not_follow_links(sandbox, tmp_path):
    (tmp_path / "victim").write_text("safe")
    await sandbox.put_tree((TreeFile("way", LINK, os.fsencode(tmp_path)),))
    await sandbox.put_tree(())
    assert (tmp_path / "victim").read_text() == "safe"


async def test_commands_have_the_users_path_also_where_the_start_took_some_of_it_away(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("_SELFHEAL_PATH", f"{tmp_path}:/usr/bin:/bin")
    sandbox = await open_local_sandbox()
    ran = await sandbox.run("echo $PATH; env", timeout=10)
    await sandbox.close()
    assert ran.output.splitlines()[0] == f"{tmp_path}:/usr/bin:/bin".encode()
    assert b"_SELFHEAL_PATH" not in ran.output
