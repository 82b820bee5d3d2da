"""Settings: defaults < the user's file < environment < flags. Never a file of the worktree.

Every field carries its sentence in `metadata["doc"]`; the README's table is made from these.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

import tomli

from selfheal_tui.errors import SettingsError


def _setting(
    default: Any,
    doc: str,
    *,
    env: str = "",
    choices: tuple[str, ...] = (),
    least: float | None = None,
) -> Any:
    return field(
        default=default, metadata={"doc": doc, "env": env, "choices": choices, "least": least}
    )


@dataclass(frozen=True)
class ModelSettings:
    """Which language model answers, and how it is reached."""

    name: str = _setting(
        "", "LiteLLM model name for every role; empty: the first whose key is set", env="MODEL"
    )
    planner: str = _setting("", "model of the planner; empty: `name`")
    coder: str = _setting("", "model of the coder; empty: `name`")
    reviewer: str = _setting("", "model of the reviewer; empty: `name`")
    fallbacks: tuple[str, ...] = _setting((), "models asked in turn when one stays unavailable")
    api_base: str = _setting("", "endpoint of an OpenAI-compatible server", env="API_BASE")
    tools: str = _setting(
        "auto",
        "how tool calls are made: `native`, `text`, or `auto`",
        choices=("auto", "native", "text"),
    )
    retries: int = _setting(4, "how often a failed request is sent again", least=0)
    timeout: float = _setting(600.0, "seconds that one whole answer may take", least=1)
    stall: float = _setting(120.0, "seconds of silence after which an answer has failed", least=1)


@dataclass(frozen=True)
class LimitSettings:
    """Limits of the whole run; 0 means none (attempts: at least 1)."""

    attempts: int = _setting(3, "healing attempts", least=1)
    max_cost: float = _setting(2.0, "USD of the whole run; 0 = none", least=0)
    max_time: float = _setting(1800.0, "seconds of the whole run; 0 = none", least=0)
    max_steps: int = _setting(60, "model requests of the whole run; 0 = none", least=0)


@dataclass(frozen=True)
class CheckSettings:
    """The command, or the commands in their order, whose exit codes are the verdict."""

    command: str = _setting("", "the check; empty: detected from the project", env="CHECK")
    commands: tuple[str, ...] = _setting(
        (), "several checks in place of `command`, the cheapest first; all have to pass"
    )
    timeout: float = _setting(600.0, "seconds that one run of the check may take", least=1)
    focus_after: float = _setting(
        10.0, "seconds from which on a check runs the tests that failed first, by name", least=0
    )
    digest: int = _setting(4096, "bytes that the model is told of a red check", least=512)

    @property
    def chosen(self) -> tuple[str, ...]:
        """The commands that the user named, in their order; empty: to be detected."""
        return self.commands or ((self.command,) if self.command else ())


@dataclass(frozen=True)
class SandboxSettings:
    """Where commands run."""

    name: str = _setting("", "a profile, `local`, or empty: detected", env="SANDBOX")
    image: str = _setting("", "an image in place of the profile's")
    base_image: str = _setting("", "what the profile's Dockerfile starts from", env="BASE_IMAGE")
    network: str = _setting(
        "setup",
        "the container's network: `off`, `setup` (approved set-up commands), `on`",
        env="NETWORK",
        choices=("off", "setup", "on"),
    )
    command_timeout: float = _setting(120.0, "seconds that a model's command may take", least=1)
    setup_timeout: float = _setting(900.0, "seconds that a set-up command may take", least=1)


@dataclass(frozen=True)
class FlowSettings:
    """Which roles take part."""

    plan: bool = _setting(True, "whether a planner writes a plan first")
    review: bool = _setting(True, "whether a reviewer reads the final diff")
    delegate: str = _setting(
        "auto",
        "whether a large plan may be coded in parts at the same time: `auto` or `off`",
        choices=("auto", "off"),
    )
    approve_plan: bool = _setting(False, "whether the interface asks for the plan's approval")


@dataclass(frozen=True)
class GuardSettings:
    """Which files decide the verdict, beside those that are known to."""

    protect: tuple[str, ...] = _setting(
        (), "patterns of more files that decide the verdict: `golden.txt`, `checks/`, `ci/**/*.yml`"
    )
    ignore: tuple[str, ...] = _setting(
        (), "patterns of files that do not decide it, whatever their names say"
    )


@dataclass(frozen=True)
class MemorySettings:
    """What is kept of earlier heals."""

    enabled: bool = _setting(
        True, "keep heals on this machine, and tell the model of those of failures that are alike"
    )
    embeddings: str = _setting(
        "", "folder of a model2vec model that tells how alike failures are; empty: by their words"
    )


@dataclass(frozen=True)
class ContextSettings:
    """What the model is told of the project, and when its context is full."""

    map_tokens: int = _setting(
        1000, "tokens that a map of the files about the failure may take; 0 = no map", least=0
    )
    compact_at: float = _setting(
        0.8, "share of a model's context window from which on older turns are shortened", least=0.1
    )
    window: int = _setting(
        32_000, "tokens of a context window that neither model nor library names", least=1000
    )


@dataclass(frozen=True)
class PrivacySettings:
    """What must never leave this machine."""

    redact: tuple[str, ...] = _setting(
        (), "names of environment variables whose values are redacted everywhere"
    )


@dataclass(frozen=True)
class UiSettings:
    """How the interface looks, and how it calls for a user who looks elsewhere."""

    theme: str = _setting("", "the theme at start; empty: the one chosen last")
    bell: bool = _setting(True, "ring the bell when it waits for you and you look elsewhere")
    title: bool = _setting(True, "put a mark into the terminal's title while it waits for you")
    notify: bool = _setting(
        True, "send the terminal a desktop notification when it waits and you look elsewhere"
    )


@dataclass(frozen=True)
class Settings:
    """All settings of a run."""

    model: ModelSettings = ModelSettings()
    limits: LimitSettings = LimitSettings()
    check: CheckSettings = CheckSettings()
    sandbox: SandboxSettings = SandboxSettings()
    flow: FlowSettings = FlowSettings()
    guard: GuardSettings = GuardSettings()
    memory: MemorySettings = MemorySettings()
    context: ContextSettings = ContextSettings()
    privacy: PrivacySettings = PrivacySettings()
    ui: UiSettings = UiSettings()


@dataclass(frozen=True)
class SettingField:
    """One setting as documentation and parsers see it; `key` is `group.name`."""

    key: str
    environment: str
    default: object
    doc: str
    kind: Any
    choices: tuple[str, ...]
    least: float | None


RESERVED = ("SELFHEAL_CONFIG_DIR", "SELFHEAL_STATE_DIR")
"""Environment variables that say where our own folders are; they are not settings."""

_CHECKS = ("check.command", "check.commands")

REPOSITORIES = "repositories"
"""The table of the user's file that holds settings of single repositories, keyed by their path."""


