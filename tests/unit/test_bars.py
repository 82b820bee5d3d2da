"""What the lines around the panes say in few and in many columns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from selfheal_tui.core.events import SandboxOpened, StepEnded, StepStarted
from selfheal_tui.ui.bars.fitting import fitted
from selfheal_tui.ui.bars.header import how_far, what
from selfheal_tui.ui.bars.status import size, uses
from selfheal_tui.ui.summary import Summary, fold

RUN = Summary(
    task="make the failing tests of the till and of the ledger pass again",
    branch="feature/round-up",
    model="openai/gpt-4o-2024-11-20",
    attempt=2,
    attempts=3,
    before=3,
    now=1,
    cost=0.04,
    tokens_in=12_000,
    tokens_out=950,
    context=0.18,
    network="off",
    sandbox="docker python",
    memory=212 << 20,
    limit=2 << 30,
)


@pytest.mark.parametrize(
    ("room", "said"),
    [
        (
            90,
            "network off · docker python · container 212 MB of 2.0 GB"
            " · context 18% · 12k in 950 out",
        ),
        (72, "network off · container 212 MB of 2.0 GB · context 18% · 12k in 950 out"),
        (65, "network off · container 212 MB · context 18% · 12k in 950 out"),
        (46, "network off · 212 MB · ctx 18% · 12k+950 tok"),
        (40, "net off · 212 MB · ctx 18% · 12k+950 tok"),
        (30, "net off · 212 MB · ctx 18%"),
        (20, "net off · 212 MB"),
        (8, "net off"),
    ],
)  # fmt: skip
def test_the_status_line_keeps_what_matters_most(room, said):
    assert uses(RUN, room) == said
    assert len(said) <= room


@pytest.mark.parametrize(
    ("room", "said"),
    [
        (
            120,
            "make the failing tests of the till and of the ledger pass again"
            " · feature/round-up · openai/gpt-4o-2024-11-20",
        ),
        (80, "make the failing tests of the til… · feature/round-up · openai/gpt-4o-2024-11-20"),
        (60, "make the failing tes… · feature/round-up · gpt-4o-2024-11-20"),
        (40, "make the failing te… · gpt-4o-2024-11-20"),
    ],
)  # fmt: skip
def test_the_header_always_names_the_model(room, said):
    assert what(RUN, room) == said
    assert len(said) <= room


def test_how_far_it_is_grows_short_before_it_goes():
    assert how_far(RUN) == "attempt 2/3 · 3 failing -> 1 · $0.04"
    assert how_far(RUN, 30) == "2/3 · 3 failing -> 1 · $0.04"
    assert how_far(RUN, 22) == "2/3 · 3 -> 1 · $0.04"
    assert how_far(RUN, 12) == "2/3 · 3 -> 1"


def test_nothing_is_said_of_what_is_not_known():
    assert (what(Summary()), how_far(Summary()), uses(Summary())) == ("selfheal", "", "")


def test_network_is_said_loudly_while_it_is_on():
    assert uses(replace(RUN, network="on"), 20) == "net ON · 212 MB"
    setting_up = fold(RUN, StepStarted("s1", "set-up", "pip install x"))
    assert uses(setting_up, 40) == "net ON: set-up · 212 MB · ctx 18%"
    assert fold(setting_up, StepEnded("s1", "set-up", 1.0)).setting_up is False


@pytest.mark.parametrize(
    ("kind", "isolation", "said"),
    [
        ("docker", "a container: no host folder, no network", "network off · docker devops"),
        ("docker", "a container: ROOT inside with a writable system",
         "network off · ROOT inside · docker devops"),
        ("docker", "a container: the tree on a volume without a size limit",
         "network off · tree on a volume · docker devops"),
        ("local", "no isolation: commands run as you", "network off · NO ISOLATION"),
    ],
)  # fmt: skip
def test_what_is_unusual_about_a_sandbox_is_said(kind, isolation, said):
    opened = SandboxOpened(kind, "devops", isolation, "i", "id", "off")
    assert uses(fold(Summary(), opened)) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 MB"), (7 << 20, "7 MB"), (999 << 20, "999 MB"), (1000 << 20, "1.0 GB")],
)
def test_bytes_are_said_in_a_few_characters(count, said):
    assert size(count) == said


def test_wide_characters_count_as_two_columns():
    assert fitted({"a": ["日本", "x"]}, ("a",), 3) == "x"
