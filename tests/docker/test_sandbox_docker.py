"""What only the container gives: its profile, its limits, its end with the app, its losses."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace

import docker
import docker.errors
import pytest

from selfheal_tui.adapters.docker import running
from selfheal_tui.adapters.docker.owner import labels_for, this_process
from selfheal_tui.adapters.docker.sandbox import DockerSandbox, open_docker_sandbox
from selfheal_tui.adapters.docker.wire import close_handle
from selfheal_tui.core.profile import Profile
from selfheal_tui.core.tree import REGULAR, Scan, TreeFile
from selfheal_tui.errors import SandboxError, SandboxLost

pytestmark = pytest.mark.engine

MIB = 1024 * 1024
PROFILE = Profile("plain", "", memory_mb=512, disk_mb=256, pids=64, cpus=1.0)


@pytest.fixture
async def start(engine, base_image):
    """Opens sandboxes that are closed at the end."""
    opened: list[DockerSandbox] = []

    async def start(profile=PROFILE, *, client=engine, image=base_image, **options):
        sandbox = await open_docker_sandbox(client, image, profile, "docker-test", **options)
        opened.append(sandbox)
        return sandbox

    yield start
    for sandbox in opened:
        await sandbox.close()


@pytest.fixture
async def sandbox(start):
    return await start()


async def said(sandbox, command, **options):
    return (await sandbox.run(command, **({"timeout": 60.0} | options))).output.decode()


# --- the profile ---------------------------------------------------------------------------


async def test_the_running_container_has_the_hardened_profile(engine, sandbox):
    found = engine.api.inspect_container(sandbox.facts.container)
    host, config = found["HostConfig"], found["Config"]
    assert {
        name: host[name]
        for name in (
            "NetworkMode", "ReadonlyRootfs", "CapDrop", "CapAdd", "SecurityOpt", "Init",
            "PidsLimit", "Memory", "MemorySwap", "NanoCpus", "IpcMode", "ShmSize", "AutoRemove",
            "Privileged", "Binds", "PidMode", "UTSMode", "UsernsMode", "PortBindings", "Devices",
        )
    } == {
        "NetworkMode": "none", "ReadonlyRootfs": True, "CapDrop": ["ALL"], "CapAdd": [],
        "SecurityOpt": ["no-new-privileges"], "Init": True, "PidsLimit": 64,
        "Memory": 512 * MIB, "MemorySwap": 512 * MIB, "NanoCpus": 10**9, "IpcMode": "private",
        "ShmSize": 64 * MIB, "AutoRemove": True, "Privileged": False, "Binds": None,
        "PidMode": "", "UTSMode": "", "UsernsMode": "", "PortBindings": None, "Devices": None,
    }  # fmt: skip
    assert host["LogConfig"]["Type"] == "none"
    assert found["Mounts"] == []
    labels = labels_for("docker-test", this_process())
    assert {name: config["Labels"][name] for name in labels} == labels
    assert (config["StopTimeout"], config["OpenStdin"], config["StdinOnce"]) == (2, True, True)


async def test_a_command_finds_itself_confined(sandbox):
    status = await said(sandbox, "cat /proc/self/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    uid, gid = os.getuid() or 1000, os.getgid() or 1000
    assert fields["Uid"].split() == [str(uid)] * 4
    assert fields["Gid"].split() == [str(gid)] * 4
    assert {fields[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")
    assert await said(sandbox, "ls /sys/class/net") == "lo\n"
    assert "Read-only file system" in await said(sandbox, "touch /usr/x")
    assert await said(sandbox, "ulimit -c; ulimit -n") == "0\n4096\n"


async def test_the_memory_folders_have_their_sizes_and_run_programs(sandbox):
    mounts = await said(sandbox, "grep -E ' (/work|/tmp|/home/agent) ' /proc/mounts")
    options = {line.split()[1]: set(line.split()[3].split(",")) for line in mounts.splitlines()}
    assert set(options) == {"/work", "/tmp", "/home/agent"}
    for found in options.values():
        assert {"nosuid", "nodev", "nr_inodes=500000"} <= found
        assert "noexec" not in found
    assert "size=262144k" in options["/work"]
    for folder in ("/work", "/tmp", "~"):
        made = f"cd {folder} && printf '#!/bin/sh\\necho ran' >x && chmod +x x && ./x"
        assert await said(sandbox, made) == "ran\n"


async def test_the_disk_and_its_inodes_have_a_limit(sandbox):
    result = await sandbox.run("head -c 300M /dev/zero >/work/f", timeout=60)
    assert b"No space left" in result.output
    assert await said(sandbox, "rm /work/f; echo usable") == "usable\n"


async def test_the_environment_is_made_from_scratch(sandbox):
    environment = await said(sandbox, "env", shell_state=False)
    named = dict(line.split("=", 1) for line in environment.splitlines())
    assert {name: named[name] for name in ("HOME", "USER", "LANG", "TERM", "HTTPS_PROXY")} == {
        "HOME": "/home/agent",
        "USER": "agent",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "HTTPS_PROXY": "",
    }


async def test_a_root_profile_is_root_inside_with_few_capabilities(start):
    sandbox = await start(replace(PROFILE, root=True))
    assert await said(sandbox, "id -u; touch /usr/x && grep CapEff /proc/self/status") == (
        "0\nCapEff:\t00000000000000fb\n"
    )
    assert "ROOT" in sandbox.facts.isolation
    # A process of another user does not outlive its command either.
    await said(
        sandbox, "setsid python3 -c 'import os, time; os.setuid(33); time.sleep(60)' & sleep 0.3"
    )
    assert await said(sandbox, "cat /proc/[0-9]*/comm | grep -c python3") == "0\n"


@pytest.mark.registry
async def test_a_root_profile_with_network_installs_a_package(start):
    sandbox = await start(replace(PROFILE, root=True, pids=256), network="on")
    install = "apt-get update -qq && apt-get install -y -qq --no-install-recommends tree"
    assert (await sandbox.run(install, timeout=200)).exit_code == 0
    assert "tree v" in await said(sandbox, "tree --version")


async def test_folders_that_the_image_declares_as_volumes_are_limited_too(
    engine, start, base_image
):
    container = engine.containers.create(base_image)
    try:
        image = container.commit(
            "selfheal-test-volume", conf={"Volumes": {"/data": {}}, "Entrypoint": ["false"]}
        )
    finally:
        container.remove()
    try:
        sandbox = await start(image=image.id)
        assert "size=65536k" in await said(sandbox, "grep ' /data ' /proc/mounts")
        assert engine.api.inspect_container(sandbox.facts.container)["Mounts"] == []
        await sandbox.close()
    finally:
        engine.images.remove("selfheal-test-volume", force=True)


async def test_a_large_tree_goes_to_a_volume_that_ends_with_the_container(engine, start):
    sandbox = await start(tree_bytes=400 * MIB)
    mounts = engine.api.inspect_container(sandbox.facts.container)["Mounts"]
    assert [(mount["Type"], mount["Destination"]) for mount in mounts] == [("volume", "/work")]
    assert "volume" in sandbox.facts.isolation
    tree = tuple(TreeFile(f"f{n}", REGULAR, bytes(90 * MIB)) for n in range(4))
    await sandbox.put_tree(tree)
    assert await sandbox.scan() == Scan()
    assert await said(sandbox, "git init -q . && git add f0 && git status --short f0") == "A  f0\n"
    await sandbox.close()
    assert await _gone(engine.api.inspect_volume, mounts[0]["Name"])


async def test_what_the_image_lacks_is_named(engine, base_image, start):
    container = engine.containers.create(base_image, ["rm", "/usr/bin/setsid", "/usr/bin/xargs"])
    try:
        container.start()
        container.wait()
        image = container.commit("selfheal-test-lacking")
    finally:
        container.remove()
    try:
        with pytest.raises(SandboxError, match="lacks: setsid, xargs"):
            await start(image=image.id)
    finally:
        engine.images.remove("selfheal-test-lacking", force=True)


async def test_an_image_that_is_not_there_is_named(start):
    with pytest.raises(SandboxError, match="selfheal-no-such:image is not there"):
        await start(image="selfheal-no-such:image")


# --- hostile commands ----------------------------------------------------------------------


async def test_a_fork_bomb_is_ended_and_the_sandbox_is_usable(sandbox):
    result = await sandbox.run("b() { b | b & }; b; sleep 60", timeout=2)
    assert (result.exit_code, result.timed_out) == (124, True)
    assert await said(sandbox, "echo usable") == "usable\n"


async def test_a_bomb_that_outlives_its_command_is_ended_too(sandbox):
    script = "import os\nwhile 1:\n try: os.fork()\n except OSError: pass\n"
    await said(sandbox, f"setsid python3 -c '{script}' & sleep 0.5", timeout=20)
    assert await said(sandbox, "cat /proc/[0-9]*/comm | grep -c python3") == "0\n"


async def test_running_out_of_memory_is_named(sandbox):
    result = await sandbox.run("python3 -c 'bytearray(1 << 30)'", timeout=60)
    assert (result.exit_code, result.out_of_memory, result.timed_out) == (137, True, False)
    again = await sandbox.run("echo fine", timeout=60)
    assert (again.exit_code, again.out_of_memory) == (0, False)


async def test_running_out_of_memory_inside_a_longer_command_is_named(sandbox):
    result = await sandbox.run("python3 -c 'bytearray(1 << 30)'; echo went on", timeout=60)
    assert (result.exit_code, result.out_of_memory) == (0, True)


async def test_memory_full_of_files_is_a_lost_sandbox(start):
    sandbox = await start(replace(PROFILE, memory_mb=64, disk_mb=60))

    async def fill_and_scan():
        # The shell becomes `head`, so that the last process to be killed is a small one.
        for place in ("f", "/tmp/g", "/tmp/h", "~/i"):
            fill = f"exec head -c 60M /dev/zero >{place}"
            await sandbox.run(fill, timeout=60, shell_state=False)
        await sandbox.scan()

    with pytest.raises(SandboxLost, match="64 MiB of memory"):
        await fill_and_scan()


async def test_a_command_may_empty_or_fill_the_folder_for_temporary_files(sandbox):
    await sandbox.put_tree(())
    await said(sandbox, "rm -rf /tmp/* /tmp/.[!.]*; echo 1 >f")
    await said(sandbox, "export A=1")
    assert (await sandbox.scan(), await said(sandbox, "echo $A")) == (Scan(("f",)), "1\n")
    sandbox.settle()
    await said(sandbox, "head -c 1G /dev/zero >/tmp/full; echo 2 >f")
    assert await sandbox.scan() == Scan(("f",))
    await sandbox.write("g", b"2" * 50_000)
    assert len(await sandbox.fetch(["f", "g"])) == 2


async def test_killing_the_runner_is_one_killed_command(sandbox):
    result = await sandbox.run("echo before; kill -9 $PPID; sleep 60", timeout=30)
    assert (result.exit_code, result.output) == (137, b"before\n")
    assert await said(sandbox, "echo usable") == "usable\n"


@pytest.mark.parametrize("rest", ["sleep 1; exit 0", "sleep 1; exit 1", "sleep 60"])
async def test_a_command_that_the_engine_lets_go_of_was_not_killed(sandbox, monkeypatch, rest):
    """Its connection is cut, in whatever state its command is: what that came to is not known."""
    monkeypatch.setattr(running, "ANSWER_SECONDS", 1.0)

    def cut(_: bytes) -> None:
        close_handle(sandbox._channel._runner.wire._handle)

    with pytest.raises(SandboxLost, match="the Docker engine let go of a running command"):
        await sandbox.run(f"echo cut; {rest}", timeout=30, hear=cut)
    with pytest.raises(SandboxLost):
        await sandbox.run("echo", timeout=5)


async def test_killing_everything_loses_the_sandbox_with_a_reason(sandbox):
    with pytest.raises(SandboxLost, match="ended"):
        await sandbox.run("kill -9 -1", timeout=30)
    with pytest.raises(SandboxLost):
        await sandbox.run("echo", timeout=5)


async def test_signals_that_can_be_ignored_do_not_end_the_container(sandbox):
    signals = "HUP INT QUIT TERM PIPE ALRM USR1 USR2"
    await sandbox.run(f"for s in {signals}; do kill -$s 1 7 $PPID; done", timeout=10)
    assert await said(sandbox, "echo usable") == "usable\n"


async def test_output_that_imitates_the_end_is_output(sandbox):
    fake = "0123456789abcdef" * 2 + " 0 0 0 0"
    result = await sandbox.run(f"echo {fake}; printf 0123456789abcdef; exit 5", timeout=10)
    assert (result.exit_code, result.output.decode()) == (5, f"{fake}\n0123456789abcdef")


async def test_what_the_command_prints_elsewhere_does_not_reach_the_next_one(sandbox):
    await said(sandbox, "(setsid sh -c 'while :; do echo noise; done' &) ; sleep 0.2")
    assert await said(sandbox, "echo quiet") == "quiet\n"


async def test_a_flood_stays_out_of_memory_and_is_counted_whole(sandbox):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = await sandbox.run("yes 0123456789abcde | head -c 200000000", timeout=120)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert result.total_bytes == 200_000_000
    assert grown < 30 * 1024  # KiB


async def test_a_flood_that_nobody_takes_can_be_cancelled(sandbox):
    running = asyncio.ensure_future(sandbox.run("yes", timeout=60, hear=lambda _: time.sleep(0.01)))
    await asyncio.sleep(0.5)
    started = time.monotonic()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert time.monotonic() - started < 2.5
    assert await said(sandbox, "echo usable") == "usable\n"


async def test_a_file_that_fills_the_disk_while_the_tree_goes_in_is_a_sentence(start):
    sandbox = await start(replace(PROFILE, disk_mb=64))
    with pytest.raises(SandboxError, match=r"its disk: 64 MiB.*big"):
        await sandbox.put_tree((TreeFile("big", REGULAR, bytes(80 * MIB)),))
    await sandbox.put_tree((TreeFile("small", REGULAR, b"1"),))
    assert await said(sandbox, "cat small") == "1"


async def test_a_write_to_a_full_disk_leaves_the_old_file(start):
    sandbox = await start(replace(PROFILE, disk_mb=64))
    await sandbox.write("f", b"old")
    await said(sandbox, "head -c 70M /dev/zero >filler")
    with pytest.raises(SandboxError, match="No space left"):
        await sandbox.write("f", bytes(100_000))
    assert await said(sandbox, "cat f; rm filler; ls -A") == "oldf\n"


async def test_a_device_cannot_even_be_made(start):
    sandbox = await start(replace(PROFILE, root=True))
    assert (await sandbox.run("mknod d c 1 3", timeout=10)).exit_code == 1


# --- losses --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "options"), [("kill", {}), ("stop", {"timeout": 1}), ("restart", {"timeout": 1})]
)
async def test_a_container_that_is_ended_from_outside_is_lost_with_a_reason(
    engine, sandbox, how, options
):
    running = asyncio.ensure_future(sandbox.run("sleep 60", timeout=60))
    await asyncio.sleep(0.2)
    container = engine.containers.get(sandbox.facts.container)
    await asyncio.to_thread(getattr(container, how), **options)
    with pytest.raises(SandboxLost, match="ended from outside"):
        await asyncio.wait_for(running, 10)
    await sandbox.close()
    assert await _gone(engine.api.inspect_container, sandbox.facts.container)


async def test_a_container_that_hangs_is_lost_after_its_timeout(engine, sandbox):
    engine.containers.get(sandbox.facts.container).pause()
    with pytest.raises(SandboxLost, match="hangs"):
        await asyncio.wait_for(sandbox.run("echo", timeout=0.5), 15)
    assert await _gone(engine.api.inspect_container, sandbox.facts.container)


class Relay:
    """A TCP port that passes everything on to the engine, until it is cut."""

    def __init__(self, engine_url: str) -> None:
        self._path = engine_url.removeprefix("http+unix://")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[socket.socket] = []
        self.url = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        for end in (self._listener, *self._pairs):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._path)
            self._pairs += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def relay(engine):
    socket_path = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not socket_path.startswith("unix://"):
        pytest.skip("the relay passes on to a unix socket only")
    relay = Relay(socket_path.removeprefix("unix://"))
    yield relay
    relay.cut()


async def test_it_works_over_tcp_and_ends_when_the_connection_is_cut(engine, start, relay):
    client = docker.DockerClient(base_url=relay.url, timeout=20)
    sandbox = await start(client=client)
    tree = tuple(TreeFile(f"f{n}", REGULAR, bytes(1000) * n) for n in range(200))
    await sandbox.put_tree(tree)
    assert len(await sandbox.fetch([file.path for file in tree])) == 200
    running = asyncio.ensure_future(sandbox.run("echo; sleep 60", timeout=60))
    await asyncio.sleep(0.3)
    relay.cut()
    with pytest.raises(SandboxLost, match="engine does not answer"):
        await asyncio.wait_for(running, 15)
    started = time.monotonic()
    await sandbox.close()
    assert time.monotonic() - started < 3
    assert await _gone(engine.api.inspect_container, sandbox.facts.container)
    client.close()


_CHILD = """
import asyncio, docker, sys
from selfheal_tui.adapters.docker.sandbox import open_docker_sandbox
from selfheal_tui.core.profile import Profile

