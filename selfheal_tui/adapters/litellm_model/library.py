"""Loads litellm once, quiet and closed: no `.env`, no download, no prints, no logs on stderr.

Nothing of a session (key, endpoint, model) is ever set on the library; those go with each call.
"""

from __future__ import annotations

import importlib
import logging
import os
import warnings
from collections.abc import Mapping
from typing import Any

from selfheal_tui.adapters.litellm_model import connections

BEFORE_IMPORT = {
    # A `.env` near a virtual environment inside the repository would name an attacker's endpoint.
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOG": "CRITICAL",
}
_LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")


def load() -> Any:
    """The litellm module; takes seconds the first time, so call it in a thread."""
    os.environ.update(BEFORE_IMPORT)
    litellm: Any = importlib.import_module("litellm")
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.disable_streaming_logging = True
    # aiohttp's sessions outlive a cancelled request and complain on stderr; httpx closes them.
    litellm.disable_aiohttp_transport = True
    connections.guard()
    for name in _LOGGERS:
        _silence(logging.getLogger(name))
    warnings.filterwarnings("ignore", message="Pydantic serializer warnings", category=UserWarning)
    return litellm


def _silence(logger: logging.Logger) -> None:
    logger.handlers[:] = [logging.NullHandler()]
    logger.propagate = False
    logger.setLevel(logging.CRITICAL)


def errors() -> tuple[type[Exception], ...]:
    """What a request may raise: the library's own kinds derive from openai's, all others are
    a provider's that it did not translate, or the transport's. To be called once it is loaded."""
    openai, httpx, llms = (
        importlib.import_module(name)
        for name in ("openai", "httpx", "litellm.llms.base_llm.chat.transformation")
    )
    return openai.OpenAIError, httpx.HTTPError, llms.BaseLLMException


async def close_connections(litellm: Any) -> None:
    """Close every connection that the library keeps open, and forget it."""
    await litellm.close_litellm_async_clients()
    litellm.in_memory_llm_clients_cache.flush_cache()


def facts_of(litellm: Any, model: str) -> Mapping[str, Any]:
    """What the library's own list says of a model (prices, window); empty when not listed.

    The list is read directly: the library's functions ask the server of a local model.
    """
    provider, slash, bare = model.partition("/")
    exact = litellm.model_cost.get(model)
    if exact is not None:
        return dict(exact)
    listed = litellm.model_cost.get(bare) if slash else None
    if listed is None or listed.get("litellm_provider") != provider:
        return {}
    return dict(listed)


def cost_of(litellm: Any, model: str, usage: Any) -> float | None:
    """USD of one answer; None where the library has no rule for the model."""
    not_mapped = getattr(litellm.exceptions, "ModelNotMappedError", ValueError)
    unpriced: tuple[type[Exception], ...] = (*errors(), not_mapped, ValueError, TypeError)
    try:
        return float(sum(litellm.cost_per_token(model=model, usage_object=usage)))
    except unpriced:
        return None
