"""Each subcommand in an interpreter of its own, where nothing else has loaded what it needs: other
tests fork whole runs from one that has it all."""

from __future__ import annotations

import pytest

from selfheal_tui.cli.parser import SUBCOMMANDS
from tests.support.headless import Workplace
from tests.support.model_server import ModelServer, call, calls, submit

FILES = {"check.sh": "grep -qx b a.txt\n", "a.txt": "a\n"}
MENDED = calls(call("write_file", path="a.txt", content="b\n"), submit("Done.", "Mend it"))
OPTIONS = ("--check", "sh check.sh", "--no-plan", "--no-review", "--sandbox", "local", "--yes")

ARGUMENTS = {
    "demo": ["--help"],
    "doctor": [],
    "sessions": [],
    "show": ["--markdown"],
    "replay": ["events"],
    "audit": ["--verify"],
    "undo": ["--yes"],
    "web": ["--help"],
    "bench": ["no such folder"],
    "clean": ["--help"],
    "incidents": ["list"],
    "config": [],
}
"""What takes each as far as it comes without an engine, a browser or a key."""

ENDS = {"bench": {2}, "doctor": {0, 1, 4, 5}, "replay": {2}}
"""What else than 0 it may say: there is no terminal, perhaps no key, and no engine."""


def alone(place, *arguments):
    process = place.start(*arguments)
    out, err = process.communicate(timeout=60)
    return process.returncode, f"{out}{err}"


def test_each_is_tried():
    assert list(ARGUMENTS) == list(SUBCOMMANDS)


@pytest.fixture(scope="module")
def healed(tmp_path_factory):
    """A place in which a session was healed, by an interpreter of its own as well."""
    place = Workplace(tmp_path_factory.mktemp("alone"), FILES)
    folder = place.folder / "out"
    with ModelServer([MENDED]) as server:
        model = ("--model", "openai/scripted", "--api-base", server.base_url)
        code, said = alone(place, *OPTIONS, *model, "--output-dir", str(folder), "mend it")
    assert code == 0, said
    return place, next(folder.rglob("events.jsonl"))


@pytest.mark.parametrize("name", ARGUMENTS)
def test_it_has_all_that_it_needs(healed, name):
    place, events = healed
    arguments = [str(events) if one == "events" else one for one in ARGUMENTS[name]]
    code, said = alone(place, name, *arguments)
    assert code in ENDS.get(name, {0}), said
    assert "Traceback" not in said
    assert "internal error" not in said
