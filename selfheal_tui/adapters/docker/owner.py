"""Whose a container, volume or image is: the labels that say so, and whether that owner lives.

Refuses to call an owner dead that it cannot see: another user's, another machine's, or one of
another process namespace.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from selfheal_tui.adapters.processes import answers

SESSION = "selfheal.session"
OWNER = "selfheal.owner"
HOST = "selfheal.host"

PROC = Path("/proc")
_UNKNOWN = "-"


@dataclass(frozen=True)
class Owner:
    """A process of the host: it is told from a later one with its number by boot and start.

    `start` is in clock ticks since boot, as the kernel counts it. Where the system does not tell
    (no /proc), `boot` and `start` are `-`.
    """

    uid: int
    pid: int
    boot: str
    start: str

    def __str__(self) -> str:
        return f"{self.uid}:{self.pid}:{self.boot}:{self.start}"


def this_process(proc: Path = PROC) -> Owner:
    """The running process as an owner."""
    pid = os.getpid()
    return Owner(os.getuid(), pid, _boot(proc), _start(proc, pid) or _UNKNOWN)


def parse_owner(label: str) -> Owner | None:
    """The owner that a label names; None when it is not one of our labels."""
    parts = label.split(":")
    if len(parts) != 4 or not all(parts):
        return None
    if not all(part.isascii() and part.isdecimal() for part in parts[:2]):
        return None
    return Owner(int(parts[0]), int(parts[1]), parts[2], parts[3])


def is_alive(owner: Owner, proc: Path = PROC) -> bool:
    """Whether that very process still runs. Only for an owner of this machine."""
    if owner.boot != _boot(proc):
        return False
    if owner.start == _UNKNOWN:
        return answers(owner.pid)
    return _start(proc, owner.pid) == owner.start


def labels_for(session: str, owner: Owner, proc: Path = PROC) -> dict[str, str]:
    """The labels that everything of a session carries."""
    return {SESSION: session, OWNER: str(owner), HOST: host_mark(proc)}


def is_orphan(labels: Mapping[str, str], proc: Path = PROC) -> bool:
    """Whether what carries `labels` is ours, this user's and this machine's, and its owner died."""
    owner = parse_owner(labels.get(OWNER, ""))
    if owner is None or owner.uid != os.getuid():
        return False
    if labels.get(HOST, host_mark(proc)) != host_mark(proc):
        return False
    return not is_alive(owner, proc)


def host_mark(proc: Path = PROC) -> str:
    """Stands for this machine and process namespace: an engine may serve several of them."""
    parts = [platform.node(), _read(Path("/etc/machine-id")) or "", _namespace(proc)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _boot(proc: Path) -> str:
    # A colon would end the field.
    return (_read(proc / "sys/kernel/random/boot_id") or _UNKNOWN).replace(":", "")


def _start(proc: Path, pid: int) -> str | None:
    """Field 22 of the process's status; None when there is no such process, or only its zombie."""
    status = _read(proc / str(pid) / "stat")
    if status is None:
        return None
    # The second field is the program's name in brackets; it may hold blanks and brackets itself.
    fields = status.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else fields[19]


def _namespace(proc: Path) -> str:
    try:
        return str((proc / "self/ns/pid").readlink())
    except OSError:
        return ""


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return None
