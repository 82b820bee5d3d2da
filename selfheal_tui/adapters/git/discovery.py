"""Finds the repository that a folder belongs to, and what is special about it.

Refuses, with the reason: no repository, bare, somebody else's, a partial clone, a `.git` file or a
`core.worktree` that does not point back. Nothing is read from the object store here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from selfheal_tui.adapters.git.environment import find_git, local_environment
from selfheal_tui.adapters.git.objects import zeros
from selfheal_tui.adapters.git.ownparts import check_common_dir, check_own_parts
from selfheal_tui.adapters.git.runner import USER_COMMANDS, GitFailed, Runner
from selfheal_tui.errors import RepositoryRefused

_STATES = (
    ("MERGE_HEAD", "merge"),
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("sequencer", "cherry-pick or revert"),
    ("BISECT_LOG", "bisect"),
)


@dataclass(frozen=True)
class Facts:
    """What the user, and the rest of this package, should know of the repository.

    `branch` is the ref checked out, empty when detached; `head` the commit, all zeros on an unborn
    branch. `in_progress` names a merge, rebase, cherry-pick, revert or bisect, and forbids commits.
    `hooks` and `signing` are what a commit of ours will not run.
    """

    root: str
    git_dir: str
    common_dir: str
    object_format: str
    branch: str
    head: str
    in_progress: str = ""
    shallow: bool = False
    sparse: bool = False
    file_mode: bool = True
    symlinks: bool = True
    auto_crlf: bool = False
    hooks: tuple[str, ...] = ()
    signing: bool = False
    filters: bool = False

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for the user, none when all is plain."""
        said = []
        if self.in_progress:
            said.append(
                f"a {self.in_progress} is in progress: nothing can be committed before it ends"
            )
        if self.hooks:
            said.append(f"hooks will not run: {', '.join(self.hooks)}")
        if self.signing:
            said.append("commits are not signed, although commit.gpgSign is set")
        if self.filters:
            said.append("files with a filter attribute (LFS, encryption) cannot be committed")
        if self.shallow:
            said.append("the clone is shallow: a push may need `git fetch --unshallow` first")
        return tuple(said)


@dataclass(frozen=True)
class Place:
    """Where a repository is: the worktree's root, its git folder, and the one it shares."""

    root: Path
    git_dir: Path
    common_dir: Path
    user: Runner


def find(start: Path, host: Mapping[str, str]) -> Place:
    """The repository around `start`. Raises RepositoryRefused with the reason."""
    if not start.is_dir():
        raise RepositoryRefused(f"{start} is not a folder")
    start = Path(os.path.realpath(start))
    around = _likely_root(start)
    probe = Runner(find_git(host, around), start, local_environment(host, around), USER_COMMANDS)
    root = Path(_ask(probe, start, "--show-toplevel"))
    git_dir = Path(_ask(probe, start, "--absolute-git-dir"))
    common_dir = Path(os.path.realpath(start / _ask(probe, start, "--git-common-dir")))
    environment = local_environment(host, root) | {
        "GIT_DIR": str(git_dir),
        "GIT_WORK_TREE": str(root),
    }
    user = Runner(find_git(host, root), root, environment, USER_COMMANDS)
    place = Place(root, git_dir, common_dir, user)
    _check_pointers(place)
    check_own_parts(git_dir, common_dir)
    _check_complete(user)
    return place


def facts_of(place: Place) -> Facts:
    """The repository as it stands now."""
    user = place.user
    object_format = user.call("rev-parse", "--show-object-format").decode().strip()
    branch, head = head_of(user, object_format)
    return Facts(
        root=str(place.root),
        git_dir=str(place.git_dir),
        common_dir=str(place.common_dir),
        object_format=object_format,
        branch=branch,
        head=head,
        in_progress=in_progress(place.git_dir),
        shallow=(place.common_dir / "shallow").exists(),
        sparse=flag(user, "core.sparseCheckout", default=False),
        file_mode=flag(user, "core.fileMode", default=True),
        symlinks=flag(user, "core.symlinks", default=True),
        auto_crlf=setting(user, "core.autocrlf").lower() in {"true", "input", "yes", "on", "1"},
        hooks=_hooks(place),
        signing=flag(user, "commit.gpgSign", default=False),
        filters=_filters(place),
    )


def head_of(user: Runner, object_format: str) -> tuple[str, str]:
    """The ref checked out (empty when detached) and its commit (all zeros when unborn)."""
    ref = user.call("symbolic-ref", "-q", "HEAD", accept=(0, 1)).decode().strip()
    head = user.call("rev-parse", "--verify", "-q", "HEAD", accept=(0, 1)).decode().strip()
    return ref, head or zeros(object_format)


