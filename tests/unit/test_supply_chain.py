"""What the product depends on: bounded, pinned with hashes, and installed as it is pinned."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
import tomli
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYPROJECT = tomli.loads((ROOT / "pyproject.toml").read_text())
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
ATTACKED = {"litellm": ("1.82.7", "1.82.8")}
"""Versions that an attacker published."""

_PIN = re.compile(r"(?P<name>[\w.-]+)==(?P<version>[\w.!+]+)(?: ; (?P<marker>[^\\]+?))?")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Pin:
    """One version of a distribution, for the environments that its marker fits."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]

    def holds(self, environment: dict[str, str]) -> bool:
        return not self.marker or Marker(self.marker).evaluate(environment)


def read_pins(text: str) -> list[Pin]:
    """The pins of a file. Raises ValueError for a line that is anything else."""
    pins = []
    for line in text.replace("\\\n", " ").splitlines():
        pin, *hashes = re.split(r"\s+(?=--hash)", line.strip())
        found = _PIN.fullmatch(pin.strip())
        if found is None or not all(_HASH.fullmatch(each) for each in hashes):
            raise ValueError(f"not a pin with hashes: {line}")
        name = canonicalize_name(found["name"])
        pins.append(Pin(name, found["version"], found["marker"] or "", tuple(hashes)))
    return pins


def pins_of(name: str) -> list[Pin]:
    return read_pins((ROOT / ".ci" / name).read_text())


def requirements(*extras: str) -> list[Requirement]:
    """What the product needs with these extras, less itself."""
    project = PYPROJECT["project"]
    lines = [*project["dependencies"]]
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return [
        Requirement(line)
        for line in lines
        if canonicalize_name(Requirement(line).name) != "selfheal"
    ]


BUILD = [Requirement(line) for line in PYPROJECT["build-system"]["requires"]]
EVERY = [*requirements(*PYPROJECT["project"]["optional-dependencies"]), *BUILD]
FILES = {
    "constraints.txt": [*requirements("web", "test"), *BUILD],
    "constraints-mlflow.txt": requirements("mlflow"),
}


def environment(python: str, platform: str = "linux") -> dict[str, str]:
    return {
        **default_environment(),
        "python_version": python,
        "python_full_version": f"{python}.1",
        "sys_platform": platform,
    }


@pytest.mark.parametrize("needed", EVERY, ids=str)
def test_every_requirement_has_a_lower_bound(needed):
    assert any(each.operator in (">=", "==", "~=") for each in needed.specifier), (
        f"{needed} takes any old version, also one with a known hole"
    )


def test_versions_that_an_attacker_published_are_named_as_excluded():
    found = {needed.name: needed.specifier for needed in EVERY}
    for name, versions in ATTACKED.items():
        for version in versions:
            assert f"!={version}" in str(found[name])
            assert not found[name].contains(version)


def test_versions_that_an_attacker_published_are_never_pinned():
    pinned = {(pin.name, pin.version) for name in FILES for pin in pins_of(name)}
    assert not pinned & {(name, each) for name, bad in ATTACKED.items() for each in bad}


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_pins_holds_pins_with_hashes_and_names_no_host(name):
    text = (ROOT / ".ci" / name).read_text()
    assert "://" not in text
    assert "@" not in text
    assert [pin.name for pin in pins_of(name) if not pin.hashes] == []


@pytest.mark.parametrize(
    "line",
    [
        "six",
        "six>=1.0",
        "six==1.0 --hash=md5:00",
        "-i https://example.invalid",
        "six @ file:///x",
        "-e .",
    ],
)
def test_what_is_no_pin_is_not_read_as_one(line):
    with pytest.raises(ValueError, match="not a pin"):
        read_pins(line)


@pytest.mark.parametrize("platform", ["linux", "darwin"])
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", FILES)
def test_every_requirement_is_pinned_once_and_within_its_bound(name, python, platform):
    here = environment(python, platform)
    pins = [pin for pin in pins_of(name) if pin.holds(here)]
    versions: dict[str, str] = {}
    for pin in pins:
        assert versions.setdefault(pin.name, pin.version) == pin.version, f"{pin.name} twice"
    for needed in FILES[name]:
        version = versions.get(canonicalize_name(needed.name))
        assert version, f"{needed.name} is not pinned: run .ci/pin"
        assert needed.specifier.contains(version), f"{needed} is pinned at {version}: run .ci/pin"


