"""Builders of git repositories for tests, with a home of their own and nothing of the machine's."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from selfheal_tui.adapters.git.patience import Patience
from selfheal_tui.adapters.git.repository import GitRepository, open_repository
from selfheal_tui.agent.ports import Snapshot
from selfheal_tui.core.approval import Answer, Granted, R, answer, key_of
from selfheal_tui.core.tree import REGULAR, TreeChange, TreeFile

HOOKS = (
    "applypatch-msg",
    "commit-msg",
    "fsmonitor-watchman",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "post-merge",
    "post-rewrite",
    "post-update",
    "pre-auto-gc",
    "pre-commit",
    "pre-push",
    "prepare-commit-msg",
    "push-to-checkout",
    "reference-transaction",
    "sendemail-validate",
    "update",
)


@dataclass
class FakeTime:
    """A clock that only `sleep` moves; `then` is called once, at the first sleep."""

    now: float = 0.0
    then: list[object] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.then:
            self.then.pop(0)()  # type: ignore[operator]

    def patience(self) -> Patience:
        return Patience(seconds=10.0, pause=0.5, sleep=self.sleep, clock=lambda: self.now)


@dataclass(frozen=True)
class Repo:
    """A repository in `path`; `environment` is a host's environment with its own HOME."""

    path: Path
    environment: dict[str, str]

    def git(self, *arguments: str, feed: bytes = b"", check: bool = True) -> str:
        """Plain git, as the user would run it."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env=self.environment,
            input=feed,
            capture_output=True,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"git {arguments}: {done.stderr.decode(errors='replace')}")
        return os.fsdecode(done.stdout).strip()

    def clone(self, name: str, *options: str) -> Repo:
        """A clone beside this repository, by URL."""
        target = self.path.parent / name
        self.git("clone", "-q", *options, f"file://{self.path}", str(target))
        return Repo(target, self.environment)

    def write(self, path: str, content: bytes, *, executable: bool = False) -> None:
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        if executable:
            target.chmod(0o755)

    def read(self, path: str) -> bytes:
        return (self.path / path).read_bytes()

    def commit(self, message: str = "a commit") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def files_of(self, commit: str) -> dict[str, bytes]:
        """Path and content of every file of a commit."""
        names = self.git("ls-tree", "-r", "-z", "--name-only", commit).split("\0")
        return {
            name: subprocess.run(
                ["git", "cat-file", "blob", f"{commit}:{name}"],
                cwd=self.path,
                env=self.environment,
                capture_output=True,
                check=True,
            ).stdout
            for name in names
            if name
        }

    def manifest(self) -> dict[str, tuple[int, str]]:
        """Mode and content (hashed) of everything in the worktree but `.git`."""
        return manifest(self.path, leave_out=".git")

    def settled(self) -> dict[str, tuple[int, str]]:
        """The same of `.git`, without objects and reflogs: what a new branch may not touch."""
        whole = manifest(self.path / ".git")
        return {
            name: found
            for name, found in whole.items()
            if not name.startswith(("objects/", "logs/"))
        }

    async def open(self, state: Path, *, patience: Patience | None = None) -> GitRepository:
        return await open_repository(
            self.path,
            state,
            artifacts=("*.pyc", "__pycache__/"),
            environment=self.environment,
            patience=patience or FakeTime().patience(),
        )


def manifest(folder: Path, leave_out: str = "") -> dict[str, tuple[int, str]]:
    """Mode and SHA-256 of the content of all below `folder`."""
    found: dict[str, tuple[int, str]] = {}
    for where, folders, files in os.walk(folder):
        if leave_out in folders:
            folders.remove(leave_out)
        for name in [*files, *folders]:
            path = Path(where, name)
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                content = os.fsencode(path.readlink())
            else:
                content = path.read_bytes() if stat.S_ISREG(mode) else b""
            found[str(path.relative_to(folder))] = (mode, hashlib.sha256(content).hexdigest())
    return found


def make_home(folder: Path) -> dict[str, str]:
    """A host's environment with an empty home that knows who the user is."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Ada Test\n\temail = ada@example.org\n"
        '[init]\n\tdefaultBranch = main\n[protocol "file"]\n\tallow = always\n'
    )
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "LANG": "C.UTF-8",
    }


def make_repo(folder: Path, files: dict[str, bytes] | None = None, *, name: str = "repo") -> Repo:
    """A repository with one commit of `files` (none: not even a commit)."""
    path = folder / name
    path.mkdir()
    repo = Repo(path, make_home(folder))
    repo.git("init", "-q")
    for file, content in (files or {}).items():
        repo.write(file, content)
    if files:
        repo.commit("first")
    return repo


def make_remote(repo: Repo, *, name: str = "origin", bare: str = "remote.git") -> Path:
    """A bare remote beside `repo` that has its current branch."""
    path = repo.path.parent / bare
    repo.git("init", "-q", "--bare", str(path))
    repo.git("remote", "add", name, str(path))
    repo.git("push", "-q", name, "HEAD")
    return path


