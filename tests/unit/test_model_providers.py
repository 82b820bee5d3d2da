"""Which key belongs to which model, and which model is asked when none is named."""

from __future__ import annotations

import pytest

from selfheal_tui.core.providers import (
    PROVIDERS,
    base_for,
    first_available,
    key_for,
    provider_of,
)


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("openai/gpt-x", "openai"),
        ("gpt-4.1", "openai"),
        ("o3-mini", "openai"),
        ("claude-sonnet-5", "anthropic"),
        ("anthropic/claude-x", "anthropic"),
        ("openrouter/anthropic/claude-x", "openrouter"),
        ("ollama_chat/qwen3", "ollama_chat"),
    ],
)
def test_a_model_name_tells_its_provider(model, provider):
    found = provider_of(model)
    assert found is not None
    assert found.name == provider


def test_a_provider_that_is_not_known_has_no_key_here():
    environment = {"OPENAI_API_KEY": "a-key"}
    assert provider_of("bedrock/some-model") is None
    assert key_for("bedrock/some-model", environment) is None
    assert base_for("bedrock/some-model", environment) is None


def test_a_key_goes_to_its_own_provider_only():
    environment = {"OPENAI_API_KEY": "of-openai", "ANTHROPIC_API_KEY": "of-anthropic"}
    assert key_for("openai/gpt-x", environment) == "of-openai"
    assert key_for("claude-x", environment) == "of-anthropic"
    assert key_for("gemini/x", environment) is None


def test_an_empty_variable_is_no_key():
    environment = {"GEMINI_API_KEY": "  ", "GOOGLE_API_KEY": "second"}
    assert key_for("gemini/x", environment) == "second"
    assert first_available({"OPENAI_API_KEY": ""}) is None


def test_the_first_provider_with_a_key_gives_the_default_model():
    assert first_available({"OPENAI_API_KEY": "k", "GEMINI_API_KEY": "k"}) == "openai/gpt-6.1-sol"
    assert first_available({"OPENROUTER_API_KEY": "k"}) is None


def test_an_endpoint_of_the_environment_gets_a_scheme():
    assert base_for("ollama/x", {"OLLAMA_HOST": "127.0.0.1:11434"}) == "http://127.0.0.1:11434"
    assert base_for("gpt-x", {"OPENAI_BASE_URL": "https://proxy/v1"}) == "https://proxy/v1"


def test_provider_names_are_unique():
    names = [provider.name for provider in PROVIDERS]
    assert sorted(set(names)) == sorted(names)
