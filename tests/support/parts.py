"""Whole sessions in parts: a model that plays a script of its own for each part, and what there
is to mend."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from selfheal_tui.adapters.scripted import ScriptedModel, Step, call
from selfheal_tui.agent.ports import ModelNews, ModelRequest, Reply
from selfheal_tui.settings import FlowSettings
from tests.support.sessions import Bench, submitted, write

_PART = re.compile(r"Yours is part (\d)")


class PartedModel:
    """`script` holds lists of turns by `planner`, `1` to `4`, `coder` and `reviewer`. `requests`
    keeps what was asked, by the same names."""

    name = "scripted"
    context_window = 128_000

    def __init__(self, script: Mapping[str, Sequence[Step]]) -> None:
        self._models = {
            who: ScriptedModel(turns, name=f"scripted for {who}") for who, turns in script.items()
        }

    def plays(self, who: str, *turns: Step) -> None:
        """Give one of them another script."""
        self._models[who] = ScriptedModel(turns, name=f"scripted for {who}")

    @property
    def requests(self) -> dict[str, list[ModelRequest]]:
        return {who: model.requests for who, model in self._models.items()}

    async def complete(self, request: ModelRequest, hear: Callable[[ModelNews], None]) -> Reply:
        return await self._models[_who(request)].complete(request, hear)


def _who(request: ModelRequest) -> str:
    names = {tool.name for tool in request.tools}
    if "submit_plan" in names:
        return "planner"
    if "submit_review" in names:
        return "reviewer"
    found = _PART.search(request.messages[1].text)
    return found[1] if found else "coder"


def part(title: str, *files: str, steps: Sequence[str] = ("Look.", "Mend.")) -> dict[str, object]:
    """A part as a planner offers it."""
    return {"title": title, "steps": list(steps), "files": list(files)}


PLAN_ONLY = FlowSettings(plan=True, review=False)
FILES = {
    "check.sh": (
        "for file in one/1 one/2 two/1 two/2; do\n"
        'grep -qx mended $file || { echo "FAIL: $file"; bad=1; }\n'
        'done; [ -z "$bad" ]\n'
    ),
    "one/1": "broken\n", "one/2": "broken\n", "two/1": "broken\n", "two/2": "broken\n",
    "shared": "".join(f"line {n}\n" for n in range(9)),
}  # fmt: skip
PARTS = [part("Mend one", "one/1", "one/2"), part("Mend two", "two/1", "two/2")]


def submitted_plan(parts):
    return call("submit_plan", steps=["Mend one.", "Mend two."], parts=parts)


def mend(folder):
    return [write(f"{folder}/{n}", "mended\n") for n in (1, 2)]


def scripted(bench, ask=None, show=None, **script):
    """A session whose model plays a script for each coder; `p1` is the first part's."""
    own = {who.removeprefix("p"): turns for who, turns in script.items()}
    return bench.session(PartedModel({"planner": [submitted_plan(PARTS)]} | own), ask, show)


def on_event(bench, does):
    """A `show` that calls `does` for every event, too."""

    def show(event):
        bench.events.append(event)
        does(event)

    return show


def clashing(word, folder):
    lines = FILES["shared"].splitlines(keepends=True)
    return [submitted(*mend(folder), write("shared", "".join([f"{word}\n", *lines[1:]])))]


async def run(bench, **script):
    return await scripted(bench, **script).run()


def parts_bench(folder):
    """A bench whose project two parts can mend, with a planner and no reviewer."""
    bench = Bench(folder, FILES)
    bench.settings = replace(bench.settings, flow=PLAN_ONLY)
    return bench
