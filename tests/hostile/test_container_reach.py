"""What a command in a container tries to reach: the engine, the host, the network, more rights."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.hostile.rig import Rig, a_rig

pytestmark = pytest.mark.engine

SECRET = "sentinel-5b1e7f-of-the-host"


@pytest.fixture
async def rig(tmp_path, engine, base_image, monkeypatch):
    for name in ("OPENAI_API_KEY", "SELFHEAL_SENTINEL", "AWS_SECRET_ACCESS_KEY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, SECRET)
    async with a_rig(tmp_path, engine, base_image) as rig:
        yield rig


@contextmanager
def listening() -> Iterator[tuple[int, list[str]]]:
    """A service on every address of the host: its port, and who came."""
    came: list[str] = []
    with socket.create_server(("0.0.0.0", 0), reuse_port=False) as server:

        def accept() -> None:
            while True:
                try:
                    connection, address = server.accept()
                except OSError:
                    return
                came.append(address[0])
                connection.close()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1], came
        server.shutdown(socket.SHUT_RDWR)


def addresses_of(engine) -> list[str]:
    """Where the host and its neighbours would be."""
    bridge = engine.api.inspect_network("bridge")["IPAM"]["Config"][0]
    gateway = bridge.get("Gateway") or "172.17.0.1"
    own = socket.gethostbyname_ex(socket.gethostname())[2]
    return [gateway, "127.0.0.1", "169.254.169.254", "172.17.0.1", "10.0.0.1", "1.1.1.1", *own]


REACH = """
import json, socket, sys
said = {}
for host in json.loads(sys.argv[1]):
    for port in json.loads(sys.argv[2]):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            end = socket.socket(socket.AF_INET, kind)
            end.settimeout(1)
            try:
                end.connect((host, port))
                end.send(b'x')
                said[f'{host}:{port}/{kind}'] = 'reached'
            except OSError as error:
                pass
for name in ('host.docker.internal', 'gateway.docker.internal', 'example.com', 'metadata'):
    try:
        said[name] = socket.gethostbyname(name)
    except OSError:
        pass
for family in (socket.AF_PACKET, socket.AF_NETLINK):
    try:
        socket.socket(family, socket.SOCK_RAW)
        said[str(family)] = 'raw'
    except OSError:
        pass
try:
    socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
    said['icmp'] = 'raw'
except OSError:
    pass
