from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from selfheal_tui.adapters.git.remote_url import (
    RemoteUrl,
    Rewrite,
    credential_environment,
    resolve,
)
from selfheal_tui.adapters.git.repository import GitRepository
from selfheal_tui.core.approval import PushRequest
from selfheal_tui.errors import RepositoryRefused
from tests.support.repos import (
    Repo,
    change_of,
    commit_change,
    granted,
    make_remote,
    make_repo,
    manifest,
)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = make_repo(tmp_path, {"a": b"1\n"})
    make_remote(repo)
    return repo


@pytest.fixture
def remote(repo: Repo) -> Repo:
    return Repo(repo.path.parent / "remote.git", repo.environment)


@pytest.fixture
async def git(repo: Repo, tmp_path: Path) -> GitRepository:
    return await repo.open(tmp_path / "state")


def refs(repo: Repo) -> dict[str, str]:
    lines = repo.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split(" ") for line in lines)


async def test_exactly_the_commit_goes_to_exactly_the_branch(
    repo: Repo, remote: Repo, git: GitRepository
) -> None:
    repo.git("branch", "private")
    repo.git("config", "--global", "push.followTags", "true")
    before = refs(remote)
    commit = await commit_change(git, change_of({"a": b"2\n"}))
    repo.git("tag", "-a", "v1", "-m", "v1", commit)
    settled = manifest(repo.path)
    request = await git.push_request(commit, "origin", "fix")
    assert request == PushRequest(commit, "origin", str(remote.path), "refs/heads/fix", "0" * 40)
    await git.push(granted(request))
    assert refs(remote) == before | {"refs/heads/fix": commit}
    assert remote.files_of("fix") == {"a": b"2\n"}
    assert manifest(repo.path) == settled
    await git.push(granted(request))


async def test_an_existing_branch_moves_forward(
    repo: Repo, remote: Repo, git: GitRepository
) -> None:
    head = repo.git("rev-parse", "HEAD")
    commit = await commit_change(git, change_of({"a": b"2\n"}))
    request = await git.push_request(commit, "origin", "main")
    assert request.old == head
    await git.push(granted(request))
    assert refs(remote) == {"refs/heads/main": commit}


async def move_remote(repo: Repo, branch: str) -> str:
    other = Repo(repo.path.parent / "remote.git", repo.environment).clone("other")
    other.git("checkout", "-q", "-B", branch)
    other.write("theirs", b"x\n")
    commit = other.commit("theirs")
    other.git("push", "-q", "origin", branch)
    return commit


@pytest.mark.parametrize("branch", ["main", "new"])
async def test_a_remote_that_moved_in_between_is_not_overwritten(
    repo: Repo, remote: Repo, git: GitRepository, branch: str
) -> None:
    commit = await commit_change(git, change_of({"a": b"2\n"}))
    request = await git.push_request(commit, "origin", branch)
    theirs = await move_remote(repo, branch)
    with pytest.raises(RepositoryRefused, match=f"moved refs/heads/{branch} since it was approved"):
        await git.push(granted(request))
    assert refs(remote)[f"refs/heads/{branch}"] == theirs


async def test_a_remote_that_has_more_is_refused(repo: Repo, git: GitRepository) -> None:
    await move_remote(repo, "main")
    commit = await commit_change(git, change_of({"a": b"2\n"}))
    with pytest.raises(RepositoryRefused, match="commits that you do not have"):
        await git.push_request(commit, "origin", "main")


async def test_a_branch_that_went_another_way_is_refused(repo: Repo, git: GitRepository) -> None:
    await move_remote(repo, "main")
    repo.git("fetch", "-q", "origin")
    commit = await commit_change(git, change_of({"a": b"2\n"}))
    with pytest.raises(RepositoryRefused, match="never forced"):
        await git.push_request(commit, "origin", "main")


