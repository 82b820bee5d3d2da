"""A repository's healed environment as a Dockerfile that stands for itself.

Pure. Takes no setting of this machine in: no index, no proxy, no certificate, no image of the
user's own. What looks like a secret is marked as taken out.
"""

from __future__ import annotations

from collections.abc import Iterable

from selfheal_tui.core.plainjson import plain_json
from selfheal_tui.core.redact import Redactor

_HEAD = """\
# The environment in which selfheal runs this repository's check.
# Build it in the repository: docker build -f FILE --build-arg BASE_IMAGE=... .
"""
_PLAIN = "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nUSER root\n"
_SETTINGS = """\
ARG DEBIAN_FRONTEND=noninteractive
ARG PIP_BREAK_SYSTEM_PACKAGES=1
ARG PIP_NO_CACHE_DIR=1
"""
_NOT_OURS = "COPY ca-bundle.crt "
"""Begins the line of a profile's Dockerfile that takes this machine's certificates in."""


def dockerfile(profile: str, detected: str, commands: Iterable[str]) -> str:
    """The text. `profile` is the Dockerfile of the sandbox's profile, empty where it is not one of
    those that come with selfheal; `detected` the set-up that the project's files ask for."""
    lines = [line for line in profile.splitlines() if not line.startswith(_NOT_OURS)]
    start = "\n".join(lines) + "\n" if profile else _PLAIN
    steps = [command for command in (detected, *commands) if command]
    runs = "".join(f"\n{_run(command)}\n" for command in steps)
    return Redactor().redact(f"{_HEAD}{start}\n{_SETTINGS}WORKDIR /work\nCOPY . .\n{runs}")


def _run(command: str) -> str:
    """As a list of words, which needs no rules of how a Dockerfile reads a line. One word of it is
    the whole command."""
    return f"RUN {plain_json(['/bin/sh', '-ec', command])}"
