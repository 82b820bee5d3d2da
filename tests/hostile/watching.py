"""Watches a run from outside: the arguments of the processes that it starts, and our containers
with their settings, their commands and the environments of their processes."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import threading
from pathlib import Path
from typing import Any

import docker
import docker.errors
import requests

PROC = Path("/proc")
EVERY = 0.05
"""Seconds between two looks at the list of processes."""

ANEW = 20
"""Every so many looks at all of them: the number of one that ended is another's in time."""

LABEL = "selfheal.session"
OWNER = "selfheal.owner"

LOOKED_AT = {"create", "start", "exec_start"}
"""What changes a container's settings or its processes."""


class Watch:
    """A context. `seen` is all that was found, as (what it is, its text); `containers` and
    `volumes` are the names of ours. Without an engine only processes are looked at."""

    def __init__(self, *, engine: bool) -> None:
        self.seen: dict[tuple[str, str], None] = {}
        self.containers: dict[str, str] = {}
        self.volumes: dict[str, str] = {}
        self._engine = engine
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._stream: Any = None
        self._client: docker.DockerClient | None = None

    def __enter__(self) -> Watch:
        if self._engine:
            self._client = docker.from_env()
            self._stream = self._client.events(decode=True, filters={"label": LABEL})
            self._threads.append(threading.Thread(target=self._follow, daemon=True))
        self._threads.append(threading.Thread(target=self._look_around, daemon=True))
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._stream is not None:
            self._stream.close()
        for thread in self._threads:
            thread.join(10)
        if self._client is not None:
            self._client.close()

    def _look_around(self) -> None:
        strangers: set[int] = set()
        for look in itertools.count():
            if self._over.wait(EVERY):
                return
            if look % ANEW == 0:
                strangers.clear()
            for number in _descendants(os.getpid(), strangers):
                self._see("arguments of a process", _read(PROC / str(number) / "cmdline"))

    def _follow(self) -> None:
        """The stream ends with an error when it is closed under its reader."""
        gone = (OSError, ValueError, AttributeError, requests.RequestException)
        with contextlib.suppress(*gone, docker.errors.DockerException):
            for event in self._stream:
                about = (event.get("Actor") or {}).get("Attributes") or {}
                if _is_somebody_elses(about.get(OWNER, "")):
                    continue
                self._see("an event of a container", json.dumps(event))
                if event.get("Type") == "container":
                    self.containers[event["id"]] = about.get(LABEL, "")
                    if str(event.get("Action")).partition(":")[0] in LOOKED_AT:
                        self._look_into(event["id"], about.get(LABEL, ""))

    def _look_into(self, container: str, session: str) -> None:
        assert self._client is not None
        with contextlib.suppress(docker.errors.APIError):
            settings = self._client.api.inspect_container(container)
            self._see("the settings of a container", json.dumps(settings))
            for mount in settings.get("Mounts") or ():
                if mount.get("Type") == "volume":
                    self.volumes[mount["Name"]] = session
            listed = self._client.api.top(container)
            self._see("processes of a container", json.dumps(listed))
            at = listed["Titles"].index("PID")
            for row in listed["Processes"] or ():
                environment = _read(PROC / row[at] / "environ")
                self._see("the environment of a process of a container", environment)

    def _see(self, what: str, text: str) -> None:
        if text:
            self.seen[what, text] = None


def _is_somebody_elses(owner: str) -> bool:
    """Whether the label names a process that lives and is none of this one's: other tests run
    their own beside it."""
    number = owner.split(":")[1] if owner.count(":") == 3 else ""
    while number.isdecimal() and int(number) > 1:
        if int(number) == os.getpid():
            return False
        fields = _read(PROC / number / "stat").rpartition(")")[2].split()
        number = fields[1] if len(fields) > 1 else ""
    return number != ""


def _descendants(ancestor: int, strangers: set[int]) -> set[int]:
    """The processes below this one: other tests run their own beside it. What is none is told to
    `strangers`, which are not looked at: nobody becomes a descendant."""
    children: dict[int, list[int]] = {}
    numbers = {int(one.name) for one in PROC.iterdir() if one.name.isdecimal()} - strangers
    for number in numbers:
        # The name, in brackets, may hold anything.
        fields = _read(PROC / f"{number}" / "stat").rpartition(")")[2].split()
        if len(fields) > 1:
            children.setdefault(int(fields[1]), []).append(number)
    found: set[int] = set()
    open_ends = [ancestor]
    while open_ends:
        below = children.get(open_ends.pop(), [])
        found.update(below)
        open_ends += below
    strangers |= numbers - found
    return found


def left_on_engine(sessions: set[str], watch: Watch) -> list[str]:
    """What is still there of these sessions, each as a few words."""
    client = docker.from_env()
    try:
        filters = {"label": LABEL}
        found = [
            (f"container {one.name}", one.labels.get(LABEL))
            for one in client.containers.list(all=True, filters=filters, ignore_removed=True)
        ]
        volumes = client.volumes.list()
        labels = {one.name: (one.attrs.get("Labels") or {}).get(LABEL) for one in volumes}
        found += [
            (f"volume {name}", watch.volumes.get(name) or label) for name, label in labels.items()
        ]
        found += [
            (f"network {one.name}", (one.attrs.get("Labels") or {}).get(LABEL))
            for one in client.networks.list(filters=filters)
        ]
    finally:
        client.close()
    return [name for name, session in found if session in sessions]


def processes_with(word: str) -> list[str]:
    """Processes of the host whose environment holds `word`, each as `id arguments`."""
    return [
        f"{folder.name} {_read(folder / 'cmdline')[:80]}"
        for folder in PROC.iterdir()
        if folder.name.isdecimal() and word in _read(folder / "environ")
    ]


def _read(file: Path) -> str:
    with contextlib.suppress(OSError):
        return file.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    return ""
