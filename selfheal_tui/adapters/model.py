"""A language model behind LiteLLM, streamed, with limits of our own. Needs no global state.

Refuses to take key or endpoint from anywhere but its arguments, and to call a cut or empty stream
an answer. Retries, waits and fallbacks are `agent.patience`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from selfheal_tui.adapters.litellm_model import failures, library, wire
from selfheal_tui.adapters.litellm_model.answer import AnswerAssembly, usage_of
from selfheal_tui.adapters.litellm_model.finish import FinishWitness
from selfheal_tui.adapters.litellm_model.watch import Pulse, watched
from selfheal_tui.agent.ports import ModelNews, ModelRequest, Reply
from selfheal_tui.core.providers import provider_of
from selfheal_tui.core.redact import Redactor
from selfheal_tui.errors import ModelAnswerInvalid, ModelRetryable

Hear = Callable[[ModelNews], None]

PLACEHOLDER_KEY = "no-key-needed"
"""For servers of the user's own; the protocol wants a key, most of them do not."""

CONNECT_SECONDS = 15.0
SLACK_SECONDS = 5.0
"""How much longer the transport waits than we do. Where both end a wait at the same moment, the one
cuts the other's closing short, and the connection stays open: the provider goes on, and counts."""


class LiteLLMModel:
    """One model at one endpoint; fits `ports.Model`.

    `name` is LiteLLM's (`provider/model`). `deadline` is the seconds a whole answer may take,
    `stall` those of silence within it. `context_window` overrides the library's own knowledge.
    """

    def __init__(
        self,
        name: str,
        *,
        api_base: str | None = None,
        api_key: str | None = None,
        deadline: float = 600.0,
        stall: float = 120.0,
        context_window: int | None = None,
        redactor: Redactor | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._name = name
        self._called = _as_called(name)
        self._api_base = api_base or None
        self._api_key = api_key or (PLACEHOLDER_KEY if api_base else None)
        self._deadline = deadline
        self._stall = stall
        self._window = context_window
        known = redactor or Redactor()
        self._redact = (known.knowing(api_key) if api_key else known).redact
        self._now = now
        self._provider = provider_of(name)
        self._library: Any = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def context_window(self) -> int | None:
        """Tokens; None while the library is not loaded, and for models it does not list."""
        listed = self._facts().get("max_input_tokens")
        return self._window or (listed if isinstance(listed, int) else None)

    def takes_tools(self) -> bool | None:
        """Whether native tool calls work; None where that is not known (yet)."""
        known = self._facts().get("supports_function_calling")
        return known if isinstance(known, bool) else None

    async def prepare(self) -> None:
        """Load the library in a thread. `complete` waits for it; this lets it begin early."""
        self._library = await asyncio.to_thread(library.load)

    async def close(self) -> None:
        """Close the connections that are kept open for the next request."""
        if self._library is not None:
            await library.close_connections(self._library)

    async def complete(self, request: ModelRequest, hear: Hear) -> Reply:
        asked = self._asked(request)
        if self._api_key is None and self._provider is not None and self._provider.needs_key:
            raise failures.missing_key(asked)
        if self._library is None:
            await self.prepare()
        pulse = Pulse()
        reading = self._read(request, asked, hear, pulse)
        return await watched(reading, pulse, deadline=self._deadline, stall=self._stall)

    async def _read(
        self, request: ModelRequest, asked: failures.Asked, hear: Hear, pulse: Pulse
    ) -> Reply:
        try:
            return await self._stream(request, hear, pulse)
        except library.errors() as error:
            raise failures.translated(error, asked, self._redact, now=self._now()) from error
        except OSError as error:
            text = failures.readable(str(error), self._redact)
            raise ModelRetryable(f"cannot reach {asked.where}: {text}") from error
        except (ValueError, TypeError, LookupError, AttributeError, RuntimeError) as error:
            # litellm stumbles in these ways over answers that are not in any known form.
            text = failures.readable(str(error), self._redact)
            raise ModelAnswerInvalid(
                f"the answer of {asked.where} is not understood: {text}"
            ) from error

    async def _stream(self, request: ModelRequest, hear: Hear, pulse: Pulse) -> Reply:
        stream = await self._library.acompletion(**self._arguments(request))
        answer, finish = AnswerAssembly(hear), FinishWitness(stream)
        try:
            pulse.beat()
            finish.watch()
            async for chunk in stream:
                pulse.beat()
                answer.take(chunk)
        finally:
            await stream.aclose()
        text, calls = answer.end(
            finish_was_given=finish.given(answer.finish),
            call_prefix=f"call_{len(request.messages)}_",
        )
        usage = usage_of(answer.usage, self._cost(answer.usage))
        return Reply(text, calls, usage, self._name, answer.finish, answer.reasoning)

    def _arguments(self, request: ModelRequest) -> dict[str, Any]:
        import httpx

        messages = wire.messages_of(request.messages)
        if wire.takes_cache_marks(self._name):
            messages = wire.with_cache_marks(messages)
        arguments: dict[str, Any] = {
            "model": self._called,
            "messages": messages,
            "api_base": self._api_base,
            "api_key": self._api_key,
            "stream": True,
            "stream_options": {"include_usage": True},
            "timeout": httpx.Timeout(
                self._stall + SLACK_SECONDS, connect=min(CONNECT_SECONDS, self._stall / 2)
            ),
            "max_retries": 0,
            "num_retries": 0,
        }
        if request.tools:
            arguments["tools"] = wire.tools_of(request.tools)
        if request.session and self._is_openai_itself():
            arguments["prompt_cache_key"] = request.session
        return arguments

    def _is_openai_itself(self) -> bool:
        return self._api_base is None and getattr(self._provider, "name", "") == "openai"

    def _asked(self, request: ModelRequest) -> failures.Asked:
        provider, slash, _ = self._name.partition("/")
        variable = self._provider.keys[0] if self._provider and self._provider.keys else ""
        where = failures.endpoint(self._api_base, provider if slash else "")
        return failures.Asked(self._name, where, variable, bool(request.tools))

    def _facts(self) -> Any:
        return {} if self._library is None else library.facts_of(self._library, self._name)

    def _cost(self, usage: Any) -> float | None:
        """USD; None where the library lists no price."""
        if usage is None or "input_cost_per_token" not in self._facts():
            return None
        return library.cost_of(self._library, self._called, usage)


def _as_called(name: str) -> str:
    """litellm's `ollama/` flattens the conversation to one prompt; `ollama_chat/` keeps it."""
    return name.replace("ollama/", "ollama_chat/", 1) if name.startswith("ollama/") else name
