"""The review: a model of its own prompt reads the final difference and gives a verdict.

Refuses to decide what follows from it: that is the loop.
"""

from __future__ import annotations

from dataclasses import dataclass

from selfheal_tui.agent import prompts
from selfheal_tui.agent.brief import review_brief
from selfheal_tui.agent.history import History
from selfheal_tui.agent.loop import Conversations, Finished, GaveUp, Role
from selfheal_tui.agent.planning import strings
from selfheal_tui.agent.ports import Emit
from selfheal_tui.core.events import ReviewGiven


@dataclass(frozen=True)
class Review:
    """The reviewer's verdict: approve, send_back or flag."""

    verdict: str
    comments: str
    risks: tuple[str, ...] = ()


class Reviewing:
    """Reviews the changes of one run. Without a `reviewer` there is no review."""

    def __init__(self, reviewer: Role | None, conversations: Conversations, emit: Emit) -> None:
        self._reviewer = reviewer
        self._conversations = conversations
        self._emit = emit

    async def review(self, *, task: str, summary: str, patch: str, facts: str) -> Review | None:
        """The verdict on `patch`; a reviewer that says nothing usable flags it for the human.

        `facts` is what the check and the guard say.
        """
        if self._reviewer is None:
            return None
        history = History(prompts.load("reviewer"))
        history.user(review_brief(task=task, summary=summary, patch=patch, verdict=facts))
        match await self._conversations.converse(self._reviewer, history):
            case Finished(arguments):
                review = Review(
                    str(arguments["verdict"]),
                    str(arguments["comments"]),
                    strings(arguments.get("risks", [])),
                )
            case GaveUp(reason):
                review = Review("flag", f"the reviewer gave no verdict: {reason}")
        self._emit(ReviewGiven(review.verdict, review.comments, review.risks))
        return review
