"""A model that plays a script of its own for each part of a plan, told by its brief."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from selfheal_tui.adapters.scripted import ScriptedModel, Step
from selfheal_tui.agent.ports import ModelNews, ModelRequest, Reply

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