def write_script(path: Path, marker: Path) -> Path:
    """An executable that leaves its name and arguments in `marker` and passes its input on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\necho "$0 $*" >> "{marker}"\ncat\n')
    path.chmod(0o755)
    return path


def plant_everything(repo: Repo, marker: Path) -> None:
    """All the ways a repository can name a program; each one would write to `marker`."""
    evil = write_script(repo.path / "tools" / "evil", marker)
    for hook in HOOKS:
        write_script(repo.path / ".git" / "hooks" / hook, marker)
        write_script(repo.path / "hooks-in-tree" / hook, marker)
    repo.write(
        ".gitattributes",
        b"*.txt diff=planted merge=planted\n*.dat filter=planted\n*.id ident\n",
    )
    settings = {
        "core.hooksPath": "hooks-in-tree",
        "core.fsmonitor": str(evil),
        "core.pager": str(evil),
        "core.editor": str(evil),
        "core.sshCommand": str(evil),
        "core.gitProxy": str(evil),
        "core.askPass": str(evil),
        "core.alternateRefsCommand": str(evil),
        "credential.helper": str(evil),
        "diff.external": str(evil),
        "diff.planted.command": str(evil),
        "diff.planted.textconv": str(evil),
        "merge.planted.driver": str(evil),
        "filter.planted.clean": str(evil),
        "filter.planted.smudge": str(evil),
        "filter.planted.process": str(evil),
        "filter.planted.required": "true",
        "gpg.program": str(evil),
        "commit.gpgSign": "true",
        "push.gpgSign": "if-asked",
        "sequence.editor": str(evil),
        "alias.rev-parse": f"!{evil}",
        "alias.ls-files": f"!{evil}",
        "remote.origin.uploadpack": str(evil),
        "remote.origin.receivepack": str(evil),
        "uploadpack.packObjectsHook": str(evil),
        "receive.procReceiveRefs": "refs",
        "protocol.ext.allow": "always",
        "trailer.x.command": str(evil),
    }
    for key, value in settings.items():
        repo.git("config", key, value)


def poisoned(environment: dict[str, str], evil: Path, elsewhere: Path) -> dict[str, str]:
    """An environment whose `GIT_*` would lead git astray or start `evil`."""
    return environment | {
        "GIT_DIR": str(elsewhere),
        "GIT_WORK_TREE": str(elsewhere),
        "GIT_INDEX_FILE": str(elsewhere / "index"),
        "GIT_OBJECT_DIRECTORY": str(elsewhere / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(elsewhere / "objects"),
        "GIT_NAMESPACE": "astray",
        "GIT_EXTERNAL_DIFF": str(evil),
        "GIT_SSH_COMMAND": str(evil),
        "GIT_SSH": str(evil),
        "GIT_ASKPASS": str(evil),
        "GIT_EDITOR": str(evil),
        "GIT_PAGER": str(evil),
        "GIT_PROXY_COMMAND": str(evil),
        "GIT_EXEC_PATH": str(evil.parent),
        "GIT_TEMPLATE_DIR": str(elsewhere),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": str(evil),
        "GIT_CONFIG_PARAMETERS": f"'core.fsmonitor={evil}'",
        "GIT_AUTHOR_NAME": "Somebody Else",
        "GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z",
        "GIT_TRACE": str(elsewhere / "trace"),
    }


def granted(request: R) -> Granted[R]:
    """The consent to a request."""
    given = answer(request, Answer(key_of(request), granted=True, by="test"))
    assert given is not None
    return given


def no_reflog_of(repo: Repo, branch: str) -> None:
    """Let the move of a branch fail as late as it can: git locks it and takes the new value, but
    cannot write the reflog in the end, as on a disk that is full by then."""
    reflog = repo.path / ".git" / "logs" / "refs" / "heads" / branch
    reflog.unlink(missing_ok=True)
    reflog.mkdir(parents=True)
    (reflog / "in the way").write_text("")


def change_of(files: dict[str, bytes], deleted: tuple[str, ...] = ()) -> TreeChange:
    """A change that writes regular files and deletes paths."""
    return TreeChange(tuple(TreeFile(p, REGULAR, c) for p, c in files.items()), deleted)


async def commit_change(
    git: GitRepository,
    change: TreeChange,
    *,
    branch: str | None = "selfheal/fix",
    message: str = "Fix it\n",
    snapshot: Snapshot | None = None,
) -> str:
    """Snapshot, change, approve and commit; the commit's id."""
    snapshot = snapshot or await git.snapshot()
    tree = await git.shadow.apply(snapshot.tree, change)
    commit_tree = await git.commit_tree_for(snapshot, tree)
    request = await git.commit_request(snapshot, commit_tree, message, branch=branch)
    return await git.commit(granted(request), snapshot, tree)
