"""Retries, waits and fallbacks around models, as a model itself.

Refuses to retry what cannot work: a refused key or an unknown model goes to the next model at
once; an overflowing context and refused tools go to the caller, who can change the request.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from selfheal_tui.agent.ports import FellBack, Model, ModelNews, ModelRequest, Reply, Retrying
from selfheal_tui.errors import (
    ContextOverflow,
    ModelAnswerInvalid,
    ModelError,
    ModelRetryable,
    ToolsUnsupported,
)

Hear = Callable[[ModelNews], None]


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long. Delays are seconds; `jitter` of 0.2 spreads them by a fifth.

    `longest_asked` bounds what a server may ask for with `Retry-After`.
    """

    retries: int = 4
    first_delay: float = 1.0
    factor: float = 2.0
    longest_delay: float = 30.0
    longest_asked: float = 120.0
    jitter: float = 0.2

    def delay(self, attempt: int, asked: float | None, chance: float) -> float:
        """Seconds before attempt number `attempt` (from 1); `chance` is within 0 and 1."""
        own = min(self.first_delay * self.factor ** (attempt - 1), self.longest_delay)
        spread = own * (1 + self.jitter * (2 * chance - 1))
        return max(spread, min(asked or 0.0, self.longest_asked))


class PatientModel:
    """Asks `models` in turn, each with retries, until one answers.

    Raises `ModelError` that names every model and its last reason. A model that failed is asked
    first again by the next request: an outage is seldom longer than a turn.
    """

    def __init__(
        self,
        models: Sequence[Model],
        *,
        policy: RetryPolicy | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        if not models:
            raise ValueError("at least one model is needed")
        self._models = tuple(models)
        self._policy = policy or RetryPolicy()
        self._sleep = sleep
        self._chance = chance

    @property
    def name(self) -> str:
        return self._models[0].name

    @property
    def context_window(self) -> int | None:
        """The smallest window of all models: a fallback must be able to take over."""
        known = [model.context_window for model in self._models]
        return min((window for window in known if window is not None), default=None)

    async def complete(self, request: ModelRequest, hear: Hear) -> Reply:
        failures: list[tuple[Model, ModelError]] = []
        for model in self._models:
            if failures:
                failed, why = failures[-1]
                hear(FellBack(failed.name, model.name, str(why)))
            try:
                return await self._ask(model, request, hear)
            except (ContextOverflow, ToolsUnsupported):
                raise
            except ModelError as error:
                failures.append((model, error))
        raise _in_one(failures) from failures[-1][1]

    async def _ask(self, model: Model, request: ModelRequest, hear: Hear) -> Reply:
        for attempt in range(1, self._policy.retries + 1):
            try:
                return await model.complete(request, hear)
            except (ModelRetryable, ModelAnswerInvalid) as error:
                asked = error.retry_after if isinstance(error, ModelRetryable) else None
                delay = self._policy.delay(attempt, asked, self._chance())
                hear(Retrying(str(error), delay, attempt, model.name))
            await self._sleep(delay)
        return await model.complete(request, hear)


def _in_one(failures: Sequence[tuple[Model, ModelError]]) -> ModelError:
    reasons = "; ".join(f"{model.name}: {error}" for model, error in failures)
    return ModelError(reasons if len(failures) == 1 else f"no model answers: {reasons}")