async def main():
    sandbox = await open_docker_sandbox(
        docker.from_env(), sys.argv[1], Profile("plain", ""), "child", tree_bytes=int(sys.argv[2])
    )
    print(sandbox.facts.container, flush=True)
    await sandbox.run("trap '' TERM HUP; sleep 600", timeout=600)

asyncio.run(main())
"""


@pytest.mark.parametrize("tree_bytes", [0, 4096 * MIB], ids=["in memory", "on a volume"])
def test_when_the_app_is_killed_no_container_and_no_volume_is_left(engine, base_image, tree_bytes):
    command = [sys.executable, "-c", _CHILD, base_image, str(tree_bytes)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        name = child.stdout.readline().strip()
        volumes = [mount["Name"] for mount in engine.api.inspect_container(name)["Mounts"]]
        child.send_signal(signal.SIGKILL)
    assert asyncio.run(_gone(engine.api.inspect_container, name))
    assert len(volumes) == (1 if tree_bytes else 0)
    assert [asyncio.run(_gone(engine.api.inspect_volume, volume)) for volume in volumes] == [
        True for _ in volumes
    ]


async def test_a_cancelled_opening_leaves_nothing(engine, base_image):
    for delay in (0.0, 0.02, 0.1, 0.2):
        opening = asyncio.ensure_future(
            open_docker_sandbox(engine, base_image, PROFILE, "cancelled")
        )
        await asyncio.sleep(delay)
        opening.cancel()
        # A quick machine may have it open by then.
        with contextlib.suppress(asyncio.CancelledError):
            await (await opening).close()
    left = engine.api.containers(all=True, filters={"label": "selfheal.session=cancelled"})
    assert [await _gone(engine.api.inspect_container, container["Id"]) for container in left] == [
        True
    ] * len(left)


async def _gone(inspect, name: str) -> bool:
    """Whether what `inspect` finds under the name is removed within 10 s."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            inspect(name)
        except docker.errors.NotFound:
            return True
        await asyncio.sleep(0.05)
    return False


