"""Processes that go on after their command, and files that they write later."""

from __future__ import annotations

import asyncio
import re

import pytest

from selfheal_tui.core.tree import Scan
from selfheal_tui.errors import SandboxError
from tests.hostile.rig import Rig, a_rig

pytestmark = pytest.mark.engine


@pytest.fixture
async def rig(tmp_path, engine, base_image):
    async with a_rig(tmp_path, engine, base_image) as rig:
        yield rig


async def assert_usable(rig: Rig) -> None:
    assert await rig.said("echo usable; cat a.txt") == "usable\na\n"
    assert await rig.sandbox.scan() == Scan()


WRITES = "while :; do echo late >>late; echo x >a.txt; sleep 0.01; done"
GO_ON = {
    "a job": f"({WRITES}) &",
    "a session of its own": f"setsid sh -c '{WRITES}' &",
    "a process without a parent": f"(setsid sh -c '({WRITES}) & exit' &)",
    "one that ignores signals": f"(trap '' HUP TERM INT QUIT PIPE; exec setsid sh -c '{WRITES}') &",
    "a stopped one that would go on": f"sh -c '{WRITES}' & kill -STOP $!",
    "one with the name of a dead one": 'python3 -c "import ctypes, os, time\n'
    "if os.fork(): os._exit(0)\nos.setsid(); ctypes.CDLL(None).prctl(15, b'x) Z 1 (', 0, 0, 0)\n"
    "while 1: open('late', 'a').write('x'); time.sleep(0.01)\"",
    "one in a trap": f"trap '({WRITES}) &' EXIT",
    "one that is made anew as often as it is killed": 'python3 -c "import os, time\n'
    "if os.fork(): os._exit(0)\nos.setsid()\nwhile 1:\n if os.fork(): os._exit(0)\n"
    " open('late', 'a').write('x')\"",
    "threads": 'python3 -c "import os, threading, time\nif os.fork(): os._exit(0)\n'
    "def go():\n while 1: open('late', 'a').write('x'); time.sleep(0.01)\n"
    '[threading.Thread(target=go).start() for _ in range(8)]"',
}


async def test_no_process_outlives_its_command_and_writes_later(rig):
    left: dict[str, object] = {}
    for name, command in GO_ON.items():
        await rig.sandbox.run(f"{command}\nsleep 0.1", timeout=20, shell_state=False)
        tree = await rig.workspace.sync()
        await asyncio.sleep(0.1)
        alive = await rig.said("cat /proc/[0-9]*/stat | grep -cE '[)] [RSDT] ' ")
        left[name] = (int(alive) <= 7, await rig.workspace.sync() == tree, await rig.sandbox.scan())
        await rig.again()
    assert left == dict.fromkeys(GO_ON, (True, True, Scan()))
    assert len(rig.opened) == 1


POKE = """
head -c 30000000 /dev/urandom >/work/large
while :; do
    date +%N >/work/a.txt; truncate -s $((RANDOM * 900)) /work/large; echo x >>/work/grows
    rm -f /work/goes; echo x >/work/goes; mv /work/src /work/crs; mv /work/crs /work/src
done
"""


async def test_files_that_change_while_they_are_read_are_read_whole_or_not_at_all(rig, engine):
    """The writers are started from outside, again and again, as nothing inside could go on."""
    name, uid = rig.sandbox.facts.container, (await rig.said("id -u")).strip()

    def poke() -> None:
        made = engine.api.exec_create(name, ["bash", "-c", POKE], user=uid)
        engine.api.exec_start(made["Id"], detach=True)

    async def keep_poking() -> None:
        while True:
            await asyncio.to_thread(poke)

    outcomes: list[str] = []
    trees = {}
    poking = asyncio.ensure_future(keep_poking())
    for _ in range(15):
        try:
            await rig.workspace.sync()
            outcomes.append("in sync")
        except SandboxError as refused:
            outcomes.append(str(refused))
        trees[rig.workspace.tree] = await rig.changes()
    poking.cancel()
    await asyncio.gather(poking, return_exceptions=True)
    known = r"in sync|the sandbox's files could not be read|'\w+' is something else"
    assert [one for one in outcomes if not re.match(known, one)] == []
    for tree, changes in trees.items():
        rig.workspace.tree = tree
        assert await rig.changes() == changes
    await rig.again()
    await assert_usable(rig)