def setting_fields() -> Iterator[SettingField]:
    """Every setting, in the order of this module."""
    for group in fields(Settings):
        kind: Any = type(group.default)
        hints = get_type_hints(kind)
        for item in fields(kind):
            name = item.metadata["env"] or f"{group.name}_{item.name}".upper()
            yield SettingField(
                f"{group.name}.{item.name}",
                f"SELFHEAL_{name}",
                item.default,
                item.metadata["doc"],
                hints[item.name],
                item.metadata["choices"],
                item.metadata["least"],
            )


def resolve(
    *,
    file: Path,
    repository: str,
    environment: Mapping[str, str],
    flags: Mapping[str, object],
) -> tuple[Settings, dict[str, str]]:
    """The settings of a run, and for each one that is not a default where it came from.

    `flags` maps keys (`limits.attempts`) to values that the command line has parsed already.
    Raises SettingsError for an unknown key or a value of the wrong kind, naming its source.
    """
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    layers = [
        *_from_file(file, repository),
        (_from_environment(environment), "environment"),
        (_checked(flags, "flag"), "flag"),
    ]
    for layer, source in layers:
        if layer.keys() & set(_CHECKS):
            # One check or several: the later layer's word counts, not both together.
            values = {key: value for key, value in values.items() if key not in _CHECKS}
            sources = {key: value for key, value in sources.items() if key not in _CHECKS}
        values.update(layer)
        sources.update(dict.fromkeys(layer, source))
    return _build(values), sources