async def test_the_remotes_reason_for_a_no_is_told_in_one_clean_line(
    repo: Repo, remote: Repo, git: GitRepository
) -> None:
    hook = remote.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\nprintf "policy \\033]52;c;x\\007 says\\nno\\n" >&2\nexit 1\n')
    hook.chmod(0o755)
    commit = await commit_change(git, change_of({"a": b"2\n"}))
    request = await git.push_request(commit, "origin", "fix")
    with pytest.raises(RepositoryRefused) as caught:
        await git.push(granted(request))
    said = str(caught.value)
    assert said.startswith(
        "origin rejected the push: [remote rejected] (pre-receive hook declined)"
    )
    assert said.isprintable()
    assert "policy ]52;c;x says no" in said


async def test_a_remote_that_is_gone_is_a_sentence(
    repo: Repo, remote: Repo, git: GitRepository
) -> None:
    commit = await commit_change(git, change_of({"a": b"2\n"}))
    remote.path.rename(remote.path.with_suffix(".gone"))
    with pytest.raises(RepositoryRefused, match="does not answer"):
        await git.push_request(commit, "origin", "fix")


async def test_a_url_that_changed_after_the_approval_is_not_followed(
    repo: Repo, git: GitRepository
) -> None:
    commit = await commit_change(git, change_of({"a": b"2\n"}))
    request = await git.push_request(commit, "origin", "fix")
    repo.git("remote", "set-url", "origin", "/somewhere/else")
    with pytest.raises(RepositoryRefused, match="not the approved one any more"):
        await git.push(granted(request))


@pytest.mark.parametrize("branch", ["-x", "a..b", "", "a b"])
async def test_a_name_that_no_branch_can_have_is_refused(git: GitRepository, branch: str) -> None:
    with pytest.raises(RepositoryRefused, match="not a name that git allows"):
        await git.push_request("c" * 40, "origin", branch)


async def test_rewriting_by_the_repository_is_refused_and_by_the_user_followed(
    repo: Repo, remote: Repo, git: GitRepository
) -> None:
    commit = await commit_change(git, change_of({"a": b"2\n"}))
    repo.git("remote", "set-url", "origin", "https://host.example/repo.git")
    repo.git(
        "config", "--global", f"url.{remote.path}.pushInsteadOf", "https://host.example/repo.git"
    )
    request = await git.push_request(commit, "origin", "fix")
    assert request.url == str(remote.path)
    await git.push(granted(request))
    assert refs(remote)["refs/heads/fix"] == commit
    repo.git("config", "url.https://evil.example/.insteadOf", "https://host.example/")
    with pytest.raises(RepositoryRefused, match="own configuration sends"):
        await git.push_request(commit, "origin", "fix")


# --- URLs, without any remote

ROOT = Path("/root/of/tree")


def url_of(*urls: str, push: tuple[str, ...] = (), rewrites: tuple[Rewrite, ...] = ()) -> RemoteUrl:
    return resolve("origin", urls, push, rewrites, ROOT)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://host.example/r.git", "https://host.example/r.git"),
        ("http://host.example:8080/r.git", "http://host.example:8080/r.git"),
        ("ssh://git@host.example/r.git", "ssh://git@host.example/r.git"),
        ("git@host.example:o/r.git", "git@host.example:o/r.git"),
        ("host:/srv/r.git", "host:/srv/r.git"),
        ("/srv/r.git", "/srv/r.git"),
        ("../r.git", "/root/of/r.git"),
        ("file:///srv/r.git", "/srv/r.git"),
    ],
)
def test_usual_urls_are_taken(given: str, url: str) -> None:
    assert url_of(given) == RemoteUrl(url)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("ext::sh -c evil", "transport that is not allowed"),
        ("fd::17", "transport that is not allowed"),
        ("git://host.example/r", "transport that is not allowed"),
        ("persistent-https://host.example/r", "transport that is not allowed"),
        ("-oProxyCommand=evil", "holds what no URL should"),
        ("ssh://-oProxyCommand=evil/r", "names no host"),
        ("https:///r", "names no host"),
        ("https://host/\x1b[2J", "holds what no URL should"),
        ("", "holds what no URL should"),
        (".", "inside the working tree"),
        ("/root/of/tree/sub/remote.git", "inside the working tree"),
        ("file:///root/of/tree", "inside the working tree"),
    ],
)
def test_other_urls_are_refused(given: str, reason: str) -> None:
    with pytest.raises(RepositoryRefused, match=reason):
        url_of(given)


