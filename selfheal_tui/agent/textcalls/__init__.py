"""Tool calls in plain text, for models without native ones."""

from selfheal_tui.agent.textcalls.models import AutoToolsModel, TextToolsModel

__all__ = ["AutoToolsModel", "TextToolsModel"]