def _build(values: Mapping[str, object]) -> Settings:
    settings = Settings()
    for key, value in values.items():
        group, name = key.split(".")
        settings = replace(settings, **{group: replace(getattr(settings, group), **{name: value})})
    return settings


def _from_file(file: Path, repository: str) -> Iterator[tuple[dict[str, object], str]]:
    try:
        data = tomli.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from error
    repositories = data.pop(REPOSITORIES, {})
    if not isinstance(repositories, dict):
        raise SettingsError(f"{file}: `{REPOSITORIES}` must be a table of paths")
    yield _checked(_flat(data, str(file)), str(file)), str(file)
    for path, own in repositories.items():
        source = f"{file}: {REPOSITORIES}.{path!r}"
        checked = _checked(_flat(own, source), source)
        if Path(path).expanduser() == Path(repository):
            yield checked, source


def _flat(data: object, source: str) -> dict[str, object]:
    if not isinstance(data, dict):
        raise SettingsError(f"{source}: must be a table")
    flat: dict[str, object] = {}
    for group, content in data.items():
        if not isinstance(content, dict):
            raise SettingsError(f"{source}: unknown key `{group}`{_nearest(group, _keys())}")
        flat.update({f"{group}.{name}": value for name, value in content.items()})
    return flat


def _from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    known = {item.environment: item for item in setting_fields()}
    values: dict[str, object] = {}
    for name, text in environment.items():
        if not name.startswith("SELFHEAL_") or name in RESERVED:
            continue
        if name not in known:
            raise SettingsError(f"environment: unknown {name}{_nearest(name, known)}")
        values[known[name].key] = _parse(known[name], text, name)
    return _checked(values, "environment")


def _parse(item: SettingField, text: str, source: str) -> object:
    try:
        if item.kind is bool:
            return {"1": True, "true": True, "0": False, "false": False}[text.lower()]
        if item.kind in (int, float):
            return item.kind(text)
    except (KeyError, ValueError) as error:
        raise SettingsError(f"{source}: {text!r} is not a {_word(item.kind)}") from error
    if item.kind is str:
        return text
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _checked(values: Mapping[str, object], source: str) -> dict[str, object]:
    known = {item.key: item for item in setting_fields()}
    result: dict[str, object] = {}
    for key, value in values.items():
        if key not in known:
            raise SettingsError(f"{source}: unknown key `{key}`{_nearest(key, known)}")
        result[key] = _valid(known[key], value, source)
    return result


def _valid(item: SettingField, value: object, source: str) -> object:
    if item.kind is float and type(value) is int:
        value = float(value)
    if isinstance(value, (list, tuple)):
        if item.kind not in (bool, int, float, str) and all(isinstance(v, str) for v in value):
            return tuple(value)
    elif item.kind in (bool, int, float, str) and type(value) is item.kind:
        _in_range(item, value, source)
        return value
    raise SettingsError(f"{source}: `{item.key}` must be a {_word(item.kind)}, not {value!r}")


def _in_range(item: SettingField, value: object, source: str) -> None:
    if item.choices and value not in item.choices:
        allowed = ", ".join(item.choices)
        raise SettingsError(f"{source}: `{item.key}` must be one of {allowed}, not {value!r}")
    # Written so that NaN is refused too.
    if item.least is not None and isinstance(value, (int, float)) and not value >= item.least:
        raise SettingsError(f"{source}: `{item.key}` must be at least {item.least:g}, not {value}")


def _word(kind: Any) -> str:
    names = {bool: "boolean", int: "whole number", float: "number", str: "string"}
    return names.get(kind, "list of strings")


def _keys() -> list[str]:
    return [item.key for item in setting_fields()]


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else ""