def test_a_remote_that_is_none_or_several_is_refused() -> None:
    with pytest.raises(RepositoryRefused, match="there is no remote 'origin'"):
        url_of()
    with pytest.raises(RepositoryRefused, match="several push URLs") as caught:
        url_of("/x", push=("https://u:secret@a.example/r", "/b"))
    assert "secret" not in str(caught.value)
    assert url_of("/x", "/y", push=("/b",)) == RemoteUrl("/b")


def test_the_longest_rewriting_counts_and_only_once() -> None:
    short = Rewrite("/short/", "gh:", own=True, push_only=False)
    longer = Rewrite("/longer/", "gh:o/", own=True, push_only=False)
    push = Rewrite("/push/", "gh:", own=True, push_only=True)
    assert url_of("gh:o/r", rewrites=(longer, short)) == RemoteUrl("/longer/r")
    assert url_of("gh:o/r", rewrites=(longer, short, push)) == RemoteUrl("/push/o/r")
    assert url_of("/x", push=("gh:r",), rewrites=(short, push)) == RemoteUrl("/short/r")
    again = Rewrite("/again", "/short", own=True, push_only=False)
    with pytest.raises(RepositoryRefused, match="rewritten twice"):
        url_of("gh:r", rewrites=(short, again))


def test_a_password_is_never_shown_and_goes_by_the_environment() -> None:
    remote = url_of("https://x-token:s%2Fecret@host.example:8443/r.git")
    assert remote == RemoteUrl("https://host.example:8443/r.git", "x-token", "s/ecret")
    environment = credential_environment(remote)
    assert environment["GIT_CONFIG_KEY_0"] == "credential.https://host.example:8443.helper"
    assert "ecret" not in environment["GIT_CONFIG_VALUE_0"]
    assert environment["SELFHEAL_PASSWORD"] == "s/ecret"
    assert credential_environment(RemoteUrl("https://host.example/r")) == {}


class _Remote(BaseHTTPRequestHandler):
    """An empty repository behind a password; keeps what came in `seen` of its server."""

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "")
        self.server.seen.append(given)  # type: ignore[attr-defined]
        if not given:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        refs_line = b"0" * 40 + b" capabilities^{}\0\n"
        body = b"001e# service=git-upload-pack\n0000%04x%s0000" % (len(refs_line) + 4, refs_line)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Remote)
    server.seen = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_password_in_the_url_reaches_the_remote_and_nobody_else(
    repo: Repo, git: GitRepository, server: ThreadingHTTPServer
) -> None:
    host = f"127.0.0.1:{server.server_port}"
    repo.git("remote", "set-url", "origin", f"http://robot:s3cret@{host}/r.git")
    request = await git.push_request("c" * 40, "origin", "fix")
    assert request.url == f"http://{host}/r.git"
    expected = "Basic " + base64.b64encode(b"robot:s3cret").decode()
    assert server.seen == ["", expected]  # type: ignore[attr-defined]


async def test_the_users_own_credential_helper_is_asked(
    repo: Repo, git: GitRepository, server: ThreadingHTTPServer
) -> None:
    repo.git("remote", "set-url", "origin", f"http://127.0.0.1:{server.server_port}/r.git")
    helper = "!printf 'username=%s\\npassword=%s\\n' ada own; :"
    repo.git("config", "--global", "credential.helper", helper)
    repo.git("config", "credential.helper", "!printf 'username=x\\npassword=planted\\n'; :")
    await git.push_request("c" * 40, "origin", "fix")
    expected = "Basic " + base64.b64encode(b"ada:own").decode()
    assert server.seen == ["", expected]  # type: ignore[attr-defined]


async def test_without_a_password_nobody_is_asked(
    repo: Repo, git: GitRepository, server: ThreadingHTTPServer
) -> None:
    repo.git("remote", "set-url", "origin", f"http://127.0.0.1:{server.server_port}/r.git")
    repo.git("config", "credential.helper", "!echo password=planted; echo username=x; :")
    with pytest.raises(RepositoryRefused, match="terminal prompts disabled"):
        await git.push_request("c" * 40, "origin", "fix")
    assert server.seen == [""]  # type: ignore[attr-defined]
