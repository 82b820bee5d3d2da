"""Reads the image that a repository's devcontainer.json names. Nothing else of it is used.

Refuses to build one, to start a composition of services, and to expand variables of the host.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

DEVCONTAINER_FILES = (".devcontainer/devcontainer.json", ".devcontainer.json")

_NOT_SUPPORTED = ("build", "dockerFile", "dockerComposeFile")
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,254}")
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"'  # a string stays as it is
    r"|//[^\n]*|/\*.*?\*/"  # a comment goes
    r"|,(?=(?:\s|//[^\n]*|/\*.*?\*/)*[}\]])",  # so does a comma before a closing bracket
    re.DOTALL,
)


@dataclass(frozen=True)
class Devcontainer:
    """The image that the file names (may be empty), and a sentence about what is not used."""

    image: str = ""
    note: str = ""


def read_devcontainer(content: bytes) -> Devcontainer:
    """Never raises: a file that cannot be used gives no image and says why."""
    try:
        data = json.loads(_plain(content.decode("utf-8-sig")))
    except (ValueError, RecursionError) as error:
        return Devcontainer(note=f"devcontainer.json cannot be read: {error}")
    if not isinstance(data, dict):
        return Devcontainer(note="devcontainer.json is not a JSON object")
    for key in _NOT_SUPPORTED:
        if key in data:
            note = f"devcontainer.json: `{key}` is not supported; build it and give --image"
            return Devcontainer(note=note)
    image = data.get("image")
    if image is None:
        return Devcontainer()
    if not isinstance(image, str) or not _IMAGE.fullmatch(image):
        return Devcontainer(note="devcontainer.json: its `image` is not the plain name of an image")
    return Devcontainer(image)


def _plain(text: str) -> str:
    """JSON without the comments and trailing commas that this format allows."""
    return _TOKEN.sub(lambda match: match[0] if match[0][0] == '"' else " ", text)