print(json.dumps(said))
"""


async def test_no_address_answers_and_no_name_is_known(rig: Rig, engine):
    await rig.sandbox.write("/tmp/reach.py", REACH.encode())
    with listening() as (port, came):
        hosts = str(addresses_of(engine)).replace("'", '"')
        said = await rig.said(f"python3 /tmp/reach.py '{hosts}' '[{port}, 2375, 2376, 80, 53]'")
        assert came == []
    # Datagrams to itself leave nowhere, and the kernel may be asked about the empty network.
    allowed = r"127\.0\.0\.1:\d+/.*2|.*NETLINK.*|16"
    reached = re.findall(r'"([^"]+)": "', said)
    assert [one for one in reached if not re.fullmatch(allowed, one)] == []
    assert await rig.said("ls /sys/class/net; cat /proc/net/route | tail -n +2") == "lo\n"


async def test_there_is_no_socket_of_an_engine_and_no_path_of_the_host(rig: Rig, engine):
    found = await rig.said(
        "find / -xdev -type s 2>/dev/null; ls /var/run/docker.sock /run/docker.sock"
        " /run/containerd /run/podman /run/user /var/lib/docker 2>/dev/null; echo over"
    )
    assert found == "over\n"
    mounts = await rig.said("cat /proc/self/mountinfo /proc/mounts")
    places = (str(rig.repo.path.parent), rig.repo.environment["HOME"], str(Path.home()))
    assert [place for place in places if place in mounts] == []
    inspected = engine.api.inspect_container(rig.sandbox.facts.container)
    assert (inspected["Mounts"], inspected["HostConfig"]["Binds"]) == ([], None)


async def test_no_value_of_the_hosts_environment_is_inside(rig: Rig, engine):
    said = await rig.said("cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null; env; set")
    inspected = str(engine.api.inspect_container(rig.sandbox.facts.container))
    host = [
        value
        for name, value in os.environ.items()
        if len(value) > 12 and name not in {"PATH", "LANG", "SELFHEAL_BASE_IMAGE"}
    ]
    assert SECRET in host
    assert [value for value in host if value in said or value in inspected] == []


RIGHTS = {
    "become root": "su -c true; sudo -n true",
    "a program that is root's": "cp /usr/bin/id s; chmod 6755 s; ./s -u | grep -qx 0",
    "a program of the image that is root's": "su root -c 'id -u' | grep -qx 0 || newgrp root",
    "another user": "setpriv --reuid 0 true",
    "a user namespace": "unshare -Ur true",
    "a mount": "mount -t tmpfs none /mnt",
    "a mount namespace": "unshare -m true",
    "a device": "mknod d b 8 0",
    "a kernel module": "insmod x; modprobe loop",
    "the clock": "date -s 2001-01-01",
    "the name": "hostname x",
    "a setting of the kernel": "echo 1 >/proc/sys/kernel/panic",
    "the kernel's trigger": "echo b >/proc/sysrq-trigger",
    "the kernel's log": "dmesg | grep -q .",
    "the limit of memory": "echo -1 >/sys/fs/cgroup/memory/memory.limit_in_bytes ||"
    " echo max >/sys/fs/cgroup/memory.max",
    "a control group": "mkdir /sys/fs/cgroup/memory/x || mkdir /sys/fs/cgroup/x",
    "the release agent": "echo x >/sys/fs/cgroup/memory/release_agent",
    "the system's files": "echo x >/etc/passwd || touch /usr/bin/x",
    "the core pattern": "echo '|/x' >/proc/sys/kernel/core_pattern",
    "the host's processes": "ls /proc | grep -qx 99999 || grep -q dockerd /proc/[0-9]*/comm",
    "a real-time priority": "chrt -f 50 true",
    "a higher priority": "nice -n -5 true 2>&1 | grep -q denied && false",
    "a handle of a file": 'python3 -c "import ctypes; import sys; sys.exit(ctypes.CDLL(None)'
    '.syscall(304, 3, 0, 0) < 0)"',
    "keys of the kernel": 'keyctl show || python3 -c "import ctypes, sys;'
    ' sys.exit(ctypes.CDLL(None).syscall(250, 0, -3, 0) < 0)"',
    "programs in the kernel": 'python3 -c "import ctypes, sys;'
    ' sys.exit(ctypes.CDLL(None).syscall(321, 0, 0, 0) < 0)"',
    "events of the kernel": 'python3 -c "import ctypes, sys;'
    ' sys.exit(ctypes.CDLL(None).syscall(298, 0, 0, -1, -1, 0) < 0)"',
}


async def test_no_right_can_be_gained(rig: Rig):
    gained = [
        name
        for name, command in RIGHTS.items()
        if (await rig.sandbox.run(f"{{ {command}; }} >/tmp/said 2>&1", timeout=10)).exit_code == 0
    ]
    assert gained == []
    status = await rig.said("cat /proc/self/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    capabilities = ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")
    assert {fields[name] for name in capabilities} == {"0" * 16}
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")


async def test_a_network_that_the_user_turned_on_still_gives_no_engine(
    tmp_path, engine, base_image
):
    """The host's own services on the bridge are in reach then: the README says so."""
    async with a_rig(tmp_path, engine, base_image, network="on") as rig:
        assert "WITH network" in rig.sandbox.facts.isolation
        await rig.sandbox.write("/tmp/reach.py", REACH.encode())
        gateway = addresses_of(engine)[0]
        said = await rig.said(f"python3 /tmp/reach.py '[\"{gateway}\"]' '[2375, 2376]'")
        assert "/SocketKind.SOCK_STREAM" not in said
        assert ":2375/1" not in said
