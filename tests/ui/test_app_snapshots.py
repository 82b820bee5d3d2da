"""The whole interface over recorded runs: header, panes or tabs, input, status and footer."""

from __future__ import annotations

import pytest

from selfheal_tui.cli.replay import ReplayConductor
from selfheal_tui.resources import themes_folder
from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.panes import all_panes
from selfheal_tui.ui.themes import load_themes
from tests.support import stories

STATES = [
    ("healed_at_3", "120x36", "selfheal-dark"),
    ("healed_at_3", "200x50", "selfheal-light"),
    ("running", "80x24", "selfheal-dark"),
    ("hostile", "80x24", "selfheal-light"),
]


class Told(ReplayConductor):
    """Knows how many events the app has taken."""

    taken = 0

    async def news(self):
        async for batch in super().news():
            yield batch
            self.taken += len(batch)


@pytest.mark.parametrize(("story", "size", "theme"), STATES)
def test_the_interface_looks_as_it_should(snap_compare, story, size, theme):
    record = getattr(stories, story)()
    conductor = Told(record, speed=0)
    app = SelfhealApp(
        conductor, make_panes=all_panes, themes=load_themes(themes_folder(), None), theme=theme
    )

    async def told(pilot):
        while conductor.taken < len(record):
            await pilot.pause()
        await pilot.pause()

    assert snap_compare(app, terminal_size=tuple(map(int, size.split("x"))), run_before=told)
