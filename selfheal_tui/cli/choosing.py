"""What the user may choose for the next task while the interface runs: model, check, network."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace

from selfheal_tui.core.checks import joined
from selfheal_tui.errors import UsageError
from selfheal_tui.settings import Settings

NETWORKS = {
    "off": "no command has network, and set-up commands are not run",
    "setup": "only a set-up command that you approve has network",
    "on": "every command in the sandbox has network: what it can read, it can send",
}
"""The states of the network, and what each means."""

DETECTED = "auto"
"""Stands for a check that is found by itself again."""


def told(settings: Settings) -> Sequence[tuple[str, str]]:
    """What the next session would run with: pairs of a name and a value."""
    network = settings.sandbox.network
    return (
        ("model", settings.model.name),
        ("check", joined(settings.check.chosen)),
        ("network", f"{network} ({NETWORKS.get(network, '')})"),
    )


def chosen(settings: Settings, name: str, value: str) -> Settings:
    """The settings with another value. Raises UsageError for one that cannot be."""
    if "\n" in value or "\0" in value:
        raise UsageError(f"the {name} has to be one line")
    match name:
        case "model":
            if any(map(str.isspace, value)):
                raise UsageError(f"{value} is not the name of a model: it holds blanks")
            model = replace(settings.model, name=value, planner="", coder="", reviewer="")
            return replace(settings, model=model)
        case "check":
            command = "" if value == DETECTED else value
            check = replace(settings.check, command=command, commands=())
            return replace(settings, check=check)
        case "network":
            if value not in NETWORKS:
                raise UsageError(f"the network is one of {', '.join(NETWORKS)}{_nearest(value)}")
            return replace(settings, sandbox=replace(settings.sandbox, network=value))
        case _:
            raise UsageError(f"there is no setting {name} to be chosen here")


def said(name: str, value: str) -> str:
    """A choice as a sentence says it."""
    if name == "network":
        return f"{value}: {NETWORKS[value]}"
    return "found by itself" if (name, value) == ("check", DETECTED) else value


def _nearest(value: str) -> str:
    near = difflib.get_close_matches(value.lower(), NETWORKS, n=1, cutoff=0.5)
    return f", not {value}; did you mean {near[0]}?" if near else f", not {value}"
