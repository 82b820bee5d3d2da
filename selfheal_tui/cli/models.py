"""Which models a run speaks to: names, keys and endpoints from settings and environment."""

from __future__ import annotations

from collections.abc import Mapping

from selfheal_tui.adapters.model import LiteLLMModel
from selfheal_tui.agent.discreet import DiscreetModel
from selfheal_tui.agent.patience import PatientModel, RetryPolicy
from selfheal_tui.agent.ports import Model
from selfheal_tui.agent.roles import Models
from selfheal_tui.agent.runaway import BoundedModel
from selfheal_tui.agent.textcalls import AutoToolsModel
from selfheal_tui.core.providers import (
    PROVIDERS,
    base_for,
    first_available,
    key_for,
    provider_of,
)
from selfheal_tui.core.redact import Redactor
from selfheal_tui.errors import ModelError, ModelRefusedKey
from selfheal_tui.settings import ModelSettings


class ModelSet:
    """The models of a run. One name is one object, so that what it learned serves every role."""

    def __init__(
        self, settings: ModelSettings, environment: Mapping[str, str], redactor: Redactor
    ) -> None:
        self._settings = settings
        self._environment = environment
        self._redactor = redactor
        self._main = settings.name or first_available(environment) or ""
        self._made: dict[str, LiteLLMModel] = {}

    def roles(self) -> Models:
        """The model of each role. Raises ModelError when none is named and no key is set."""
        by_name: dict[str, Model] = {}

        def of(name: str) -> Model:
            name = name or self._main
            if not name:
                raise ModelError(_no_model())
            if name not in by_name:
                by_name[name] = self._patient(name)
            return by_name[name]

        own = self._settings
        return Models(of(own.planner), of(own.coder), of(own.reviewer))

    async def prepare(self) -> None:
        """Load the model library while something else goes on."""
        # One library serves them all; the others find it loaded.
        for model in list(self._made.values())[:1]:
            await model.prepare()

    async def close(self) -> None:
        for model in self._made.values():
            await model.close()

    def _patient(self, name: str) -> Model:
        names = dict.fromkeys((name, *self._settings.fallbacks))
        models = [self._with_tools(self._one(one)) for one in names]
        policy = RetryPolicy(retries=self._settings.retries)
        patient = BoundedModel(PatientModel(models, policy=policy))
        return DiscreetModel(patient, self._redactor)

    def _with_tools(self, model: LiteLLMModel) -> Model:
        return AutoToolsModel(model, mode=self._settings.tools, takes_tools=model.takes_tools)

    def _base(self, name: str) -> str | None:
        """The endpoint of the settings serves the main model's provider only: the key of another
        one must not be sent there."""
        if self._settings.api_base and provider_of(name) == provider_of(self._main):
            return self._settings.api_base
        return base_for(name, self._environment)

    def _one(self, name: str) -> LiteLLMModel:
        if name not in self._made:
            self._made[name] = LiteLLMModel(
                name,
                api_base=self._base(name),
                api_key=key_for(name, self._environment),
                deadline=self._settings.timeout,
                stall=self._settings.stall,
                redactor=self._redactor,
            )
        return self._made[name]


def model_in_use(settings: ModelSettings, environment: Mapping[str, str]) -> str:
    """The coder's model and where its key is, in a few words; never the key.

    Raises ModelError where none is named and no key is set, ModelRefusedKey where the key is
    missing that its provider wants.
    """
    name = settings.coder or settings.name or first_available(environment)
    if not name:
        raise ModelError("no model is named, and no provider's key is set")
    provider = provider_of(name)
    base = settings.api_base or base_for(name, environment)
    held = [key for key in provider.keys if environment.get(key, "").strip()] if provider else []
    if held:
        return f"{name}, key in {held[0]}"
    if provider and provider.needs_key and not base:
        raise ModelRefusedKey(f"{name} needs a key: set {provider.keys[0]}")
    return f"{name} at {base}" if base else name


def _no_model() -> str:
    keys = ", ".join(provider.keys[0] for provider in PROVIDERS if provider.model)
    return (
        "no model is named and no provider's key is set; name one with --model (and --api-base"
        f" for a server of your own), or set one of {keys}"
    )
