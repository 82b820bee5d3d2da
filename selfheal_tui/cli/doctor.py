"""`selfheal doctor`: what this machine has and lacks, and what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from selfheal_tui import __version__
from selfheal_tui.cli.compose import Place
from selfheal_tui.cli.parser import Parser
from selfheal_tui.core.plainjson import plain_json
from selfheal_tui.core.providers import PROVIDERS, first_available, key_for
from selfheal_tui.core.redact import Redactor, redacted
from selfheal_tui.core.text import on_one_line
from selfheal_tui.errors import ModelError, SandboxError, SelfhealError
from selfheal_tui.settings import Settings, resolve

OLDEST_GIT = (2, 30)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `exit_code` is 0, or the code that a run would end with."""

    name: str
    ok: bool
    text: str
    exit_code: int = 0


def main(arguments: Sequence[str]) -> int:
    parser = Parser(prog="selfheal doctor", description="Look at what this machine has and lacks.")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args(arguments)
    place = Place.from_process(None)
    redactor = Redactor.from_environment(place.environment)
    findings = [redacted(finding, redactor) for finding in _findings(place)]
    if options.json:
        data = {"version": __version__, "findings": [asdict(finding) for finding in findings]}
        print(plain_json(data, indent=2))
    else:
        for finding in findings:
            print(on_one_line(f"{'ok ' if finding.ok else 'NO '} {finding.name:<9} {finding.text}"))
    return next((finding.exit_code for finding in findings if not finding.ok), 0)


def _findings(place: Place) -> Iterator[Finding]:
    yield Finding("python", True, f"{platform.python_version()} at {sys.executable}")
    yield _git(place)
    try:
        settings, _ = resolve(
            file=place.config_file,
            repository=str(place.repository),
            environment=place.environment,
            flags={},
        )
    except SelfhealError as error:
        settings = Settings()
        yield Finding("settings", False, str(error), error.exit_code)
    else:
        there = "" if place.config_file.exists() else " (not there: defaults)"
        yield Finding("settings", True, f"{place.config_file}{there}")
    yield from _engine(settings)
    yield _model(place, settings)
    yield _state(place)


def _git(place: Place) -> Finding:
    from selfheal_tui.adapters.git.environment import find_git

    try:
        path = find_git(place.environment, place.repository)
    except SelfhealError:
        return Finding("git", False, "not installed", 6)
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    words = done.stdout.split()
    numbers = tuple(int(part) for part in words[2].split(".")[:2]) if len(words) > 2 else ()
    if numbers < OLDEST_GIT:
        oldest = ".".join(map(str, OLDEST_GIT))
        return Finding("git", False, f"{done.stdout.strip()}: at least {oldest} is needed", 6)
    return Finding("git", True, f"{words[2]} at {path}")


def _engine(settings: Settings) -> Iterator[Finding]:
    from selfheal_tui.adapters.docker.engine import connect, facts

    try:
        client = connect()
    except SandboxError as error:
        yield Finding("engine", False, str(error), error.exit_code)
        return
    try:
        found = facts(client)
        yield Finding(
            "engine",
            True,
            f"{found.product} {found.version} (API {found.api}) at {found.endpoint},"
            f" {found.cpus} CPUs, {found.memory // 2**20} MiB, storage {found.storage}",
        )
        lacking = [
            name
            for name, there in (
                ("seccomp", found.seccomp),
                ("memory limits", found.memory_limit),
                ("process limits", found.pids_limit),
            )
            if not there
        ]
        extras = [
            name
            for name, there in (
                ("rootless", found.rootless),
                ("user namespaces", found.userns),
                ("AppArmor", found.apparmor),
            )
            if there
        ]
        text = f"cgroup v{found.cgroup}, seccomp, memory and process limits"
        if extras:
            text += f", {', '.join(extras)}"
        if lacking:
            text = f"this engine lacks {', '.join(lacking)}: containers are less isolated"
        yield Finding("isolation", not lacking, text, 4 if lacking else 0)
        yield _image(client, settings)
    except SandboxError as error:
        yield Finding("engine", False, str(error), error.exit_code)
    finally:
        client.close()


def _image(client: object, settings: Settings) -> Finding:
    from selfheal_tui.adapters.docker.images import local_images

    names = local_images(client)
    base = settings.sandbox.base_image or "the profile's own, pulled when it is first needed"
    built = ", ".join(names) if names else "none yet: the first session builds one"
    return Finding("image", True, f"base: {base}; built: {built}")


def _model(place: Place, settings: Settings) -> Finding:
    """Whether a model can be asked; never which key."""
    name = settings.model.name or first_available(place.environment)
    if not name:
        keys = ", ".join(provider.keys[0] for provider in PROVIDERS if provider.model)
        text = f"no model is named (--model, settings) and no key is set (one of {keys})"
        return Finding("model", False, text, ModelError.exit_code)
    key = "key present" if key_for(name, place.environment) else "no key"
    if settings.model.api_base:
        return Finding("model", True, f"{name} at {settings.model.api_base}, {key}")
    return Finding("model", key == "key present", f"{name}, {key}", ModelError.exit_code)


def _state(place: Place) -> Finding:
    try:
        folder = place.state()
        store = place.store()
    except SelfhealError as error:
        return Finding("state", False, str(error), error.exit_code)
    warning, count = store.warning, len(store.sessions())
    store.close()
    free = shutil.disk_usage(folder).free // 2**20
    if not os.access(folder, os.W_OK) or free < 100:
        return Finding("state", False, f"{folder}: not writable, or under 100 MiB free", 70)
    return Finding("state", True, f"{folder}, {count} sessions, {free} MiB free {warning}".strip())
