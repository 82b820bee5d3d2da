"""Modules that are not needed for the first frame, loaded behind it: in a thread, so that keys come
through. Loading them is all that is done there.
"""

from __future__ import annotations

from importlib import import_module

INTERFACE = (
    "textual.widgets._footer",
    "textual.widgets._option_list",
    "selfheal_tui.core.events",
    "selfheal_tui.ui.filling",
    "selfheal_tui.ui.bars.search",
    "selfheal_tui.ui.bars.status",
    "selfheal_tui.ui.bars.waiting",
    "selfheal_tui.ui.widgets.splitter",
    "selfheal_tui.ui.widgets.welcome",
    "selfheal_tui.ui.panes",
    "selfheal_tui.ui.listener",
)
"""What is drawn before there is a task, and what hears the news."""

SESSION = (
    "selfheal_tui.adapters.store",
    "selfheal_tui.cli.warm",
    "selfheal_tui.cli.compose",
    "selfheal_tui.cli.models",
    "selfheal_tui.adapters.git.repository",
    "selfheal_tui.adapters.docker.provision",
    "selfheal_tui.session",
)
"""What getting ready goes through; the adapters with their libraries."""


async def load(names: tuple[str, ...]) -> None:
    """Import these modules, away from the loop."""
    from selfheal_tui.adapters.threads import in_thread

    await in_thread(_import, names)


def _import(names: tuple[str, ...]) -> None:
    for name in names:
        import_module(name)
