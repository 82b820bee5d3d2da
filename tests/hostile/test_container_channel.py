"""Commands that attack what runs them: its memory, its pipes, its files, and its life."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from selfheal_tui.adapters.docker import tools
from selfheal_tui.core.tree import Scan
from selfheal_tui.errors import SandboxLost
from tests.hostile.rig import MIB, Rig, a_rig, is_gone, resident

pytestmark = pytest.mark.engine

IMPOSTOR = Path(__file__).with_name("impostor.py").read_bytes()


@pytest.fixture
async def rig(tmp_path, engine, base_image):
    async with a_rig(tmp_path, engine, base_image) as rig:
        yield rig


async def numbers(rig: Rig) -> tuple[int, int]:
    """The process numbers of the main process and of the one that takes orders."""
    main = await rig.said("grep -l '^PPid:.1$' /proc/[0-9]*/status | cut -d/ -f3")
    return int(main.split()[0]), await rig.sandbox._container.supervisor_number()


async def assert_usable(rig: Rig) -> None:
    assert await rig.said("echo usable; cat a.txt") == "usable\na\n"
    assert await rig.sandbox.scan() == Scan()


# --- the main process ----------------------------------------------------------------------


async def test_the_main_process_is_out_of_reach(rig):
    main, _ = await numbers(rig)
    tries = {
        "stop it": f"kill -STOP {main}",
        "kill it": f"kill -KILL {main}",
        "interrupt it": f"kill -INT {main}",
        "read its orders": f"head -c 1 /proc/{main}/fd/0",
        "write its answers": f"echo x >/proc/{main}/fd/1",
        "read its memory": f"head -c 1 /proc/{main}/mem",
        "read its environment": f"cat /proc/{main}/environ",
        "enter its folder": f"cd /proc/{main}/root && cd ..  && ls /proc/{main}/cwd/",
        "trace it": 'python3 -c "import ctypes, sys;'
        f' sys.exit(ctypes.CDLL(None).ptrace(16, {main}, 0, 0) != 0)"',
        "make it the one to be killed": f"echo 1000 >/proc/{main}/oom_score_adj",
        "stop the init": "kill -STOP 1",
        "read the init's orders": "cat /proc/1/fd/0",
    }
    succeeded = [
        name
        for name, command in tries.items()
        if (
            await rig.sandbox.run(f"{{ {command}; }} 2>/tmp/why", timeout=5, shell_state=False)
        ).exit_code
        == 0
    ]
    assert succeeded == []
    await assert_usable(rig)


KILLED_APP = """
import asyncio, os, sys
from tests.hostile.rig import PROFILE
from selfheal_tui.adapters.docker.engine import connect
from selfheal_tui.adapters.docker.sandbox import open_docker_sandbox

async def main():
    sandbox = await open_docker_sandbox(connect(), sys.argv[1], PROFILE, "hostile-killed")
    def hear(piece):
        if b"ready" in piece:
            print(sandbox.facts.container, flush=True)
    await sandbox.run(sys.argv[2], timeout=100, hear=hear)

