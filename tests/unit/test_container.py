"""The create arguments of the hardened container, field by field."""

from __future__ import annotations

from dataclasses import replace

import pytest

from selfheal_tui.adapters.docker.container import (
    BRIDGE,
    Account,
    account_for,
    create_arguments,
    keeper_for,
    needs_volume,
)
from selfheal_tui.core.profile import Profile

PROFILE = Profile("plain", "", environment={"TERM": "xterm", "EXTRA": "1"}, cpus=1.5)
LABELS = {"selfheal.session": "s", "selfheal.owner": "1:2:b:3"}
DEFAULT_CAPABILITIES = {
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
    "NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}  # fmt: skip


def arguments(profile: Profile = PROFILE, **options: object) -> dict:
    given = {"image": "sha256:i", "account": Account(501, 20), "labels": LABELS}
    return create_arguments(profile, **(given | {"supervisor": "loop"} | options))  # type: ignore[arg-type]


def test_the_plain_container_is_exactly_this():
    assert arguments() == {
        "Image": "sha256:i",
        "Entrypoint": ["/bin/sh", "-c", "loop", "selfheal"],
        "Cmd": [],
        "Env": [
            "HTTP_PROXY=", "HTTPS_PROXY=", "FTP_PROXY=", "ALL_PROXY=", "NO_PROXY=",
            "http_proxy=", "https_proxy=", "ftp_proxy=", "all_proxy=", "no_proxy=",
            "HOME=/home/agent", "USER=agent", "LANG=C.UTF-8", "TERM=xterm",
            "PYTHONDONTWRITEBYTECODE=1", "PIP_NO_INPUT=1", "PAGER=cat", "GIT_PAGER=cat", "EXTRA=1",
        ],
        "Labels": LABELS,
        "User": "65534:65534",
        "WorkingDir": "/work",
        "Tty": False,
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "StopTimeout": 2,
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": {
            "AutoRemove": True,
            "Init": True,
            "NetworkMode": "none",
            "ReadonlyRootfs": True,
            "Privileged": False,
            "CapDrop": ["ALL"],
            "CapAdd": [],
            "SecurityOpt": ["no-new-privileges"],
            "PidsLimit": 512,
            "Memory": 2 * 1024**3,
            "MemorySwap": 2 * 1024**3,
            "NanoCpus": 1_500_000_000,
            "Ulimits": [
                {"Name": "core", "Soft": 0, "Hard": 0},
                {"Name": "nofile", "Soft": 4096, "Hard": 4096},
            ],
            "IpcMode": "private",
            "ShmSize": 64 * 1024**2,
            "LogConfig": {"Type": "none"},
            "Tmpfs": {
                "/work":
                    "rw,exec,nosuid,nodev,size=1024m,nr_inodes=500000,uid=501,gid=20,mode=0755",
                "/tmp": "rw,exec,nosuid,nodev,size=352m,nr_inodes=500000,mode=1777",
                "/home/agent":
                    "rw,exec,nosuid,nodev,size=352m,nr_inodes=500000,uid=501,gid=20,mode=0755",
            },
        },
    }  # fmt: skip


def test_a_root_profile_differs_in_user_system_and_few_default_capabilities():
    plain, root = arguments(), arguments(replace(PROFILE, root=True), account=Account(0, 0))
    changed = {name for name in plain if plain[name] != root[name]}
    before, after = plain["HostConfig"], root["HostConfig"]
    assert changed == {"User", "HostConfig"}
    assert {name for name in before if before[name] != after[name]} == {
        "ReadonlyRootfs",
        "CapAdd",
        "Tmpfs",
    }
    assert (after["ReadonlyRootfs"], after["CapDrop"]) == (False, ["ALL"])
    assert set(after["CapAdd"]) < DEFAULT_CAPABILITIES


def test_a_large_tree_is_on_an_anonymous_volume_with_our_labels():
    config = arguments(on_volume=True)["HostConfig"]
    options = {"Labels": LABELS, "NoCopy": True}
    assert config["Mounts"] == [{"Type": "volume", "Target": "/work", "VolumeOptions": options}]
    assert set(config["Tmpfs"]) == {"/tmp", "/home/agent"}


def test_folders_that_an_image_declares_as_volumes_get_a_size():
    config = arguments(shadowed=["/data"])["HostConfig"]
    assert config["Tmpfs"]["/data"].startswith("rw,exec,nosuid,nodev,size=64m,")


def test_only_the_name_of_a_network_gives_one():
    assert arguments(network=BRIDGE)["HostConfig"]["NetworkMode"] == "bridge"


def test_the_account_is_the_hosts_and_never_root_unless_asked_for(monkeypatch):
    monkeypatch.setattr("os.getuid", lambda: 1234)
    monkeypatch.setattr("os.getgid", lambda: 0)
    assert account_for(PROFILE) == Account(1234, 1000)
    assert account_for(replace(PROFILE, root=True)) == Account(0, 0)
    monkeypatch.setattr("os.getuid", lambda: 0)
    assert account_for(PROFILE) == Account(1000, 1000)


@pytest.mark.parametrize(
    ("memory", "disk", "tree", "needs"),
    [
        (2048, 1024, 700, False),
        (2048, 1024, 800, True),
        (1024, 4096, 600, True),
        (64, 64, 0, False),
    ],
)
def test_a_tree_over_half_of_memory_or_most_of_the_disk_needs_a_volume(memory, disk, tree, needs):
    profile = replace(PROFILE, memory_mb=memory, disk_mb=disk)
    assert needs_volume(profile, tree * 1024**2) is needs


@pytest.mark.parametrize(("memory", "disk"), [(2048, 1024), (4096, 2048), (1024, 256)])
def test_full_memory_folders_leave_an_eighth_of_the_memory(memory, disk):
    profile = replace(PROFILE, memory_mb=memory, disk_mb=disk)
    config = arguments(profile)["HostConfig"]
    folders = config["Tmpfs"].values()
    sizes = [int(options.split("size=")[1].split("m,")[0]) for options in folders]
    assert sum(sizes) + config["ShmSize"] // 1024**2 <= memory * 7 // 8


def test_the_main_process_is_nobody_that_commands_can_reach():
    ids = [keeper_for(Account(uid, uid)).uid for uid in (1000, 65534, 65533)]
    assert ids == [65534, 65533, 65534]
    assert keeper_for(Account(0, 0)) == Account(0, 0)
