"""Model providers: which environment variable holds whose key, and each one's default model.

Default models are names that the model library's price list knows (a test keeps this true).
Refuses to read any environment but the one that is handed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Provider:
    """One provider. `name` is the part of a model's name before the first `/`.

    `keys` are the variables that may hold its key, the first one is what the user is told to
    set; `bases` those that may hold its endpoint. `model` is empty where no default is sensible.
    """

    name: str
    keys: tuple[str, ...] = ()
    model: str = ""
    bases: tuple[str, ...] = ()
    needs_key: bool = True


PROVIDERS = (
    Provider(
        "anthropic",
        ("ANTHROPIC_API_KEY",),
        "anthropic/claude-sonnet-5-5",
        ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"),
    ),
    Provider(
        "openai",
        ("OPENAI_API_KEY",),
        "openai/gpt-6.1-sol",
        ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
    ),
    Provider("gemini", ("GEMINI_API_KEY", "GOOGLE_API_KEY"), "gemini/gemini-pro-latest"),
    Provider("mistral", ("MISTRAL_API_KEY",), "mistral/devstral-latest", ("MISTRAL_API_BASE",)),
    Provider("deepseek", ("DEEPSEEK_API_KEY",), "deepseek/deepseek-v4-pro", ("DEEPSEEK_API_BASE",)),
    Provider("xai", ("XAI_API_KEY",), "xai/grok-4.7", ("XAI_API_BASE",)),
    Provider("moonshot", ("MOONSHOT_API_KEY",), "moonshot/kimi-k3", ("MOONSHOT_API_BASE",)),
    Provider("zai", ("ZAI_API_KEY",), "zai/glm-5.3", ("ZAI_API_BASE",)),
    Provider("dashscope", ("DASHSCOPE_API_KEY",), "dashscope/qwen3.8-max", ("DASHSCOPE_API_BASE",)),
    Provider("groq", ("GROQ_API_KEY",), "groq/openai/gpt-oss-120b", ("GROQ_API_BASE",)),
    Provider("cerebras", ("CEREBRAS_API_KEY",), "cerebras/gpt-oss-120b", ("CEREBRAS_API_BASE",)),
    Provider(
        "together_ai",
        ("TOGETHERAI_API_KEY", "TOGETHER_API_KEY", "TOGETHER_AI_API_KEY"),
        "together_ai/zai-org/GLM-5.3",
    ),
    Provider("openrouter", ("OPENROUTER_API_KEY", "OR_API_KEY"), bases=("OPENROUTER_API_BASE",)),
    Provider("azure", ("AZURE_API_KEY", "AZURE_OPENAI_API_KEY"), bases=("AZURE_API_BASE",)),
    Provider("fireworks_ai", ("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY")),
    Provider("deepinfra", ("DEEPINFRA_API_KEY",)),
    Provider("perplexity", ("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY")),
    Provider("cohere", ("COHERE_API_KEY", "CO_API_KEY")),
    Provider("cohere_chat", ("COHERE_API_KEY", "CO_API_KEY")),
    Provider("nvidia_nim", ("NVIDIA_NIM_API_KEY",), bases=("NVIDIA_NIM_API_BASE",)),
    Provider(
        "ollama", ("OLLAMA_API_KEY",), bases=("OLLAMA_API_BASE", "OLLAMA_HOST"), needs_key=False
    ),
    Provider(
        "ollama_chat",
        ("OLLAMA_API_KEY",),
        bases=("OLLAMA_API_BASE", "OLLAMA_HOST"),
        needs_key=False,
    ),
    Provider(
        "hosted_vllm", ("HOSTED_VLLM_API_KEY",), bases=("HOSTED_VLLM_API_BASE",), needs_key=False
    ),
    Provider("lm_studio", ("LM_STUDIO_API_KEY",), bases=("LM_STUDIO_API_BASE",), needs_key=False),
    Provider("llamafile", bases=("LLAMAFILE_API_BASE",), needs_key=False),
)
"""In the order in which `first_available` looks for a key."""

_BARE = (
    ("claude", "anthropic"),
    ("gpt-", "openai"),
    ("chatgpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
)
"""Beginnings of model names that are known without a provider before them."""


def provider_of(model: str) -> Provider | None:
    """The provider of a model's name; None where its keys are not known here."""
    head, slash, _ = model.partition("/")
    name = head if slash else next((to for start, to in _BARE if head.startswith(start)), "")
    return next((provider for provider in PROVIDERS if provider.name == name), None)


def key_for(model: str, environment: Mapping[str, str]) -> str | None:
    """The key for this model, from the variables of its provider only."""
    provider = provider_of(model)
    return _first_set(provider.keys, environment) if provider else None


def base_for(model: str, environment: Mapping[str, str]) -> str | None:
    """The endpoint that the environment names for this model's provider."""
    provider = provider_of(model)
    found = _first_set(provider.bases, environment) if provider else None
    return found if found is None or "://" in found else f"http://{found}"


def first_available(environment: Mapping[str, str]) -> str | None:
    """The default model of the first provider whose key is set."""
    return next(
        (
            provider.model
            for provider in PROVIDERS
            if provider.model and _first_set(provider.keys, environment)
        ),
        None,
    )


def _first_set(names: tuple[str, ...], environment: Mapping[str, str]) -> str | None:
    values = (environment.get(name, "").strip() for name in names)
    return next((value for value in values if value), None)
