"""A change that deletes most of a project takes a second yes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from selfheal_tui.core.approval import Answer, key_of
from selfheal_tui.core.deletion import mass_deletion
from selfheal_tui.core.patch import read_patch
from selfheal_tui.ui.conductor import Asked
from tests.support.conductor import FakeConductor, opened
from tests.ui.test_approval_screen import COMMIT, PROOF, PROPOSAL, STARTED, answers, app_of


def _deleting(count):
    return read_patch(
        "".join(
            f"diff --git a/{n} b/{n}\ndeleted file mode 100644\n--- a/{n}\n+++ /dev/null\n"
            "@@ -1 +0,0 @@\n-x\n"
            for n in range(count)
        )
    )


@pytest.mark.parametrize(
    ("deleted", "of", "is_mass"),
    [(21, 10_000, True), (20, 10_000, False), (4, 7, True), (4, 8, False), (3, 3, False)],
)
def test_more_than_twenty_files_or_more_than_half_of_all_are_a_mass(deleted, of, is_mass):
    said = f"MASS DELETION: {deleted} of {of} files are deleted" if is_mass else ""
    assert mass_deletion(_deleting(deleted), of) == said


async def test_the_first_yes_to_a_mass_deletion_only_asks_once_more():
    mass = replace(PROOF, mass_deletion="MASS DELETION: 30 of 34 files are deleted")
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        conductor.tell(STARTED, replace(PROPOSAL, proof=mass.to_json()), Asked(COMMIT))
        await conductor.told(pilot)
        await pilot.pause()
        await pilot.press("ctrl+y")
        await pilot.pause()
        assert answers(conductor) == []
        await pilot.press("ctrl+y")
        await pilot.pause()
        assert answers(conductor) == [Answer(key_of(COMMIT), granted=True, by="user")]
