"""The last words of a command that failed: without a secret, and nothing that drives a terminal.

An error may quote a URL, a file or what a provider said. Refuses to fail: where the settings
cannot be read, it knows what the environment tells.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping

from selfheal_tui.errors import SettingsError


def complain(text: str) -> None:
    """Print `text` on stderr as ours."""
    print(f"selfheal: {_fit(text)}", file=sys.stderr)


def trace(error: Exception) -> None:
    """Print where an error of ours comes from."""
    print(_fit("".join(traceback.format_exception(error))), file=sys.stderr)


def _fit(text: str) -> str:
    # Loaded only where something failed: `--version` must stay instant.
    from selfheal_tui.core.redact import Redactor
    from selfheal_tui.core.text import hanging

    environment = dict(os.environ)
    redactor = Redactor.from_environment(environment, _named_by_user(environment))
    return hanging(redactor.redact(text.rstrip("\n")))


def _named_by_user(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The variables whose values are to be redacted, where the settings can be read."""
    from selfheal_tui.folders import config_folder
    from selfheal_tui.settings import resolve

    try:
        file = config_folder(environment) / "config.toml"
        settings, _ = resolve(file=file, repository="", environment=environment, flags={})
    except (SettingsError, OSError):
        return ()
    return settings.privacy.redact
