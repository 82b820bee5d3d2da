"""Floods of everything a container can make: each ends in a defined result, the container serves
on or is replaced, and the app's memory stays flat."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest

from selfheal_tui.errors import SandboxLost
from tests.hostile.rig import MIB, PROFILE, a_rig, is_gone, resident

pytestmark = pytest.mark.engine

SMALL = replace(PROFILE, memory_mb=256, disk_mb=96, pids=64)

PYTHON_FORK = "import os\nwhile 1:\n try: os.fork()\n except OSError: pass"
CHAIN = "import os\nwhile 1:\n if os.fork(): os._exit(0)"

BOMBS = {
    "forks": ("b() { b | b & }; b; sleep 60", r"124"),
    "forks of python": (f'python3 -c "{PYTHON_FORK}"', r"124"),
    "one process that runs away from its number": (
        f'python3 -c "{CHAIN}"; sleep 60',
        r"124",
    ),
    "threads": (
        'python3 -c "import threading, time\n'
        'while 1: threading.Thread(target=time.sleep, args=(60,)).start()"',
        r"124",
    ),
    "memory": ("python3 -c 'x = bytearray(1 << 33)'; exit 3", r"3"),
    "memory page by page": (
        "python3 -c 'x = []\nwhile 1: x.append(bytearray(1 << 20))'",
        r"137|124",
    ),
    "memory of many": (
        "for i in 1 2 3 4; do python3 -c 'x = []\nwhile 1: x.append(bytes(1 << 20))' & done; wait",
        r"0|124",
    ),
    "memory behind files": ("tail /dev/zero; exit 4", r"4|124"),
    # All of the folders together are larger than so small a container's memory.
    "disk": (
        "for d in /work /tmp ~ /dev/shm; do head -c 1G /dev/zero >$d/full; done; exit 5",
        r"137|lost",
    ),
    "disk by holes that are filled": (
        "truncate -s 1T hole; cat /dev/zero >>hole; exit 6",
        r"6",
    ),
    "shared memory": ("head -c 1G /dev/zero >/dev/shm/full; exit 7", r"7"),
    "open files": (
        "python3 -c 'x = []\nwhile 1: x.append(open(\"/dev/null\"))'; exit 8",
        r"8",
    ),
    "pipes": ("python3 -c 'import os\nwhile 1: os.pipe()'; exit 10", r"10"),
    "a terminal's worth of signals": (
        "for i in $(seq 500); do kill -WINCH 0; done; exit 11",
        r"11",
    ),
    "time": ("while :; do :; done", r"124"),
    "sleep that ignores everything": ("trap '' TERM INT HUP; while :; do sleep 1; done", r"124"),
}


async def test_bombs_end_with_their_command_and_the_app_stays_small(tmp_path, engine, base_image):
    ended: dict[str, str] = {}
    slow: dict[str, float] = {}
    async with a_rig(tmp_path, engine, base_image, SMALL) as rig:
        before = resident()
        for name, (command, _) in BOMBS.items():
            started = time.monotonic()
            try:
                result = await rig.sandbox.run(command, timeout=2, shell_state=False)
                ended[name] = str(result.exit_code)
                await rig.again()
            except SandboxLost as lost:
                ended[name] = "lost"
                await rig.workspace.replace_lost(lost)
            if (took := time.monotonic() - started) > 12:
                slow[name] = took
            assert await rig.said("rm -rf /tmp/* ~/* /dev/shm/*; cat a.txt") == "a\n", name
        grown = resident() - before
        assert [is_gone(engine, sandbox.facts.container) for sandbox in rig.opened[:-1]] == [
            True
        ] * (len(rig.opened) - 1)
    wrong = {
        name: ended[name]
        for name, (_, codes) in BOMBS.items()
        if not re.fullmatch(codes, ended[name])
    }
    assert (wrong, slow) == ({}, {})
    assert grown < 60 * MIB


async def test_a_gigabyte_of_output_is_counted_cut_and_costs_no_memory(
    tmp_path, engine, base_image
):
    floods = {
        "lines": "yes 0123456789abcde | head -c 1000000000",
        "one line": "head -c 100000000 /dev/zero | tr '\\0' x",
        "controls": "yes $'\\e]52;c;eA==\\a\\x9b2J' | head -c 50000000",
        "no text": "head -c 50000000 /dev/urandom",
        "errors": "yes x 2>/dev/null | head -c 50000000 >&2",
    }
    sizes = {}
    async with a_rig(tmp_path, engine, base_image) as rig:
        before = resident()
        for name, command in floods.items():
            # As the agent runs it: every piece becomes an event.
            _, result = await rig.workspace.run(command, purpose="tool", timeout=60)
            sizes[name] = (result.total_bytes, len(result.output) < 300_000)
        grown = resident() - before
        assert await rig.said("echo usable") == "usable\n"
    wanted = {name: int(re.findall(r"-c (\d+)", command)[0]) for name, command in floods.items()}
    assert sizes == {name: (size, True) for name, size in wanted.items()}
    # What is shown of each is a megabyte.
    assert grown < 40 * MIB


async def test_300_000_files_are_refused_unless_they_are_ignored(tmp_path, engine, base_image):
    make = (
        "mkdir many; cd many; python3 -c \"import os\nfor d in range(300):\n os.mkdir(f'd{d}')\n"
        " for n in range(1000): os.close(os.open(f'd{d}/{n}', os.O_CREAT))\""
    )
    async with a_rig(tmp_path, engine, base_image) as rig:
        before = resident()
        assert await rig.attempt(make) == "TreeRejected: more than 200000 files were changed"
        # Names and stamps of all of them; nothing of what they hold.
        assert resident() - before < 250 * MIB
        # As many that are ignored are nobody's business.
        await rig.said("echo many >.gitignore")
        await rig.workspace.sync()
        assert set(await rig.changes()) == {".gitignore"}


async def test_a_tree_without_inodes_left_still_gives_its_changes(tmp_path, engine, base_image):
    fill = (
        "python3 -c \"import os\nos.mkdir('/tmp/i')\ntry:\n for n in range(600000):"
        " os.close(os.open(f'/tmp/i/{n}', os.O_CREAT))\nexcept OSError as full: print(full)\""
    )
    async with a_rig(tmp_path, engine, base_image) as rig:
        assert "No space left" in await rig.said(fill)
        assert await rig.attempt("echo b >a.txt") == "1 got out"
        assert await rig.said("echo usable") == "usable\n"


async def test_more_than_a_gigabyte_in_files_that_are_not_too_large_is_refused(
    tmp_path, engine, base_image
):
    profile = replace(PROFILE, memory_mb=2048, disk_mb=1400)
    many = "for i in $(seq 12); do head -c 95000000 /dev/zero >f$i; done"
    async with a_rig(tmp_path, engine, base_image, profile) as rig:
        before = resident()
        assert await rig.attempt(many) == "TreeRejected: the changes are larger than 1024 MiB"
        await rig.again()
        # What came of it until then is let go again.
        assert resident() - before < 1300 * MIB
        assert await rig.attempt("echo b >a.txt") == "1 got out"
