"""The prompts, one Markdown file each."""

from __future__ import annotations

from importlib import resources


def load(name: str) -> str:
    """The text of `name`.md."""
    return (resources.files(__name__) / f"{name}.md").read_text(encoding="utf-8").strip()
