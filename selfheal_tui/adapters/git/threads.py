"""Blocking work of this package, off the event loop; what the disk refuses becomes a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from selfheal_tui.errors import RepositoryRefused

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `function` returns. An OSError of it (disk full, read-only) is a RepositoryRefused."""
    try:
        return await asyncio.to_thread(function, *args, **kwargs)
    except OSError as error:
        raise RepositoryRefused(f"the disk refuses: {error}") from error


async def ended_with(
    let_go: Callable[[], None], function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """As `in_thread`, for what may wait for somebody else: when cancelled, `let_go` makes
    `function` end, which is waited for."""
    work = asyncio.ensure_future(in_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        let_go()
        await asyncio.wait({work})
        if not work.cancelled():
            # Nobody asks for it any more.
            work.exception()
        raise