@pytest.mark.parametrize("python", PYTHONS)
def test_both_files_pin_the_same_versions(python):
    here = environment(python)
    one, other = (
        {pin.name: pin.version for pin in pins_of(name) if pin.holds(here)} for name in FILES
    )
    assert {name: one[name] for name in one.keys() & other} == {
        name: other[name] for name in one.keys() & other
    }


# --- what is installed --------------------------------------------------------------------------


def needed_distributions(wanted: list[Requirement]) -> dict[str, Distribution | None]:
    """All that is needed, transitively, in this environment; None for what is not installed."""
    found: dict[str, Distribution | None] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(each, extra) for each in wanted for extra in ("", *each.extras)]
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            installed = found[name] = distribution(name)
        except PackageNotFoundError:
            found[name] = None
            continue
        for line in installed.requires or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                waiting += [(needed, each) for each in ("", *needed.extras)]
    return found


def mismatches(found: dict[str, Distribution | None], pins: list[Pin]) -> list[str]:
    """What is installed otherwise than pinned, a sentence each."""
    here = dict(default_environment())
    pinned = {pin.name: pin.version for pin in pins if pin.holds(here)}
    sentences = []
    for name, installed in sorted(found.items()):
        if name not in pinned:
            sentences.append(f"{name} is needed and not pinned: run .ci/pin")
        elif installed is None:
            sentences.append(f"{name} {pinned[name]} is pinned and not installed")
        elif installed.version != pinned[name]:
            sentences.append(f"{name} is {installed.version} here and pinned at {pinned[name]}")
    return sentences


def test_what_is_installed_is_what_is_pinned():
    found = needed_distributions(requirements("web", "test"))
    assert len(found) > 80, "the closure was followed"
    assert mismatches(found, pins_of("constraints.txt")) == [], (
        "install what is pinned: pip install --require-hashes -r .ci/constraints.txt"
    )


def test_a_mismatch_is_told_as_a_sentence():
    found = {"pytest": distribution("pytest"), "gone": None, "new": None, "tomli": None}
    pins = [Pin("pytest", "0.1", "", ()), Pin("gone", "1.0", "", ()), Pin("tomli", "2.0", "", ())]
    assert mismatches(found, pins) == [
        "gone 1.0 is pinned and not installed",
        "new is needed and not pinned: run .ci/pin",
        f"pytest is {distribution('pytest').version} here and pinned at 0.1",
        "tomli 2.0 is pinned and not installed",
    ]


# --- advisories ---------------------------------------------------------------------------------

BAD = '{"name": "six", "version": "1.0", "vulns": [{"id": "X-1", "fix_versions": ["2.0"]}]}'
GOOD = '{"name": "six", "version": "2.0", "vulns": []}'
SKIPPED = '{"name": "six", "version": "1.0", "skip_reason": "not found"}'


@pytest.mark.parametrize(
    ("answer", "exit_code", "words"),
    [
        (BAD, 1, "six 1.0: X-1, mended in 2.0"),
        (GOOD, 0, "1 checked, 0 advisories"),
        (SKIPPED, 0, "0 checked, 0 advisories, 1 not checked"),
        (None, 0, "not checked: no route to host"),
    ],
    ids=["a known hole", "none", "a list that answers for none of them", "no network"],
)
def test_advisories_are_told_and_no_answer_is_never_a_clean_one(tmp_path, answer, exit_code, words):
    found = "" if answer is None else f"echo '{{\"dependencies\": [{answer}]}}'"
    program = tmp_path / "pip-audit"
    program.write_text(f"#!/bin/sh\n{found}\necho 'no route to host' >&2\nexit 0\n")
    program.chmod(0o755)
    ended = advisories(f"{tmp_path}:{os.environ['PATH']}")
    assert (ended.returncode, ended.stderr) == (exit_code, "")
    assert words in ended.stdout


def test_without_pip_audit_nothing_is_said_to_be_checked(tmp_path):
    (tmp_path / "dirname").symlink_to(shutil.which("dirname") or "")
    ended = advisories(str(tmp_path))
    assert ended.returncode == 0
    assert ended.stdout.startswith("not checked: pip-audit is not installed")


def advisories(path):
    return subprocess.run(
        [shutil.which("bash") or "bash", ROOT / ".ci" / "advisories"],
        env={"PATH": path, "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
