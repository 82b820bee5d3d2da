"""A container whose own programs lie: `find`, `tar`, `head`, the shell, the search path."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest

from selfheal_tui.adapters.docker import tools
from selfheal_tui.errors import SandboxError, SandboxLost
from tests.hostile.crafted import LISTINGS, STREAMS
from tests.hostile.rig import FILES, MIB, PROFILE, Rig, a_rig, resident

pytestmark = pytest.mark.engine

ROOT = replace(PROFILE, root=True)
"""The one kind of container whose programs a command can replace; an image can come so, too."""

AS_IF = """
set -e
for tool in find tar head; do cp /usr/bin/$tool /usr/bin/$tool.real; done
cat >/usr/bin/find <<'X'
#!/bin/sh
case "$1$2" in */tick.) [ -e /lie/find ] && exec cat /lie/find ;; esac
exec find.real "$@"
X
cat >/usr/bin/tar <<'X'
#!/bin/sh
[ "$1" = -c ] && [ -e /lie/tar ] && { cat >/dev/null; exec sh /lie/tar; }
exec tar.real "$@"
X
mkdir -p /lie; rm -f /lie/*
"""


@pytest.fixture
async def liar(tmp_path, engine, base_image):
    async with a_rig(tmp_path, engine, base_image, ROOT) as rig:
        await rig.said(AS_IF)
        yield rig


async def hand_in(rig: Rig, name: str, content: bytes) -> None:
    """Put a file into the container, into a folder that no port writes to."""
    await rig.sandbox.write("/tmp/handed", content)
    await rig.said(f"mv /tmp/handed {name}")


async def refusal(rig: Rig) -> str:
    """What became of a sync."""
    try:
        await rig.workspace.sync()
    except SandboxError as refused:
        return str(refused)
    return "no refusal"


async def test_a_list_of_files_that_lies_is_refused_and_costs_no_memory(liar):
    said, before = {}, resident()
    for name, (listing, _) in LISTINGS.items():
        await hand_in(liar, "/lie/find", listing)
        said[name] = await refusal(liar)
        await liar.said("rm /lie/find")
    grown = resident() - before
    wrong = {
        name: said[name]
        for name, (_, words) in LISTINGS.items()
        if not re.search(words, said[name])
    }
    assert wrong == {}
    assert grown < 150 * MIB
    assert await liar.attempt("echo b >a.txt") == "1 got out"


async def test_a_list_without_end_is_refused_at_once(liar):
    await liar.said("printf '#!/bin/sh\\nexec cat /dev/zero\\n' >/usr/bin/find")
    started, before = time.monotonic(), resident()
    assert "cannot be read" in await refusal(liar)
    assert time.monotonic() - started < 5
    assert resident() - before < 50 * MIB


async def test_a_tar_that_lies_is_refused_and_nothing_of_it_comes_out(liar):
    said, before = {}, resident()
    for name, (stream, _) in STREAMS.items():
        await liar.said("echo b >a.txt; rm -f /lie/tar")
        await hand_in(liar, "/lie/stream", stream)
        await hand_in(liar, "/lie/tar", b"cat /lie/stream\n")
        said[name] = await refusal(liar)
        assert liar.workspace.tree == liar.workspace.base, name
    wrong = {
        name: said[name] for name, (_, words) in STREAMS.items() if not re.search(words, said[name])
    }
    assert wrong == {}
    assert resident() - before < 100 * MIB
    await liar.said("rm /lie/tar")
    assert await liar.attempt("echo b >a.txt") == "1 got out"


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("exec cat /dev/zero", "not a tar stream|goes on after its end"),
        ("exec yes", "not a tar stream"),
        ("printf x; exit 3", "could not be read|not a tar stream|cut short"),
        ("kill -9 $PPID", "cut short|could not be read"),
        ("yes >&2", "did not answer|could not be read"),
        ('tar.real "$@" | head.real -c 700', "cut short"),
        ("exec sleep 100", "did not answer"),
    ],
    ids=["zeros", "words", "a fault", "a killed parent", "complaints", "cut", "no answer"],
)
async def test_a_tar_that_never_ends_or_breaks_off_is_refused_in_time(
    liar, monkeypatch, program, words
):
    monkeypatch.setattr(tools, "TOOL_SECONDS", 2.0)
    await liar.said("echo b >a.txt")
    await hand_in(liar, "/lie/tar", program.encode() + b"\n")
    started, before = time.monotonic(), resident()
    assert re.search(words, await refusal(liar))
    assert time.monotonic() - started < 8
    assert resident() - before < 50 * MIB
    assert liar.workspace.tree == liar.workspace.base


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("truncate -s 10 /work/large", "got out"),
        ("truncate -s 30 /work/large; truncate -s 40M /work/large", "shrank|changed"),
        ("echo more >>/work/large", "changed as we read it"),
        ("chmod 755 /work/large; rm /work/large", "removed|changed|No such file"),
        ("rm /work/later; ln -s /etc/passwd /work/later", "removed|changed|No such file|got out"),
    ],
    ids=["shrinks", "shrinks and grows", "grows", "vanishes", "the next becomes a link"],
)
async def test_a_file_that_changes_while_it_is_read_is_not_taken_torn(liar, change, words):
    """The change happens when a megabyte of the file has been read, and no more can have been."""
    await liar.said("head -c 30000000 /dev/urandom >large; echo x >later")
    pack = "tar.real -c --format=gnu --no-recursion --null -T -"
    torn = f"{pack} | {{ head.real -c 1000000; {change}; cat; }}"
    names = "printf 'large\\0later\\0'"
    lie = f'exec bash -c "set -o pipefail; {names} | {torn}"\n'
    await hand_in(liar, "/lie/tar", lie.encode())
    said = await refusal(liar)
    if said == "no refusal":
        # It was read a second time, when nothing changed any more.
        changes = await liar.changes()
        assert len(changes["large"][1]) in {10, 30_000_000}
        assert changes["later"][1] in {b"x\n", b"/etc/passwd"}
        assert "got out" in words
        return
    assert re.search(f"could not be read: .*(?:{words})", said, re.DOTALL)
    assert liar.workspace.tree == liar.workspace.base


async def test_a_head_that_gives_more_than_it_was_asked_for_is_refused(liar):
    await liar.said("printf '#!/bin/sh\\nexec cat /dev/zero\\n' >/usr/bin/head")
    before = resident()
    with pytest.raises(SandboxError, match="more than the 1000 bytes asked for"):
        await liar.sandbox.read("a.txt", 1000)
    assert resident() - before < 50 * MIB


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
async def test_a_shell_that_is_somebody_elses_ends_the_container_at_most(liar, monkeypatch, shell):
    monkeypatch.setattr(tools, "TOOL_SECONDS", 2.0)
    await liar.said(
        f"cp {shell} /bin/real; printf '#!/bin/real\\necho 0 0 0 0; exit 0\\n' >/tmp/x;"
        f" chmod 755 /tmp/x; mv /tmp/x {shell}"
    )
    ends: list[object] = []
    for _ in range(3):
        try:
            ends.append((await liar.sandbox.run("exit 5", timeout=3)).exit_code)
            ends.append(await liar.sandbox.scan())
        except SandboxError as refused:
            ends.append(str(refused))
    assert len(ends) >= 3
    await liar.workspace.replace_lost(SandboxLost("a lie"))
    assert await liar.said("cat a.txt") == FILES["a.txt"].decode()


async def test_a_search_path_of_the_commands_reaches_none_of_ours(tmp_path, engine, base_image):
    poison = (
        "mkdir -p /tmp/bin ~/bin ~/.local/bin;"
        " for t in find tar head cat rm sh xargs mkdir dd mv; do"
        " for d in /tmp/bin ~/bin ~/.local/bin . src; do"
        " printf '#!/bin/sh\\ntouch /tmp/poisoned; exit 1\\n' >$d/$t; chmod +x $d/$t; done; done;"
        " export PATH=/tmp/bin:.:$PATH ENV=/tmp/env BASH_ENV=/tmp/env LD_PRELOAD=/tmp/x.so IFS=xyz"
        " TAR_OPTIONS=--checkpoint-action=exec=false POSIXLY_CORRECT=1 TMPDIR=/nowhere;"
        " echo 'touch /tmp/poisoned' >/tmp/env; echo 'touch /tmp/poisoned' >~/.profile;"
        " cp ~/.profile ~/.bashrc; cp ~/.profile ~/.shrc; find() { :; }; export -f find 2>/dev/null"
    )
    async with a_rig(tmp_path, engine, base_image) as rig:
        await rig.sandbox.run(poison, timeout=30)
        await rig.sandbox.write("a.txt", b"b\n")
        await rig.sandbox.write("large", b"x" * 100_000)
        await rig.workspace.sync()
        assert (await rig.changes())["a.txt"][1] == b"b\n"
        await rig.workspace.restore(rig.workspace.base)
        assert await rig.sandbox.read("a.txt", 100) == b"a\n"
        seen = "/usr/bin/find /tmp -maxdepth 1 -name poisoned; /usr/bin/env"
        assert not {"/tmp/poisoned", "LD_PRELOAD"} & set(re.split("[\n=]", await rig.said(seen)))
        assert (rig.opened[0], len(rig.opened)) == (rig.sandbox, 1)
