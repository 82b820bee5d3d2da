"""Pushes exactly one approved commit to exactly one ref of one URL, from the shadow repository.

Never forced: the ref's old value is asked for, must be an ancestor, and must still hold. The
user's own settings and credential helpers are in play, the repository's are not, no hook runs and
no tag goes along.
"""

from __future__ import annotations

import os
import re

from selfheal_tui.adapters.git.discovery import Place
from selfheal_tui.adapters.git.objects import is_zeros, zeros
from selfheal_tui.adapters.git.remote_url import (
    RemoteUrl,
    Rewrite,
    credential_environment,
    resolve,
)
from selfheal_tui.adapters.git.runner import GitFailed, Runner, one_line
from selfheal_tui.adapters.git.shadow import ShadowRepository
from selfheal_tui.core.approval import Granted, PushRequest
from selfheal_tui.errors import RepositoryRefused


class Pushes:
    """Pushes of one session. `network` runs in the shadow with the user's own settings."""

    def __init__(self, place: Place, shadow: ShadowRepository, network: Runner) -> None:
        self._user = place.user
        self._root = place.root
        self._shadow = shadow
        self._network = network
        self._zeros = zeros(shadow.object_format)

    def check(self, remote: str) -> None:
        """Raises RepositoryRefused when `remote` has no URL that may be pushed to."""
        self._url(remote)

    def request(self, commit: str, remote: str, branch: str) -> PushRequest:
        """What would be pushed now. Raises RepositoryRefused when it would need force."""
        ref = f"refs/heads/{branch}"
        checked = self._shadow.git.result("check-ref-format", ref, accept=(0, 1))
        if checked.code != 0 or branch.startswith("-"):
            raise RepositoryRefused(f"{branch!r} is not a name that git allows for a branch")
        url = self._url(remote)
        old = self._value(url, ref)
        self._check_ancestor(old, commit, ref)
        return PushRequest(commit=commit, remote=remote, url=url.url, ref=ref, old=old)

    def let_go(self) -> None:
        """End what is asked of the remote, or sent to it, now and later: the user leaves."""
        self._network.cord.pull()

    def push(self, granted: Granted[PushRequest]) -> None:
        """Push what was approved, and look that it is there."""
        request = granted.request
        url = self._url(request.remote)
        if url.url != request.url:
            raise RepositoryRefused(
                f"the URL of {request.remote!r} is not the approved one any more; ask again"
            )
        self._check_ancestor(request.old, request.commit, request.ref)
        if self._value(url, request.ref) == request.commit:
            return
        self._send(url, request)
        if self._value(url, request.ref) != request.commit:
            raise RepositoryRefused(
                f"{request.remote} took the push, but {request.ref} is elsewhere by now"
            )

    def _send(self, url: RemoteUrl, request: PushRequest) -> None:
        lease = "" if is_zeros(request.old) else request.old
        finished = self._with_credentials(url).result(
            "push",
            "--porcelain",
            "--no-verify",
            "--no-follow-tags",
            "--no-signed",
            "--recurse-submodules=no",
            f"--force-with-lease={request.ref}:{lease}",
            url.url,
            f"{request.commit}:{request.ref}",
            accept=tuple(range(256)),
        )
        for line in finished.out.decode("utf-8", "replace").splitlines():
            if line.startswith("!\t"):
                raise RepositoryRefused(self._rejection(request, line, finished.err))
        if finished.code != 0:
            said = one_line(finished.err) or f"exit code {finished.code}"
            raise RepositoryRefused(f"the push to {request.remote} failed: {said}")

    def _rejection(self, request: PushRequest, line: str, stderr: bytes) -> str:
        reason = one_line(line.split("\t")[-1].encode())
        if "stale info" in reason:
            return (
                f"{request.remote} moved {request.ref} since it was approved: nothing was pushed; "
                f"fetch, and ask again"
            )
        remote_said = [
            text.removeprefix("remote:").strip()
            for text in stderr.decode("utf-8", "replace").splitlines()
            if text.startswith("remote:")
        ]
        more = one_line(" ".join(remote_said).encode())
        return f"{request.remote} rejected the push: {reason}" + (f" ({more})" if more else "")

    # --- the remote

    def url_of(self, remote: str) -> str:
        """Where a push to `remote` goes now. One look at the settings; asks nobody."""
        return self._url(remote).url

    def _url(self, remote: str) -> RemoteUrl:
        found = self._settings()
        return resolve(
            remote,
            [value for _, key, value in found if key == f"remote.{remote}.url"],
            [value for _, key, value in found if key == f"remote.{remote}.pushurl"],
            [_rewrite(*setting) for setting in found if _REWRITE.search(setting[1])],
            self._root,
        )

    def _settings(self) -> list[tuple[str, str, str]]:
        """All settings of remotes and URLs, as triples of scope, key and value."""
        answer = self._user.call(
            "config", "-z", "--show-scope", "--get-regexp", r"^(remote|url)\.", accept=(0, 1)
        )
        fields = [os.fsdecode(field) for field in answer.split(b"\0")[:-1]]
        pairs = zip(fields[::2], fields[1::2], strict=True)
        return [(scope, *_key_and_value(setting)) for scope, setting in pairs]

    def _value(self, url: RemoteUrl, ref: str) -> str:
        """The ref's value at the remote; all zeros when it is not there."""
        try:
            answer = self._with_credentials(url).call("ls-remote", "--refs", url.url, ref)
        except GitFailed as error:
            raise RepositoryRefused(
                f"the remote {url.url} does not answer: {one_line(error.stderr.encode())}"
            ) from error
        for line in answer.decode("utf-8", "replace").splitlines():
            value, _, name = line.partition("\t")
            if name == ref:
                return value
        return self._zeros

    def _with_credentials(self, url: RemoteUrl) -> Runner:
        return self._network.adding(**credential_environment(url))

    def _check_ancestor(self, old: str, commit: str, ref: str) -> None:
        if is_zeros(old):
            return
        git = self._shadow.git
        if git.result("cat-file", "-e", f"{old}^{{commit}}", accept=(0, 1, 128)).code != 0:
            raise RepositoryRefused(
                f"the remote's {ref} has commits that you do not have: fetch and rebase first, "
                f"or push to another branch"
            )
        if git.result("merge-base", "--is-ancestor", old, commit, accept=(0, 1)).code != 0:
            raise RepositoryRefused(
                f"the remote's {ref} is not an ancestor of the commit, and a push is never "
                f"forced: rebase first, or push to another branch"
            )


_REWRITE = re.compile(r"^url\..*\.(insteadof|pushinsteadof)$", re.DOTALL)


def _key_and_value(setting: str) -> tuple[str, str]:
    """A key's name cannot hold a newline; a value is all that follows the first one."""
    key, _, value = setting.partition("\n")
    return key, value


def _rewrite(scope: str, key: str, value: str) -> Rewrite:
    return Rewrite(
        base=key.removeprefix("url.").rpartition(".")[0],
        prefix=value,
        own=scope not in {"local", "worktree"},
        push_only=key.endswith(".pushinsteadof"),
    )
