"""Reads `go test`, plain, with -v and with -json."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile

from selfheal_tui.core.checks import Failure
from selfheal_tui.core.failures.places import first_own
from selfheal_tui.core.failures.report import Report, counted, message

_PACKAGE = re.compile(r"^(ok  |FAIL|\?   |---)\t(\S+)(?:\s+\[(.*)\])?", re.MULTILINE)
_RESULT = re.compile(r"^ *--- (FAIL|PASS|SKIP): (\S+) \([\d.]+s\)$")
_RUNNING = re.compile(r"^=== (?:RUN|CONT|NAME) +(\S+)$")
_BUILDING = re.compile(r"^# (\S+)(?: \[.*\])?$")
_BUILT = re.compile(r"^(?:vet: )?(\S+\.go):(\d+):(?:\d+:)? (.*)$", re.MULTILINE)
_SAID = re.compile(r"^ +(\S+\.go):(\d+): ?(.*)$", re.MULTILINE)
_TESTIFY = re.compile(r"^[ \t]+Error: +\t?(.*)$", re.MULTILINE)
_PANIC = re.compile(r"^(?:panic|fatal error): (.*)$", re.MULTILINE)
_FRAME = re.compile(r"^\t(\S+\.go):(\d+)(?: |$)", re.MULTILINE)


@dataclass
class _Package:
    """One package's run: what each test printed, and which failed. Test `` is the package."""

    printed: dict[str, list[str]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    broken: bool = False

    def say(self, test: str, line: str) -> None:
        self.printed.setdefault(test, []).append(line)


def read(text: str, root: str) -> Report | None:
    """Failing tests as `package.TestName/sub`; None where this is no report of go."""
    if '"Action":' in text and '"Package":' in text:
        packages, counts = _json(text), True
    elif _PACKAGE.search(text):
        packages, counts = _plain(text), "\n--- PASS: " in text
    else:
        return None
    module = _module(packages)
    failures = [
        failure
        for name, package in packages.items()
        for failure in _failures(name, package, module, root)
    ]
    broken = [name for name, package in packages.items() if package.broken]
    passed = sum(len(set(package.passed)) for package in packages.values())
    return Report(
        tuple(failures),
        passed if counts else None,
        f"{counted(len(broken), 'package')} did not build or ended early: not all tests ran"
        if broken
        else "",
    )


def _plain(text: str) -> dict[str, _Package]:
    """A package's line comes after what its tests printed."""
    packages: dict[str, _Package] = {}
    builds: dict[str, list[str]] = {}
    now, test, building = _Package(), "", ""
    for line in text.split("\n"):
        if package := _PACKAGE.match(line):
            now.broken = (package[3] or "").endswith("failed")
            _close(now, builds.get(package[2], []), failed=package[1] == "FAIL")
            packages[package[2]] = now
            now, test, building = _Package(), "", ""
        elif started := _BUILDING.match(line):
            building = started[1]
        elif running := _RUNNING.match(line):
            test, building = running[1], ""
        elif result := _RESULT.match(line):
            test, building = result[2], ""
            _note(now, result[1], test)
        elif building:
            builds.setdefault(building, []).append(line)
        else:
            now.say(test, line)
    return packages


def _note(package: _Package, result: str, test: str) -> None:
    if result == "FAIL":
        package.failed.append(test)
    elif result == "PASS":
        package.passed.append(test)


def _close(package: _Package, built: list[str], *, failed: bool) -> None:
    """A package that failed without a failing test fails as a whole."""
    if not failed:
        return
    panics = any(_PANIC.match(line) for lines in package.printed.values() for line in lines)
    package.broken = package.broken or panics
    if not package.failed:
        package.failed.append("")
        package.printed[""] = [*built, *package.printed.get("", [])]


def _json(text: str) -> dict[str, _Package]:
    """The events of `go test -json`; lines between them are the build's own words."""
    packages: dict[str, _Package] = {}
    builds: dict[str, list[str]] = {}
    building = ""
    for line in text.split("\n"):
        event = _event(line)
        if event is None:
            started = _BUILDING.match(line)
            building = started[1] if started else building
            builds.setdefault(building, []).append(line)
            continue
        action, test = str(event.get("Action", "")), str(event.get("Test", ""))
        said = str(event.get("Output", "")).removesuffix("\n")
        if action == "build-output":
            builds.setdefault(str(event.get("ImportPath", "")).split(" ")[0], []).append(said)
        name = str(event.get("Package", ""))
        if not name:
            continue
        package = packages.setdefault(name, _Package())
        if action == "output":
            _hear(package, test, said)
        elif test:
            _note(package, action.upper(), test)
        elif action == "fail":
            _close(package, builds.get(name, []), failed=True)
    for name, lines in builds.items():
        if name and name not in packages and any(_BUILT.match(line) for line in lines):
            packages[name] = _Package({"": lines}, [""], broken=True)
    return packages


def _hear(package: _Package, test: str, said: str) -> None:
    if said.endswith("failed]") and _PACKAGE.match(said):
        package.broken = True
    elif not (_RUNNING.match(said) or _RESULT.match(said)):
        package.say(test, said)


def _event(line: str) -> dict[str, object] | None:
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and "Action" in event else None


def _module(packages: Iterable[str]) -> str:
    """What all packages have in common: most often the module's path. Only used for places."""
    common: list[str] | None = None
    for name in packages:
        parts = name.split("/")
        pairs = zip(common if common is not None else parts, parts, strict=False)
        common = [mine for mine, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]
    return "/".join(common or ())


def _failures(name: str, package: _Package, module: str, root: str) -> Iterator[Failure]:
    """The innermost failing tests: one with subtests fails because of them."""
    outer = {test.rsplit("/", count)[0] for test in package.failed for count in _levels(test)}
    folder = name.removeprefix(module).strip("/")
    for test in dict.fromkeys(package.failed):
        if test not in outer:
            said = package.printed.get(test, [])
            yield _failure(f"{name}.{test}" if test else name, said, folder, root)


def _levels(test: str) -> range:
    return range(1, min(test.count("/"), 20) + 1)


def _failure(name: str, printed: list[str], folder: str, root: str) -> Failure:
    detail = "\n".join(printed).strip("\n")
    if panic := _PANIC.search(detail):
        where = first_own(((frame[1], frame[2]) for frame in _FRAME.finditer(detail)), root)
        return Failure(name, message([f"panic: {panic[1]}"]), where, detail)
    said = list(_SAID.finditer(detail))
    if said:
        # What a test logs comes before what it fails with.
        last = said[-1]
        testify = _TESTIFY.search(detail) if not last[3] else None
        why = testify[1] if testify else last[3]
        path = f"{folder}/{last[1]}" if folder and "/" not in last[1] else last[1]
        return Failure(name, message([why]), first_own([(path, last[2])], root), detail)
    if built := _BUILT.search(detail):
        return Failure(name, message([built[3]]), first_own([(built[1], built[2])], root), detail)
    return Failure(name, message(printed[-3:]), "", detail)
