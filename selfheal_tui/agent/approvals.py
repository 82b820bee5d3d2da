"""Asking for consent, and telling of it: out as an event, back as an event, in that order.

While an answer is waited for, what the request stands on is watched; a request that no longer
holds is withdrawn. Refuses to decide anything itself.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict

from selfheal_tui.agent.ports import Ask, Emit
from selfheal_tui.core.approval import (
    Answer,
    Granted,
    R,
    RefusedHunk,
    Request,
    answer,
    key_of,
    kind_of,
)
from selfheal_tui.core.events import ApprovalAnswered, ApprovalAsked, ApprovalWithdrawn
from selfheal_tui.errors import ApprovalRefused

LOOK_AGAIN = 1.0
"""Seconds between two looks at what an open request stands on."""

_NOUNS = {"setup": "set-up command", "worktree": "update of your files"}

WhyStale = Callable[[Request], Awaitable[str]]
"""Why a request no longer holds; empty while it does."""


class SentBack(ApprovalRefused):
    """Somebody said no, and wants another attempt: `reason` is for the coder or the planner, and
    the `refused` hunks are not to be there any more."""

    def __init__(self, text: str, reason: str, refused: tuple[RefusedHunk, ...] = ()) -> None:
        super().__init__(text)
        self.reason = reason
        self.refused = refused


class Stale(Exception):
    """What was asked no longer holds. Never leaves the agent."""


class Approvals:
    """Asks for consent and tells of it. Raises ApprovalRefused for a no.

    `first` is the number of the first one, where the record has earlier ones.
    """

    def __init__(
        self, ask: Ask, emit: Emit, *, look_again: float = LOOK_AGAIN, first: int = 1
    ) -> None:
        self._ask = ask
        self._emit = emit
        self._look_again = look_again
        self._numbers = itertools.count(first)

    async def get(self, request: R, why_stale: WhyStale | None = None) -> Granted[R]:
        """The consent to exactly `request`. Raises Stale only with `why_stale`."""
        given = await self.get_or_wish(request, why_stale)
        if isinstance(given, Answer):
            raise ApprovalRefused(f"the {noun(request)} was not approved as it is")
        return given

    async def get_or_wish(
        self, request: R, why_stale: WhyStale | None = None
    ) -> Granted[R] | Answer:
        """The consent to `request`, or the answer that says what is wanted in its place.

        Raises SentBack for a no that wants another attempt, Stale when `why_stale` found that the
        request no longer holds.
        """
        number, kind, key = f"a{next(self._numbers)}", kind_of(request), key_of(request)
        self._emit(ApprovalAsked(number, kind, key, json.dumps(asdict(request))))
        try:
            given = await self._answer(request, why_stale)
        except Stale as stale:
            self._emit(ApprovalWithdrawn(number, kind, key, str(stale)))
            raise
        granted = answer(request, given)
        self._emit(ApprovalAnswered(number, kind, key, granted is not None, given.by, given.reason))
        if granted is not None:
            return granted
        if given.wish is not None:
            return given
        text = f"the {noun(request)} was not approved: {given.reason}"
        raise SentBack(text, given.reason, given.refused) if given.again else ApprovalRefused(text)

    async def _answer(self, request: R, why_stale: WhyStale | None) -> Answer:
        """Wait for the answer. Raises Stale, with the question ended, when it is too late."""
        asking = asyncio.ensure_future(self._ask(request))
        try:
            while why_stale and not asking.done():
                await asyncio.wait({asking}, timeout=self._look_again)
                if not asking.done() and (reason := await why_stale(request)):
                    raise Stale(reason)
            return await asking
        finally:
            asking.cancel()


def noun(request: Request) -> str:
    """What is asked for, in a sentence."""
    kind = kind_of(request)
    return _NOUNS.get(kind, kind)
