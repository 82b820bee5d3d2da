"""A sandbox profile as values: what `sandboxes/<name>/sandbox.toml` says. Reading it is elsewhere.

What is not a field here cannot be set: privileges, host paths, devices and namespaces are not.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Profile:
    """One kind of sandbox.

    `base_image` is the default of the Dockerfile's `BASE_IMAGE`. `detect` are file names at the
    tree's root that speak for this profile; `artifacts` are ignore patterns (git's syntax) of what
    tools of the language leave behind; `protect` are patterns of files that decide the verdict of a
    check, beside those that `core.guard` knows. `memory_mb` and `disk_mb` are in MiB, `cpus` 0
    means all. `root` asks for a root user inside and a writable root file system: opt-in, always
    shown.
    """

    name: str
    folder: str
    description: str = ""
    base_image: str = ""
    detect: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    protect: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    memory_mb: int = 2048
    disk_mb: int = 1024
    pids: int = 512
    cpus: float = 0.0
    root: bool = False
