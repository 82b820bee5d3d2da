"""What in a remote's URL could make it look like another place than it is. Refuses to decide
whether it may be used: it says what a human is to look at."""

from __future__ import annotations

import re
import unicodedata

_WITH_USER = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?P<user>[^/@\s]*)@(?P<host>[^/@\s]*)")
_HOST = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:[^/@\s]*@)?(?P<host>[^/:\s]*)")
_NAMED = 3


def oddities(url: str) -> tuple[str, ...]:
    """A sentence for each odd thing; none for an ordinary URL. Never says a password."""
    said = []
    if odd := sorted({each for each in url if not "!" <= each <= "~"}):
        said.append(f"the URL holds unusual characters: {_several(odd)}")
    if "\\" in url:
        said.append("the URL holds a backslash, which some programs read as a slash")
    host = _HOST.match(url)
    if host and any(part.lower().startswith("xn--") for part in host["host"].split(".")):
        said.append("the URL's host is written in punycode (xn--): it may be shown as another name")
    if host and "%" in host["host"]:
        said.append("the URL's host holds a percent sign")
    if user := _WITH_USER.match(url):
        said += _about_user(user["user"], user["host"])
    if url.startswith(("-", "ext::")):
        said.append("the URL is one that git may take for a command")
    return tuple(said)


def _about_user(user: str, host: str) -> list[str]:
    if ":" in user:
        return ["the URL holds a password"]
    if "." in user:
        return [f"what stands before the @ is no host: the URL leads to {host}"]
    return []


def _several(characters: list[str]) -> str:
    names = [f"U+{ord(each):04X} {unicodedata.name(each, 'without a name')}" for each in characters]
    return ", ".join(names[:_NAMED]) + (
        f" and {len(names) - _NAMED} more" if names[_NAMED:] else ""
    )