asyncio.run(main())
"""


@pytest.mark.parametrize(
    "command",
    [
        "trap '' HUP TERM INT PIPE; for p in /proc/[0-9]*; do [ $$ = ${p#/proc/} ] ||"
        " kill -STOP ${p#/proc/}; done; echo ready; while :; do sleep 1; done",
        'python3 -c "import os\nfor _ in range(60):\n if not os.fork(): break\n'
        "print('ready', flush=True)\nwhile 1:\n try: os.fork()\n except OSError: pass\"",
        "for p in /proc/[0-9]*; do (exec 3</${p}/fd/0) 2>/dev/null; done;"
        " for p in /proc/[0-9]*; do sleep 100 <>$p/fd/0 & done 2>/dev/null; echo ready; sleep 100",
    ],
    ids=["that stopped everything", "that forks", "that holds every input"],
)
def test_a_command_does_not_keep_the_container_when_the_app_is_killed(engine, base_image, command):
    child = [sys.executable, "-c", KILLED_APP, base_image, command]
    with subprocess.Popen(child, stdout=subprocess.PIPE, text=True) as app:
        assert app.stdout is not None
        name = app.stdout.readline().strip()
        assert name.startswith("selfheal-hostile-killed")
        app.send_signal(signal.SIGKILL)
    assert is_gone(engine, name)


# --- the process that takes orders ---------------------------------------------------------


@pytest.mark.parametrize("how", ["KILL", "STOP"])
async def test_without_the_process_that_takes_orders_the_container_is_lost(rig, engine, how):
    _, orders = await numbers(rig)
    with pytest.raises(SandboxLost, match=r"a command ended the process|hangs"):
        await rig.sandbox.run(f"kill -{how} {orders}; sleep 30", timeout=1)
    assert is_gone(engine, rig.sandbox.facts.container)
    await rig.workspace.replace_lost(SandboxLost("gone"))
    await assert_usable(rig)


async def test_answers_that_nobody_asked_for_and_lines_without_end_are_nobodys(rig):
    _, orders = await numbers(rig)
    before = resident()
    flood = (
        'for n in $(seq 200); do echo "kill $n 7"; echo "memory $n 1:1:1"; done'
        f" >/proc/{orders}/fd/1;"
        f" timeout 3 sh -c 'tr \"\\\\0\" x </dev/zero >/proc/{orders}/fd/1'; echo over"
    )
    assert await rig.said(flood) == "over\n"
    assert resident() - before < 30 * MIB
    used, limit = await rig.sandbox.memory()
    assert (used > 100_000, limit) == (True, 768 * MIB)
    await rig.sandbox._channel.restart()
    await assert_usable(rig)


async def test_orders_of_a_command_end_no_more_than_its_own_processes(rig):
    _, orders = await numbers(rig)
    result = await rig.sandbox.run(f"echo kill 1 >/proc/{orders}/fd/0; sleep 30", timeout=10)
    assert result.exit_code == 137
    await assert_usable(rig)


# --- the runner ----------------------------------------------------------------------------


async def test_a_stopped_runner_costs_its_command_and_no_more(rig):
    result = await rig.sandbox.run("kill -STOP $PPID; echo done", timeout=1)
    assert (result.exit_code, result.timed_out) == (124, True)
    await assert_usable(rig)


async def test_orders_that_are_slipped_in_do_not_become_the_answer_to_ours(rig):
    forged = "0123456789abcdef" * 2
    slipped = f"printf '{forged} tool 1 0\\necho {forged} 0 0 0 0; touch /tmp/slipped\\n'"
    for _ in range(3):
        await rig.sandbox.run(f"{slipped} >/proc/$PPID/fd/0", timeout=5)
        result = await rig.sandbox.run("echo mine; exit 5", timeout=5)
        # What they print is output before ours; it is no end.
        assert (result.exit_code, result.output[-5:]) == (5, b"mine\n")
    await assert_usable(rig)


async def test_a_torn_order_costs_one_command_at_most(rig):
    await rig.sandbox.run("printf 'x tool 3 ' >/proc/$PPID/fd/0", timeout=5)
    await rig.sandbox.run("exit 5", timeout=1)
    assert (await rig.sandbox.run("exit 6", timeout=5)).exit_code == 6
    await assert_usable(rig)


async def test_an_output_that_does_not_block_does_not_swallow_the_end(rig):
    fill = (
        'python3 -c "import os; os.set_blocking(1, False)\nwhile 1:\n'
        " try: os.write(1, b'x' * 65536)\n except BlockingIOError: break\"; exit 5"
    )
    result = await rig.sandbox.run(fill, timeout=20, hear=lambda _: time.sleep(0.02))
    assert (result.exit_code, result.timed_out) == (5, False)


async def test_who_steals_the_runners_voice_rules_its_own_container_only(rig):
    """The limit that is told in the README: inside one container nothing is proof against code of
    the same user. What counts is a fresh container, into which only the tree goes."""
    await rig.sandbox.write("/tmp/impostor.py", IMPOSTOR)
    stolen = await rig.sandbox.run("exec python3 /tmp/impostor.py $PPID", timeout=20)
    assert stolen.exit_code == 0
    assert (await rig.sandbox.run("exit 5", timeout=20)).exit_code == 0
    assert await rig.workspace.sync() == rig.workspace.base
    async with rig.workspace.fresh(rig.workspace.tree) as fresh:
        assert (await fresh.run("exit 5", timeout=20)).exit_code == 5
    rig.opened.reverse()
    await rig.sandbox._channel.restart()
    assert (await rig.sandbox.run("exit 5", timeout=20)).exit_code == 5
    assert await rig.said("cat a.txt") == "a\n"


# --- our files inside ----------------------------------------------------------------------

SPOILS = {
    "FIFOs": "for f in $s/*; do rm $f; mkfifo $f; done; mkfifo $s/command",
    "links to the tree": "for f in $s/* $s/command; do ln -sf /work/a.txt $f; done",
    "links to nowhere": "for f in $s/* $s/command; do ln -sf /nowhere/x $f; done",
    "folders": "for f in $s/* $s/command; do rm -f $f; mkdir $f; done",
    "rights": "chmod 0 $s/*",
    "the folder's rights": "chmod 0 $s",
    "a link for the folder": "rm -r $s; ln -s /work $s",
    "a file for the folder": "rm -r $s; echo x >$s",
    "nothing": "rm -r $s",
    "a script of their own": "echo 'exit 0' >$s/keeper; echo 'exit 0' >$s/exports",
}


async def test_our_files_inside_are_made_anew_when_a_command_spoils_them(rig, monkeypatch):
    monkeypatch.setattr(tools, "TOOL_SECONDS", 3.0)
    said = {}
    for name, spoil in SPOILS.items():
        await rig.said(f"for s in /tmp/.????????????????; do {spoil}; done 2>/dev/null")
        scan = await rig.sandbox.scan()
        long = await rig.sandbox.run(f": {'x' * 70_000}\nexit 7", timeout=5, shell_state=False)
        kept = (await rig.sandbox.run("exit 6", timeout=5)).exit_code
        said[name] = (scan, long.exit_code, kept, await rig.said("cat a.txt"))
    own_script = said.pop("a script of their own")
    assert said == dict.fromkeys(said, (Scan(), 7, 6, "a\n"))
    # What keeps the shell's state is the commands' own; what is checked does not use it.
    assert (own_script[0], own_script[1], own_script[3]) == (Scan(), 7, "a\n")
