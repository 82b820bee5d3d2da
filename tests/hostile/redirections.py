"""Repositories whose git folder, settings or objects lead somewhere else: to a neighbour, to HOME,
to a decoy remote. `REDIRECTIONS` holds them by name."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
from pathlib import Path

from tests.hostile.repositories import STATUS, Plant, Trap, also, file, naming, payload, setting
from tests.hostile.scene import Scene


def neighbour_of(scene: Scene) -> Path:
    """A repository of the user's beside this one, with the same history; its git folder."""
    there = scene.neighbour / "project"
    if not there.exists():
        scene.git("clone", "-q", str(scene.repository), str(there))
    return there / ".git"


def git_file(scene: Scene) -> None:
    """`.git` becomes a file that names the neighbour's."""
    target = neighbour_of(scene)
    scene.git_dir.rename(scene.folder / "gone")
    scene.git_dir.write_text(f"gitdir: {target}\n")
    scene.git_dir = target


def git_link(scene: Scene) -> None:
    target = neighbour_of(scene)
    scene.git_dir.rename(scene.folder / "gone")
    scene.git_dir.symlink_to(target)
    scene.git_dir = target


def common_dir(scene: Scene) -> None:
    """`.git/commondir`, which git follows although nothing needs it there."""
    shutil.copy(scene.git_dir / "info" / "exclude", neighbour_of(scene) / "info" / "exclude")
    (scene.git_dir / "commondir").write_text(f"{neighbour_of(scene)}\n")


def worktree_elsewhere(scene: Scene) -> None:
    scene.git("config", "core.worktree", str(scene.neighbour))


def linked(name: str) -> Plant:
    """This part of `.git` is a link to that of a neighbour."""

    def plant(scene: Scene) -> None:
        target = neighbour_of(scene) / name
        place = scene.git_dir / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copytree(place, target) if place.is_dir() else target.mkdir()
        if place.is_dir():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)

    return plant


def log_into_home(name: str) -> Plant:
    """A reflog that is a link to what a shell reads at its start."""

    def plant(scene: Scene) -> None:
        (scene.home / ".bashrc").write_text("# mine\n")
        log = scene.git_dir / "logs" / name
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        log.symlink_to(scene.home / ".bashrc")

    return plant


def alternates(scene: Scene) -> None:
    """The neighbour's objects in place of its own."""
    target = neighbour_of(scene) / "objects"
    shutil.rmtree(scene.git_dir / "objects")
    (scene.git_dir / "objects" / "info").mkdir(parents=True)
    (scene.git_dir / "objects" / "info" / "alternates").write_text(f"{target}\n")


def replaced(scene: Scene) -> None:
    """Replacements and grafts: another history than the one that is there."""
    head = scene.git("rev-parse", "HEAD")
    tree = scene.git("rev-parse", "HEAD^{tree}")
    other = scene.git("commit-tree", tree, "-m", "another history")
    scene.git("replace", head, other)
    (scene.git_dir / "info" / "grafts").write_text(f"{head} {other}\n")


def lying_graph(scene: Scene) -> None:
    """The remote's main has a commit of somebody else, and a commit-graph says that ours is on
    top of it: a push that believes this would throw theirs away."""
    theirs = scene.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "theirs")
    scene.git("commit", "--allow-empty", "-qm", "ours")
    ours = scene.git("rev-parse", "HEAD")
    scene.git("push", "-q", "origin", f"{theirs}:refs/heads/healed")
    scene.git("fetch", "-q", "origin")
    scene.git("commit-graph", "write", "--reachable")
    file = scene.git_dir / "objects" / "info" / "commit-graph"
    file.chmod(0o644)
    file.write_bytes(_with_parent(file.read_bytes(), ours, theirs))


def _with_parent(graph: bytes, child: str, parent: str) -> bytes:
    """A commit-graph in which `child` has `parent` as its only one, and a higher generation."""
    chunks = {
        graph[at : at + 4]: struct.unpack(">Q", graph[at + 4 : at + 12])[0]
        for at in range(8, 8 + 12 * graph[6], 12)
    }
    names, data = chunks[b"OIDL"], chunks[b"CDAT"]
    (count,) = struct.unpack(">I", graph[chunks[b"OIDF"] + 1020 : chunks[b"OIDF"] + 1024])
    order = [graph[names + 20 * at : names + 20 * at + 20].hex() for at in range(count)]
    changed = bytearray(graph[:-20])
    at = data + 36 * order.index(child) + 20
    (generation,) = struct.unpack(">I", changed[at + 8 : at + 12])
    changed[at : at + 4] = struct.pack(">I", order.index(parent))
    changed[at + 8 : at + 12] = struct.pack(">I", generation + (2 << 2))
    if b"GDA2" in chunks:
        # Dates of ours that are late enough for any parent.
        place = chunks[b"GDA2"] + 4 * order.index(child)
        changed[place : place + 4] = struct.pack(">I", 1000)
    return bytes(changed) + hashlib.sha1(changed).digest()


