"""A heal in one repository is told to the planner in the next: command line, engine and pytest."""

from __future__ import annotations

import json

import pytest

from tests.support.headless import Workplace
from tests.support.model_server import ModelServer, call, calls, submit, submit_plan

pytestmark = pytest.mark.engine

TEST = "from {name} import known\n\n\ndef test_{name}():\n    assert known({{}})\n"


@pytest.fixture(autouse=True)
def _engine_with_a_base(engine, base_image, monkeypatch):
    monkeypatch.setenv("SELFHEAL_BASE_IMAGE", base_image)


def project(name, body):
    return {f"{name}.py": body, f"test_{name}.py": TEST.format(name=name)}


SHOP = project(
    "shop",
    "import collections\n\n\ndef known(value):\n"
    "    return isinstance(value, collections.Mapping)\n",
)
LEDGER = project(
    "ledger",
    "import collections\n\nLIMIT = 5\n\n\ndef known(entry):\n    if entry is None:\n"
    "        return False\n    return isinstance(entry, collections.Mapping)\n",
)


def mended(name):
    edit = call("edit_file", path=f"{name}.py", old="collections.Mapping", new="dict")
    return calls(edit, submit("Mapping moved to collections.abc.", "Ask for a dict"))


def healed(place, name, state, *arguments):
    script = {"planner": [submit_plan("Mend it.")], "coder": [mended(name)]}
    with ModelServer(script) as server:
        ended = place.heal(
            server.base_url, "--check", "python -m pytest -q", "--no-review", *arguments,
            SELFHEAL_STATE_DIR=str(state),
        )  # fmt: skip
        assert ended.exit_code == 0, ended.err
        return server.requests[0].text


def test_the_planner_of_another_repository_is_told_what_healed_the_like(tmp_path):
    state = tmp_path / "state"
    first, second = Workplace(tmp_path / "a", SHOP), Workplace(tmp_path / "b", LEDGER)
    assert "<earlier-heals>" not in healed(first, "shop", state)
    told = healed(second, "ledger", state)
    note = "Ask for a dict. Mapping moved to collections.abc. Changed shop.py"
    assert "<earlier-heals>\n- healed on " in told
    assert note in told

    listed = second.run("incidents", "--json", SELFHEAL_STATE_DIR=str(state)).out.splitlines()
    latest, kept = map(json.loads, listed)
    assert [latest["files"], kept["files"]] == [["ledger.py"], ["shop.py"]]
    assert kept["symptoms"] == [
        {
            "kind": "AttributeError",
            "error": "AttributeError: module <literal> has no attribute <literal>",
            "modules": ["collections"],
            "names": ["Mapping"],
            "frames": ["test_shop.py:test_shop", "shop.py:known"],
        }
    ]
    second.run("incidents", "delete", "--all", "--yes", SELFHEAL_STATE_DIR=str(state))
    third = Workplace(tmp_path / "c", LEDGER)
    assert "<earlier-heals>" not in healed(third, "ledger", state)
