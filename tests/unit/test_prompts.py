from __future__ import annotations

import json

import pytest

from selfheal_tui.adapters.scripted import ScriptedModel
from selfheal_tui.agent import prompts
from selfheal_tui.agent.roles import Models, make_roles
from selfheal_tui.agent.workspace import Workspace
from selfheal_tui.headless import nobody_answers

NAMES = {
    "coder": [
        "bash",
        "read_file",
        "search",
        "edit_file",
        "write_file",
        "update_plan",
        "ask_user",
        "submit",
    ],
    "planner": ["read_file", "search", "bash", "submit_plan"],
    "reviewer": ["read_file", "search", "submit_review"],
}


@pytest.fixture
def roles():
    model = ScriptedModel([])
    workspace = Workspace(open_sandbox=None, shadow=None, base="t", place="", emit=print)
    made = make_roles(
        Models(model, model, model),
        workspace,
        plan=True,
        review=True,
        delegate=True,
        command_timeout=120,
        ask=nobody_answers,
        emit=print,
    )
    return {role.name: role for role in (made.coder, made.planner, made.reviewer)}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_the_tools_of_a_role_have_exactly_these_names(roles, name):
    assert [tool.name for tool in roles[name].toolbox.specs] == NAMES[name]


@pytest.mark.parametrize("name", sorted(NAMES))
def test_system_prompt_and_tools_stay_under_6_kb(roles, name):
    tools = [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
            },
        }
        for tool in roles[name].toolbox.specs
    ]
    size = len(prompts.load(name).encode()) + len(json.dumps(tools).encode())
    assert size <= 6 * 1024
