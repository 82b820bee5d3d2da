"""What can be chosen while the interface runs: good values are kept, bad ones get a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from selfheal_tui.cli.choosing import NETWORKS, chosen, said, told
from selfheal_tui.errors import UsageError
from selfheal_tui.settings import CheckSettings, ModelSettings, SandboxSettings, Settings

BEFORE = Settings(
    model=ModelSettings(name="a/b", coder="c/d", reviewer="e/f"),
    check=CheckSettings(commands=("ruff check", "pytest")),
)


@pytest.mark.parametrize(
    ("name", "value", "after"),
    [
        ("model", "x/y", replace(BEFORE, model=ModelSettings(name="x/y"))),
        ("check", "make test", replace(BEFORE, check=CheckSettings("make test"))),
        ("check", "auto", replace(BEFORE, check=CheckSettings())),
        ("check", "none", replace(BEFORE, check=CheckSettings("none"))),
        ("network", "off", replace(BEFORE, sandbox=SandboxSettings(network="off"))),
    ],
)
def test_a_choice_is_for_the_next_task(name, value, after):
    assert chosen(BEFORE, name, value) == after


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("model", "two words", "two words is not the name of a model: it holds blanks"),
        ("check", "a\nb", "the check has to be one line"),
        ("network", "of", "the network is one of off, setup, on, not of; did you mean off?"),
        ("network", "xyz", "the network is one of off, setup, on, not xyz"),
        ("speed", "1", "there is no setting speed to be chosen here"),
    ],
)
def test_a_bad_value_gets_a_sentence(name, value, sentence):
    with pytest.raises(UsageError) as raised:
        chosen(BEFORE, name, value)
    assert str(raised.value) == sentence


def test_what_is_set_is_told_with_what_it_means():
    assert dict(told(BEFORE)) == {
        "model": "a/b",
        "check": "ruff check && pytest",
        "network": "setup (only a set-up command that you approve has network)",
    }
    assert said("network", "on") == f"on: {NETWORKS['on']}"
    assert said("check", "auto") == "found by itself"
