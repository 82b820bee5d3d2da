"""Planner, coder and reviewer: three prompts and three sets of tools over one loop."""

from __future__ import annotations

from dataclasses import dataclass

from selfheal_tui.agent.loop import Role
from selfheal_tui.agent.ports import Emit, Model
from selfheal_tui.agent.toolbox import Tool, Toolbox, final
from selfheal_tui.agent.tools import AskSetup, AskUser, SandboxTools, ask_user, update_plan
from selfheal_tui.agent.workspace import Workspace

SETUP_NOTE = "`pip install NAME` alone (or apt-get, npm) asks the user for a set-up."


@dataclass(frozen=True)
class Models:
    """The model of each role; one and the same object where the user named one."""

    planner: Model
    coder: Model
    reviewer: Model


@dataclass(frozen=True)
class Roles:
    """Who takes part in a run; None for a role that the user left out."""

    coder: Role
    planner: Role | None
    reviewer: Role | None


IN_PARTS = (
    "Only where the work is large and falls into 2 to 4 parts that need nothing of each other and"
    " touch different files: give each as {title, steps, files} in `parts`; each gets a coder of"
    " its own, at the same time."
)


def make_roles(
    models: Models,
    workspace: Workspace,
    *,
    plan: bool,
    review: bool,
    delegate: bool,
    command_timeout: float,
    ask: AskUser,
    emit: Emit,
    setup: AskSetup | None = None,
) -> Roles:
    """The roles of a run, with their tools bound to `workspace`. With `delegate` the planner may
    offer its plan in parts."""
    tools = SandboxTools(workspace, timeout=command_timeout)
    installing = SandboxTools(workspace, timeout=command_timeout, setup=setup)
    coder = Toolbox(
        [
            installing.bash(SETUP_NOTE if setup else ""),
            *tools.reading(),
            *tools.writing(),
            update_plan(emit),
            ask_user(ask, emit),
            _submit(),
        ]
    )
    parts = {"parts": "array?"} if delegate else {}
    planner = Toolbox(
        [
            *tools.reading(),
            tools.bash("Only to look: changes are thrown away."),
            final(
                "submit_plan",
                f"Give the plan. {IN_PARTS if delegate else ''}".strip(),
                steps="array",
                files="array?",
                **parts,
            ),
        ]
    )
    reviewer = Toolbox(
        [
            *tools.reading(),
            final(
                "submit_review",
                "Give the verdict.",
                verdict="approve|send_back|flag",
                comments="string",
                risks="array?",
            ),
        ]
    )
    return Roles(
        Role("coder", models.coder, coder),
        Role("planner", models.planner, planner) if plan else None,
        Role("reviewer", models.reviewer, reviewer) if review else None,
    )


def part_coder(number: int, model: Model, workspace: Workspace, *, command_timeout: float) -> Role:
    """The coder of a part. It asks nobody and keeps no list: several at once would talk across
    each other."""
    tools = SandboxTools(workspace, timeout=command_timeout)
    toolbox = Toolbox([tools.bash(), *tools.reading(), *tools.writing(), _submit()])
    return Role(f"coder {number}", model, toolbox)


def _submit() -> Tool:
    return final(
        "submit",
        "Say that the work is done; the check runs then.",
        summary="string",
        commit_message="string",
    )
