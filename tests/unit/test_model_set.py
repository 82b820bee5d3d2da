from __future__ import annotations

import pytest

from selfheal_tui.cli.models import ModelSet
from selfheal_tui.core.redact import Redactor
from selfheal_tui.errors import ModelError
from selfheal_tui.settings import ModelSettings


def model_set(environment=None, **settings):
    return ModelSet(ModelSettings(**settings), environment or {}, Redactor())


def endpoints(models):
    return {name: (model._api_base, model._api_key) for name, model in models._made.items()}


def test_one_name_is_one_model_for_every_role():
    roles = model_set(name="openai/x").roles()
    assert roles.planner is roles.coder is roles.reviewer
    assert roles.coder.name == "openai/x"


def test_roles_may_have_models_of_their_own():
    roles = model_set(name="openai/x", reviewer="anthropic/y").roles()
    assert (roles.planner.name, roles.reviewer.name) == ("openai/x", "anthropic/y")


def test_without_a_name_the_first_provider_with_a_key_is_asked():
    roles = model_set({"OPENAI_API_KEY": "sk-1234567890"}).roles()
    assert roles.coder.name.startswith("openai/")


def test_without_a_name_and_a_key_it_is_said_what_to_set():
    with pytest.raises(ModelError, match=r"--model .* ANTHROPIC_API_KEY"):
        model_set().roles()


def test_the_key_of_another_provider_is_never_sent_to_the_users_own_endpoint():
    keys = {"OPENAI_API_KEY": "sk-open-1234567", "ANTHROPIC_API_KEY": "sk-ant-1234567"}
    models = model_set(
        keys, name="openai/x", fallbacks=("openai/z", "anthropic/y"), api_base="http://own/v1"
    )
    models.roles()
    assert endpoints(models) == {
        "openai/x": ("http://own/v1", "sk-open-1234567"),
        "openai/z": ("http://own/v1", "sk-open-1234567"),
        "anthropic/y": (None, "sk-ant-1234567"),
    }
