"""A sandbox that is lost between two steps is replaced, and the tree is the one that was wanted."""

from __future__ import annotations

import contextlib

import pytest

from selfheal_tui.agent.ports import SandboxFacts
from selfheal_tui.agent.workspace import MAX_REPLACEMENTS, Workspace
from selfheal_tui.core.events import SandboxOpened, SandboxWasLost
from selfheal_tui.core.tree import REGULAR, Scan, TreeFile
from selfheal_tui.errors import SandboxError, SandboxLost

FACTS = SandboxFacts(
    kind="fake", profile="p", isolation="none", image="i", image_id="1", network="off",
    workdir="/work", container="c",
)  # fmt: skip


class LosingSandbox:
    """Loses itself when it is looked at; remembers what it was filled with."""

    facts = FACTS

    def __init__(self, *, lost: bool) -> None:
        self.lost = lost
        self.held: tuple[TreeFile, ...] = ()

    async def put_tree(self, files):
        self.held = tuple(files)

    async def scan(self):
        if self.lost:
            raise SandboxLost("it is gone")
        return Scan()

    async def close(self):
        """Nothing is held."""


class TreeShadow:
    """Every tree holds one file of its own name."""

    async def files(self, tree):
        return (TreeFile(tree, REGULAR, b""),)


def workspace(*lost: bool):
    events: list[object] = []
    opened: list[LosingSandbox] = []

    async def open_sandbox():
        opened.append(LosingSandbox(lost=lost[min(len(opened), len(lost) - 1)]))
        return opened[-1]

    made = Workspace(
        open_sandbox=open_sandbox, shadow=TreeShadow(), base="base", place="", emit=events.append
    )
    return made, opened, events


@pytest.mark.parametrize(("wanted", "held"), [(None, "base"), ("best", "best")])
async def test_a_sandbox_that_is_lost_between_steps_is_replaced(wanted, held):
    made, opened, events = workspace(True, False)
    await made.open()
    if wanted:
        await made.restore(wanted)
    else:
        assert await made.sync_or_drop() == "base"
    assert made.tree == held
    assert [sandbox.held for sandbox in opened] == [
        (TreeFile("base", REGULAR, b""),),
        (TreeFile(held, REGULAR, b""),),
    ]
    assert [type(event) for event in events] == [SandboxOpened, SandboxWasLost, SandboxOpened]


async def test_one_that_is_lost_every_time_ends_in_an_error():
    made, _, events = workspace(True)
    await made.open()
    for _ in range(MAX_REPLACEMENTS):
        await made.restore("best")
    with pytest.raises(SandboxError, match="was lost 6 times"):
        await made.restore("best")
    assert events.count(SandboxWasLost("it is gone")) == MAX_REPLACEMENTS + 1


@pytest.mark.parametrize(("losses", "told"), [(1, [SandboxWasLost, SandboxOpened]), (2, [])])
async def test_one_that_is_lost_while_it_opens_is_opened_once_more(losses, told):
    events: list[object] = []
    opened: list[LosingSandbox] = []

    async def put_tree(files):
        raise SandboxLost("the engine restarts")

    async def open_sandbox():
        opened.append(LosingSandbox(lost=False))
        if len(opened) <= losses:
            opened[-1].put_tree = put_tree
        return opened[-1]

    made = Workspace(
        open_sandbox=open_sandbox, shadow=TreeShadow(), base="base", place="", emit=events.append
    )
    with contextlib.nullcontext() if told else pytest.raises(SandboxLost):
        await made.open()
    assert len(opened) == 2
    assert [type(event) for event in events] == (told or [SandboxWasLost])
