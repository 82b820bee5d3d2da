"""What a remote's URL is, read from settings as data: rewritten, without a password, or refused.

Refuses every transport but https, http, ssh and a folder, because the others run a program that
the URL names; and whatever the repository itself rewrites.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from selfheal_tui.adapters.git.environment import is_within
from selfheal_tui.errors import RepositoryRefused


@dataclass(frozen=True)
class Rewrite:
    """`url.<base>.insteadOf = <prefix>`, where it is set, and whether it is for pushes only."""

    base: str
    prefix: str
    own: bool
    push_only: bool


@dataclass(frozen=True)
class RemoteUrl:
    """A URL as it may be shown and passed on; the user and password that were taken out of it."""

    url: str
    user: str = ""
    password: str = ""


def resolve(
    remote: str,
    urls: Sequence[str],
    push_urls: Sequence[str],
    rewrites: Sequence[Rewrite],
    root: Path,
) -> RemoteUrl:
    """The one URL that a push to `remote` goes to. Raises RepositoryRefused with the reason."""
    given = push_urls or urls
    if not given:
        raise RepositoryRefused(f"there is no remote {remote!r}: `git remote -v` lists them")
    if len(set(given)) > 1:
        shown = ", ".join(_shown(url) for url in given)
        raise RepositoryRefused(
            f"the remote {remote!r} has several push URLs ({shown}), and one push goes to one "
            f"place: push by hand, or name another remote"
        )
    url = _rewritten(given[0], rewrites, for_push=not push_urls)
    if _rewritten(url, rewrites, for_push=not push_urls) != url:
        raise RepositoryRefused(
            f"the URL of {remote!r} is rewritten twice by your insteadOf settings; name it in full"
        )
    return _without_password(_checked(url, root))


def _rewritten(url: str, rewrites: Sequence[Rewrite], *, for_push: bool) -> str:
    fitting = [rewrite for rewrite in rewrites if url.startswith(rewrite.prefix)]
    if planted := next((r for r in fitting if not r.own), None):
        raise RepositoryRefused(
            f"the repository's own configuration sends {_shown(url)} elsewhere "
            f"(url.{_shown(planted.base)}.insteadOf), which is not followed: push by hand"
        )
    by_length = sorted(fitting, key=lambda rewrite: len(rewrite.prefix))
    for_pushes = [r for r in by_length if r.push_only] if for_push else []
    chosen = for_pushes or [r for r in by_length if not r.push_only]
    return chosen[-1].base + url[len(chosen[-1].prefix) :] if chosen else url


def _checked(url: str, root: Path) -> str:
    """The URL with a folder made absolute. Raises RepositoryRefused for what may not be used."""
    if not url.isprintable() or url.startswith("-") or not url:
        raise RepositoryRefused(f"the URL {url!r} holds what no URL should")
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if re.match(r"^[A-Za-z0-9+.-]+::", url) or scheme not in {"", "https", "http", "ssh", "file"}:
        raise RepositoryRefused(
            f"{_shown(url)} needs a transport that is not allowed: https, http, ssh and folders are"
        )
    if scheme in {"https", "http", "ssh"}:
        if urlsplit(url).hostname in {None, ""} or (urlsplit(url).hostname or "").startswith("-"):
            raise RepositoryRefused(f"{_shown(url)} names no host")
        return url
    if not scheme and ":" in url.partition("/")[0]:
        return url  # host:path, which is ssh
    return _folder(url.removeprefix("file://") if scheme else url, root)


def _folder(path: str, root: Path) -> str:
    folder = os.path.realpath(root / path)
    if is_within(folder, os.path.realpath(root)):
        raise RepositoryRefused(
            f"the remote {folder} lies inside the working tree, which is not trusted to be one"
        )
    return folder


def _without_password(url: str) -> RemoteUrl:
    if "://" not in url:
        return RemoteUrl(url)
    parts = urlsplit(url)
    if parts.password is None:
        return RemoteUrl(url)
    host = parts.netloc.rpartition("@")[2]
    shown = urlunsplit(parts._replace(netloc=host))
    return RemoteUrl(shown, unquote(parts.username or ""), unquote(parts.password))


def _shown(url: str) -> str:
    """A URL for a sentence, never with what may be a password."""
    return re.sub(r"//[^/@]*@", "//…@", url)


def credential_environment(remote: RemoteUrl) -> Mapping[str, str]:
    """Variables that hand the URL's password to git by a credential helper, in no argument."""
    if not remote.password:
        return {}
    parts = urlsplit(remote.url)
    helper = (
        '!f() { test "$1" = get && '
        'printf "username=%s\\npassword=%s\\n" "$SELFHEAL_USER" "$SELFHEAL_PASSWORD"; }; f'
    )
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"credential.{parts.scheme}://{parts.netloc}.helper",
        "GIT_CONFIG_VALUE_0": helper,
        "SELFHEAL_USER": remote.user,
        "SELFHEAL_PASSWORD": remote.password,
    }