def in_progress(git_dir: Path) -> str:
    """What kind of unfinished operation the repository is in; empty for none."""
    return next((name for file, name in _STATES if os.path.lexists(git_dir / file)), "")


def setting(user: Runner, name: str, *options: str) -> str:
    """A configuration value as text; empty when it is not set."""
    value = user.call("config", "-z", *options, "--get", name, accept=(0, 1))
    return os.fsdecode(value.split(b"\0")[0])


def flag(user: Runner, name: str, *, default: bool) -> bool:
    """A configuration value as git reads booleans."""
    value = setting(user, name, "--type=bool")
    return value == "true" if value else default


def _likely_root(start: Path) -> Path:
    """The worktree's root before git was asked, so that no git of the worktree answers."""
    return next((path for path in (start, *start.parents) if (path / ".git").exists()), start)


def _ask(probe: Runner, start: Path, option: str) -> str:
    try:
        answer = probe.call("rev-parse", option)
    except GitFailed as error:
        raise RepositoryRefused(_reason(start, error)) from error
    return os.fsdecode(answer[:-1])


def _reason(start: Path, error: GitFailed) -> str:
    said = error.stderr
    if "not a git repository" in said:
        return f"{start} is not in a git repository; start selfheal in one, or run `git init` there"
    if "dubious ownership" in said:
        return (
            f"the repository around {start} belongs to another user; if you trust it, run "
            f"`git config --global --add safe.directory` with its folder"
        )
    if "bare repository" in said or "must be run in a work tree" in said:
        return f"{start} is a bare repository or the inside of one; selfheal needs a working tree"
    return str(error)


def _check_pointers(place: Place) -> None:
    """The root's `.git` must lead to the git folder, and a `.git` file must be pointed back at.

    Otherwise a planted `core.worktree` or `.git` file would make us write somewhere else.
    """
    root, git_dir = place.root, place.git_dir
    dot_git = root / ".git"
    if dot_git.is_symlink() or not dot_git.exists():
        raise RepositoryRefused(
            f"{root} has no .git of its own: core.worktree or a link moves it, "
            f"and selfheal does not follow"
        )
    if dot_git.is_dir():
        if not _same(dot_git, git_dir):
            raise RepositoryRefused(f"{root} is not the working tree of {git_dir}")
        check_common_dir(git_dir, place.common_dir)
    elif git_dir != place.common_dir:
        back = _read_text(git_dir / "gitdir").strip()
        if not back or not _same(git_dir / back, dot_git):
            raise RepositoryRefused(
                f"{dot_git} points to {git_dir}, which does not point back; "
                f"run `git worktree repair`"
            )
    elif not _same(git_dir / setting(place.user, "core.worktree"), root):
        raise RepositoryRefused(
            f"{dot_git} points to {git_dir}, which does not point back; if that is right, run "
            f"`git config core.worktree {root}`"
        )


def _check_complete(user: Runner) -> None:
    """A partial clone would fetch missing objects by the repository's own configuration."""
    found = user.call(
        "config",
        "-z",
        "--get-regexp",
        r"^(extensions\.partialclone|remote\..*\.promisor)$",
        accept=(0, 1),
    )
    if found:
        raise RepositoryRefused(
            "this is a partial clone, whose missing objects git would fetch on its own; "
            "make a full clone (without --filter) and start selfheal there"
        )


def _hooks(place: Place) -> tuple[str, ...]:
    folder = _hooks_folder(place)
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.is_file())
    except OSError:
        return ()
    return tuple(name for name in names if "." not in name and os.access(folder / name, os.X_OK))


def _hooks_folder(place: Place) -> Path:
    """Where the user's own git would look; the runner's setting of it does not count."""
    found = place.user.call(
        "config", "-z", "--show-scope", "--type=path", "--get-all", "core.hooksPath", accept=(0, 1)
    ).split(b"\0")
    scopes_and_values = zip(found[::2], found[1::2], strict=False)
    given = [value for scope, value in scopes_and_values if scope != b"command"]
    return place.root / os.fsdecode(given[-1]) if given else place.common_dir / "hooks"


def _filters(place: Place) -> bool:
    files = (place.root / ".gitattributes", place.common_dir / "info" / "attributes")
    return any("filter=" in _read_text(file) for file in files)


def _read_text(file: Path) -> str:
    """A small file's text; empty when it is missing, a link or not a regular file."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as stream:
        try:
            return stream.read(1 << 20).decode("utf-8", "replace")
        except OSError:
            return ""


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