# --- numbers -------------------------------------------------------------------------------


async def test_the_numbers_are_in_reach(start, base_image, engine, record_property):
    """Loose bounds, as the machine is shared; of what takes milliseconds the best of many, for what
    comes on top is other programs'. The measured values are properties of the test."""
    started = time.perf_counter()
    sandbox = await start(replace(PROFILE, memory_mb=2048, disk_mb=512))
    opened = time.perf_counter() - started
    latencies = []
    for _ in range(50):
        started = time.perf_counter()
        await sandbox.run("true", timeout=10)
        latencies.append(time.perf_counter() - started)
    tree = tuple(TreeFile(f"d{n % 100}/f{n}.py", REGULAR, b"x" * 5500) for n in range(10_000))
    started = time.perf_counter()
    await sandbox.put_tree(tree)
    put = time.perf_counter() - started
    await sandbox.run("echo >>d1/f1.py; echo >new", timeout=10)
    started = time.perf_counter()
    scan = await sandbox.scan()
    await sandbox.fetch(scan.changed)
    out = time.perf_counter() - started
    numbers = {"open": opened, "command": min(latencies), "tree in": put, "out": out}
    record_property("seconds", json.dumps(numbers))
    assert scan == Scan(("d1/f1.py", "new"))
    assert (opened < 3, min(latencies) < 0.01, put < 6, out < 1) == (True,) * 4