def foreign(scene: Scene) -> None:
    """Everything of it belongs to somebody else. Needs root."""
    scene.git("config", "safe.directory", "*")
    for place, folders, files in os.walk(scene.repository):
        for name in [*folders, *files]:
            os.lchown(Path(place, name), 12345, 12345)
    os.lchown(scene.repository, 12345, 12345)


def tags(scene: Scene) -> None:
    scene.git("tag", "-a", "v1", "-m", "a tag that would go along")


def planted_link(scene: Scene) -> None:
    """The changed file is a link out of the tree."""
    (scene.home / "profile").write_text("b\n")
    (scene.repository / "b.txt").unlink()
    (scene.repository / "b.txt").symlink_to(scene.home / "profile")


NOT_FOLLOWED = "which is not followed"

REDIRECTIONS: dict[str, Trap] = {
    "a .git file that names a neighbour": Trap(git_file, refused="does not point back"),
    "a .git link to a neighbour": Trap(git_link, refused="does not follow"),
    "a commondir that names a neighbour": Trap(common_dir, refused="commondir"),
    "a working tree elsewhere": Trap(worktree_elsewhere, refused="does not follow"),
    "objects that are a link": Trap(linked("objects"), refused="leads out of"),
    "refs that are a link": Trap(linked("refs"), refused="leads out of"),
    "branches that are a link": Trap(linked("refs/heads"), refused="leads out of"),
    "branches of selfheal that are a link": Trap(
        linked("refs/heads/selfheal"), refused="leads out of"
    ),
    "logs that are a link": Trap(linked("logs"), refused="leads out of"),
    "an index that is a link": Trap(linked("index"), refused="not a regular file"),
    "a reflog of the branch that is a link to HOME": Trap(
        log_into_home("refs/heads/main"), refused="leads out of"
    ),
    "a reflog of HEAD that is a link to HOME": Trap(log_into_home("HEAD"), refused="leads out of"),
    "a reflog of a new branch that is a link to HOME": Trap(
        log_into_home("refs/heads/selfheal/fix"), refused="leads out of"
    ),
    "objects of a neighbour": Trap(alternates),
    "replaced objects and grafts": Trap(replaced),
    "a commit-graph that lies": Trap(lying_graph, refused="not an ancestor"),
    "another owner": Trap(foreign, refused="belongs to another user"),
    "pushes sent elsewhere": Trap(
        setting("url.{decoy}.pushInsteadOf", "{remote}"), refused=NOT_FOLLOWED
    ),
    "everything sent elsewhere": Trap(
        setting("url.{decoy}.insteadOf", "{remote}"), refused=NOT_FOLLOWED
    ),
    "pushes sent elsewhere by an include": Trap(
        also(
            setting("include.path", "../evil.gitconfig"),
            lambda scene: scene.write(
                "evil.gitconfig", f'[url "{scene.decoy}"]\n\tpushInsteadOf = {scene.remote}\n'
            ),
        ),
        refused=NOT_FOLLOWED,
    ),
    "several push URLs": Trap(
        also(
            setting("remote.origin.pushurl", "{remote}"),
            setting("remote.origin.pushurl", "{decoy}"),
        ),
        refused="several push URLs",
    ),
    "several URLs": Trap(setting("remote.origin.url", "{decoy}"), refused="several push URLs"),
    "a push of everything by force": Trap(
        also(
            tags,
            setting("remote.origin.push", "+refs/heads/*:refs/heads/*"),
            setting("remote.origin.push", "+refs/tags/*:refs/tags/*"),
            setting("remote.origin.mirror", "true"),
            setting("push.default", "matching"),
            setting("push.followTags", "true"),
            setting("remote.pushDefault", "{decoy}"),
            setting("branch.main.pushRemote", "{decoy}"),
            setting("push.pushOption", "force"),
        )
    ),
    "a remote inside the tree": Trap(
        also(
            lambda scene: scene.git("clone", "-q", "--bare", ".", "inside.git") and None,
            lambda scene: payload(scene, "pre-receive", "inside.git/hooks") and None,
            setting("remote.evil.url", "inside.git"),
        ),
        (("push", "evil", "HEAD:refs/heads/x"),),
        "lies inside the working tree",
        "evil",
    ),
    "a changed file that is a link to HOME": Trap(planted_link, refused="b.txt"),
    "rules that are read from HOME": Trap(
        also(
            setting("core.excludesFile", "~/.netrc"),
            setting("core.attributesFile", "~/.ssh/id_ed25519"),
            file(".git/info/exclude", ".env\n"),
        )
    ),
    "settings that name a helper of status": Trap(
        also(naming("core.fsmonitor"), setting("core.untrackedCache", "true")), (STATUS,)
    ),
}
"""Whatever leads elsewhere, by what it is called."""
