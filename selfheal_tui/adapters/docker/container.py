"""The hardened container as the engine's create arguments.

A pure function of the profile: what it does not set, no setting can reach.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from selfheal_tui.core.profile import Profile

WORK = "/work"
HOME = "/home/agent"
OFF, BRIDGE = "none", "bridge"

INODES = 500_000
MIB = 1024 * 1024
_PLAIN_ID = 1000
_KEEPER_IDS = (65534, 65533)
_LEAST_MIB = 64
_SHARED_MIB = 64

ROOT_CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID")
"""What apt-get and dpkg need, and what ends the processes that they start as other users."""

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY")

_ENVIRONMENT = {
    "HOME": HOME,
    "USER": "agent",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    # A stale .pyc of an edit of the same size within one second gives a false verdict.
    "PYTHONDONTWRITEBYTECODE": "1",
    "PIP_NO_INPUT": "1",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
}


@dataclass(frozen=True)
class Account:
    """Who runs inside: numbers only, the image need not know them."""

    uid: int
    gid: int

    def __str__(self) -> str:
        return f"{self.uid}:{self.gid}"


def account_for(profile: Profile) -> Account:
    """The host's user, so that nobody else's files are in reach; never root unless asked for."""
    if profile.root:
        return Account(0, 0)
    return Account(os.getuid() or _PLAIN_ID, os.getgid() or _PLAIN_ID)


def keeper_for(account: Account) -> Account:
    """Who runs the main process: somebody whom the commands' user cannot stop, trace or speak for,
    so that the container ends with the app whatever is done inside. Root can do all that."""
    if account.uid == 0:
        return account
    other = next(number for number in _KEEPER_IDS if number != account.uid)
    return Account(other, other)


def needs_volume(profile: Profile, tree_bytes: int) -> bool:
    """Whether a tree is too large to be kept in memory."""
    return tree_bytes > profile.memory_mb * MIB // 2 or tree_bytes > profile.disk_mb * MIB * 3 // 4


def create_arguments(
    profile: Profile,
    *,
    image: str,
    account: Account,
    labels: Mapping[str, str],
    supervisor: str,
    network: str = OFF,
    on_volume: bool = False,
    shadowed: Iterable[str] = (),
) -> dict[str, Any]:
    """The body of the engine's `POST /containers/create`.

    `supervisor` is the text of the main process; commands and the tree are the `account`'s.
    With `on_volume` the tree is in an anonymous volume, which the engine removes with the
    container. `shadowed` are folders that the image declares as volumes: they become small memory
    file systems, so that their size has a limit.
    """
    return {
        "Image": image,
        "Entrypoint": ["/bin/sh", "-c", supervisor, "selfheal"],
        "Cmd": [],
        "Env": _environment(profile, on_volume=on_volume),
        "Labels": dict(labels),
        "User": str(keeper_for(account)),
        "WorkingDir": WORK,
        "Tty": False,
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "StopTimeout": 2,
        # A health check of the image would run beside the commands.
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": _host_config(profile, account, labels, network, on_volume, shadowed),
    }


def _host_config(
    profile: Profile,
    account: Account,
    labels: Mapping[str, str],
    network: str,
    on_volume: bool,
    shadowed: Iterable[str],
) -> dict[str, Any]:
    memory = profile.memory_mb * MIB
    config: dict[str, Any] = {
        "AutoRemove": True,
        "Init": True,
        "NetworkMode": network,
        "ReadonlyRootfs": not profile.root,
        "Privileged": False,
        "CapDrop": ["ALL"],
        "CapAdd": list(ROOT_CAPABILITIES) if profile.root else [],
        "SecurityOpt": ["no-new-privileges"],
        "PidsLimit": profile.pids,
        "Memory": memory,
        "MemorySwap": memory,
        "Ulimits": [
            {"Name": "core", "Soft": 0, "Hard": 0},
            {"Name": "nofile", "Soft": 4096, "Hard": 4096},
        ],
        "IpcMode": "private",
        "ShmSize": _SHARED_MIB * MIB,
        "LogConfig": {"Type": "none"},
        "Tmpfs": _memory_folders(profile, account, on_volume, shadowed),
    }
    if profile.cpus:
        config["NanoCpus"] = int(profile.cpus * 1e9)
    if on_volume:
        options = {"Labels": dict(labels), "NoCopy": True}
        config["Mounts"] = [{"Type": "volume", "Target": WORK, "VolumeOptions": options}]
    return config


def _memory_folders(
    profile: Profile, account: Account, on_volume: bool, shadowed: Iterable[str]
) -> dict[str, str]:
    """Docker's own default for these is `noexec`, half of the host's memory, and no inode limit."""
    # All of them full, /dev/shm too, must leave an eighth of the memory to run a command in.
    spare = max(_LEAST_MIB, (profile.memory_mb * 7 // 8 - profile.disk_mb - _SHARED_MIB) // 2)
    own = f"uid={account.uid},gid={account.gid},mode=0755"
    folders = {path: _memory_folder(_LEAST_MIB, "mode=1777") for path in shadowed}
    folders["/tmp"] = _memory_folder(spare, "mode=1777")
    folders[HOME] = _memory_folder(spare, own)
    if not on_volume:
        folders[WORK] = _memory_folder(profile.disk_mb, own)
    return folders


def _memory_folder(size_mb: int, rights: str) -> str:
    return f"rw,exec,nosuid,nodev,size={size_mb}m,nr_inodes={INODES},{rights}"


def _environment(profile: Profile, *, on_volume: bool) -> list[str]:
    values = dict.fromkeys([*_PROXIES, *(name.lower() for name in _PROXIES)], "")
    values |= _ENVIRONMENT
    if on_volume:
        # The volume's own folder is root's; git would refuse to work in it.
        values |= {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": WORK,
        }
    return [f"{name}={value}" for name, value in (values | profile.environment).items()]