# --- memory --------------------------------------------------------------------------------


async def test_memory_grows_with_what_is_kept_and_knows_the_profiles_limit(sandbox):
    before, limit = await sandbox.memory()
    await said(sandbox, "head -c 20M /dev/zero >/tmp/kept")
    after, _ = await sandbox.memory()
    assert limit == PROFILE.memory_mb * MIB
    assert 19_000_000 < after - before < 40_000_000


async def test_memory_costs_little(sandbox):
    costs = []
    for _ in range(20):
        started = time.monotonic()
        await sandbox.memory()
        costs.append(time.monotonic() - started)
    assert min(costs) < 0.01


async def test_a_container_that_does_not_answer_leaves_its_memory_unknown(sandbox, monkeypatch):
    monkeypatch.setattr("selfheal_tui.adapters.docker.running.MEASURE_SECONDS", 0.05)
    supervisor = await sandbox._container.supervisor_number()
    assert await said(sandbox, f"kill -STOP {supervisor}; echo stopped") == "stopped\n"
    assert await sandbox.memory() is None
    assert await said(sandbox, f"kill -CONT {supervisor}; echo goes on") == "goes on\n"


async def test_the_memory_of_a_container_that_is_gone_is_a_loss(engine, sandbox):
    engine.api.kill(sandbox.facts.container)
    await asyncio.wait_for(asyncio.shield(sandbox._container.gone), 20)
    with pytest.raises(SandboxLost):
        await sandbox.memory()
