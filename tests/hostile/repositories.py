"""Repositories that name programs: every setting and file by which git can be made to run one.

`PROGRAMS` holds them by name. Each payload leaves a mark in the scene's `ran` folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.scene import Scene
from tests.support.repos import HOOKS

FILES = {
    "a.txt": "a\n",
    "b.txt": "b\n",
    "d/c.txt": "c\n",
    "x.dat": "data\n",
    "check.sh": "grep -qx healed b.txt || { echo FAIL: not healed; exit 1; }\n",
}
Plant = Callable[[Scene], Mapping[str, str] | None]
Spring = tuple[str, ...]


@dataclass(frozen=True)
class Trap:
    """`plant` puts it into a scene, and may give variables of the environment. `springs` are the
    plain git commands that set it off (one is enough), which show that it is armed; a leading
    `<text` is what the command is fed. `refused` are words of the sentence that refuses it, empty
    where everything works. `remote` is what is pushed to, `start` the folder to start in."""

    plant: Plant
    springs: tuple[Spring, ...] = ()
    refused: str = ""
    remote: str = "origin"
    start: str = "."


STATUS: Spring = ("status",)
ADD: Spring = ("add", "-A")
DIFF: Spring = ("diff",)
COMMIT: Spring = ("commit", "--allow-empty", "-m", "x")


def payload(scene: Scene, name: str, folder: str = "tools") -> Path:
    """A payload in the worktree."""
    return scene.payload(scene.repository / folder / name, name)


def config(scene: Scene, **settings: str) -> None:
    """Settings of the repository; `__` stands for a dot."""
    for key, value in settings.items():
        scene.git("config", "--add", key.replace("__", "."), value)


def naming(*keys: str, before: str = "") -> Plant:
    """Settings whose value is a payload; `before` goes ahead of its path."""

    def plant(scene: Scene) -> None:
        for key in keys:
            name = key.rpartition(".")[2]
            scene.git("config", key, f"{before}{payload(scene, name)}")

    return plant


def dirty(scene: Scene) -> None:
    """Something that a diff has to show."""
    scene.write("a.txt", "a by hand\n")


def also(*plants: Plant) -> Plant:
    """All of these, one after the other."""

    def plant(scene: Scene) -> dict[str, str]:
        environment: dict[str, str] = {}
        for one in plants:
            environment.update(one(scene) or {})
        return environment

    return plant


def file(path: str, text: str) -> Plant:
    """A file of the worktree (`.git/...` too); `{ran}` stands for the folder of marks."""

    def plant(scene: Scene) -> None:
        scene.write(path, text.replace("{ran}", str(scene.ran)))

    return plant


def setting(key: str, value: str) -> Plant:
    """One setting; `{ran}`, `{remote}` and `{decoy}` stand for these folders."""

    def plant(scene: Scene) -> None:
        scene.git("config", "--add", _filled(scene, key), _filled(scene, value))

    return plant


def _filled(scene: Scene, text: str) -> str:
    for name, folder in (("ran", scene.ran), ("remote", scene.remote), ("decoy", scene.decoy)):
        text = text.replace(f"{{{name}}}", str(folder))
    return text


def hooks_of_git(scene: Scene) -> None:
    for hook in HOOKS:
        payload(scene, hook, ".git/hooks")


def hooks_in_tree(scene: Scene) -> None:
    for hook in HOOKS:
        payload(scene, hook, "hooks")
    scene.git("config", "core.hooksPath", "hooks")


def everything_in(path: str) -> Plant:
    """A configuration file in the worktree or in `.git` that names payloads."""

    def plant(scene: Scene) -> None:
        evil = payload(scene, "included")
        text = (
            f"[core]\n\tfsmonitor = {evil}\n\thooksPath = hooks\n\tsshCommand = {evil}\n"
            f"[diff]\n\texternal = {evil}\n[credential]\n\thelper = {evil}\n"
            f'[filter "planted"]\n\tclean = {evil}\n\tsmudge = {evil}\n'
            f'[url "{scene.decoy}"]\n\tpushInsteadOf = nothing-of-ours\n'
        )
        scene.write(path, text)

    return plant


def config_based_hooks(scene: Scene) -> None:
    """The hooks that newer versions of git take from settings."""
    for event in ("reference-transaction", "post-index-change", "pre-push", "pre-commit"):
        evil = payload(scene, event)
        config(scene, **{f"hook__{event}__event": event, f"hook__{event}__command": str(evil)})


def nested(scene: Scene) -> None:
    """A nested repository, a gitlink with its own configuration, and a `.gitmodules` that runs."""
    evil = payload(scene, "nested")
    for name in ("vendor/nested", "vendor/linked"):
        folder = scene.repository / name
        folder.mkdir(parents=True)
        scene.git("init", "-q", at=folder)
        scene.git("config", "user.name", "x", at=folder)
        scene.git("config", "user.email", "x@example.invalid", at=folder)
        (folder / "inside.txt").write_text("inside\n")
        scene.git("add", "-A", at=folder)
        scene.git("commit", "-qm", "inside", at=folder)
        scene.git("config", "core.fsmonitor", str(evil), at=folder)
        payload(scene, "post-index-change", f"{name}/.git/hooks")
        (folder / "inside.txt").write_text("inside, by hand\n")
    scene.write(
        ".gitmodules",
        '[submodule "l"]\n\tpath = vendor/linked\n\turl = ./vendor/linked\n'
        f"\tupdate = !{evil}\n\tignore = none\n",
    )
    head = scene.git("rev-parse", "HEAD", at=scene.repository / "vendor" / "linked")
    scene.git("update-index", "--add", "--cacheinfo", f"160000,{head},vendor/linked")
    scene.git("add", ".gitmodules")
    scene.git("commit", "-qm", "A submodule")
    config(scene, submodule__recurse="true", push__recurseSubmodules="on-demand")
    config(scene, status__submoduleSummary="true", submodule__l__update=f"!{evil}")


def buried(scene: Scene) -> None:
    """A folder of the tree that git takes for a bare repository."""
    evil = payload(scene, "buried")
    folder = scene.repository / "buried"
    for name in ("objects", "refs"):
        (folder / name).mkdir(parents=True)
    scene.write("buried/HEAD", "ref: refs/heads/main\n")
    scene.write(
        "buried/config",
        "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ..\n"
        f"\tfsmonitor = {evil}\n",
    )


def inherited(scene: Scene) -> Mapping[str, str]:
    """Variables of git that lead astray, or name programs."""
    evil, astray = payload(scene, "inherited"), str(scene.neighbour / "x")
    folders = ("DIR", "WORK_TREE", "OBJECT_DIRECTORY", "INDEX_FILE", "COMMON_DIR", "TEMPLATE_DIR")
    programs = ("EXTERNAL_DIFF", "SSH_COMMAND", "SSH", "ASKPASS", "EDITOR", "PAGER")
    return {
        **{f"GIT_{name}": astray for name in folders},
        **{f"GIT_{name}": str(evil) for name in programs},
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": str(evil),
        "GIT_CONFIG_PARAMETERS": f"'core.fsmonitor={evil}'",
        "GIT_CONFIG_GLOBAL": str(scene.repository / "evil.gitconfig"),
        "GIT_EXEC_PATH": str(evil.parent),
        "GIT_NAMESPACE": "astray",
        "GIT_TRACE": str(scene.neighbour / "trace"),
        "GIT_TRACE2_EVENT": str(scene.neighbour / "trace2"),
        "GIT_ALLOW_PROTOCOL": "ext",
        "GIT_REDIRECT_STDERR": str(scene.neighbour / "stderr"),
    }


NAMES = """
git docker ssh sh bash env python python3 uname id ldconfig gcc cc ld objdump file hostname stty
tput less vi nano gpg ssh-askpass xdg-open notify-send ps lsof locale rg node git-remote-https
docker-credential-desktop docker-credential-pass git-receive-pack git-upload-pack git-remote-evil
"""
"""Programs that some library, or git, might look for."""


def programs_on_path(scene: Scene) -> Mapping[str, str]:
    """Programs of the tree where a careless PATH would find them first."""
    for name in NAMES.split():
        payload(scene, name, ".")
        payload(scene, name, "bin")
    (scene.home / ".docker").mkdir()
    (scene.home / ".docker" / "config.json").write_text('{"credsStore": "desktop"}')
    config(scene, remote__origin__vcs="evil")
    path = scene._environment()["PATH"]
    return {"PATH": f".::bin:{scene.repository}/bin:./bin:{path}:"}


def filtered(attribute: str, *where: str) -> Plant:
    """The planted filter for files of this pattern, by these attribute files."""
    return also(
        naming("filter.planted.clean", "filter.planted.smudge", "filter.planted.process"),
        setting("filter.planted.required", "true"),
        *(file(path, f"{attribute} filter=planted\n") for path in where),
        file("x.dat", "data by hand\n"),
    )


TEXT = file(".gitattributes", "*.txt diff=planted merge=planted\n")

PROGRAMS: dict[str, Trap] = {
    "every hook in .git/hooks": Trap(hooks_of_git, (COMMIT,)),
    "core.hooksPath inside the tree": Trap(hooks_in_tree, (COMMIT,)),
    "hooks by settings": Trap(config_based_hooks),
    "a file system monitor": Trap(naming("core.fsmonitor"), (STATUS,)),
    "a textconv": Trap(also(naming("diff.planted.textconv"), TEXT, dirty), (DIFF,)),
    "a diff driver": Trap(also(naming("diff.planted.command"), TEXT, dirty), (DIFF,)),
    "an external diff": Trap(also(naming("diff.external"), dirty), (DIFF,)),
    "a merge driver": Trap(also(naming("merge.planted.driver"), TEXT, dirty)),
    "filters of other files": Trap(filtered("*.dat", ".gitattributes"), (ADD,)),
    "filters of the changed file": Trap(
        filtered("b.txt", ".gitattributes"), refused="filter=planted"
    ),
    "filters by .git/info/attributes": Trap(
        filtered("*", ".git/info/attributes"), (ADD,), "filter=planted"
    ),
    "filters by core.attributesFile": Trap(
        also(
            filtered("*.txt", "evil.attributes"), setting("core.attributesFile", "evil.attributes")
        ),
        refused="filter=planted",
    ),
    "filters by a macro": Trap(
        also(
            filtered("*.dat", ".gitattributes"),
            file(".git/info/attributes", "[attr]quiet filter=planted\nb.txt quiet\n"),
        ),
        refused="filter=planted",
    ),
    "another encoding": Trap(
        file(".gitattributes", "b.txt working-tree-encoding=UTF-16\n"), refused="UTF-16"
    ),
    "an ssh command": Trap(
        also(naming("core.sshCommand"), setting("remote.evil.url", "ssh://127.0.0.1:1/x.git")),
        (("ls-remote", "evil"),),
        "does not answer",
        "evil",
    ),
    "a credential helper and an askpass": Trap(
        also(
            naming("credential.helper", "core.askPass"),
            setting("remote.evil.url", "http://127.0.0.1:1/x.git"),
        ),
        (("<protocol=https\nhost=x\n\n", "credential", "fill"),),
        "does not answer",
        "evil",
    ),
    "signing programs": Trap(
        also(
            naming(
                "gpg.program", "gpg.ssh.program", "gpg.x509.program", "gpg.ssh.defaultKeyCommand"
            ),
            setting("commit.gpgSign", "true"),
            setting("push.gpgSign", "true"),
            setting("tag.gpgSign", "true"),
        ),
        (COMMIT,),
    ),
    "programs of the other side": Trap(
        naming("remote.origin.receivepack", "remote.origin.uploadpack"), (("ls-remote", "origin"),)
    ),
    "a URL that is a program": Trap(
        also(
            naming("remote.evil.url", before="ext::"),
            setting("protocol.ext.allow", "always"),
        ),
        (("ls-remote", "evil"),),
        "transport that is not allowed",
        "evil",
    ),
    "a partial clone that would fetch from a program": Trap(
        also(
            naming("remote.evil.url", before="ext::"),
            setting("protocol.ext.allow", "always"),
            setting("remote.evil.promisor", "true"),
            setting("extensions.partialClone", "evil"),
            lambda scene: scene.git("config", "core.repositoryformatversion", "1") and None,
        ),
        (("cat-file", "-p", "0" * 39 + "1"),),
        "partial clone",
    ),
    "pagers, editors, aliases and commands of refs": Trap(
        also(
            naming("core.pager", "core.editor", "sequence.editor", "core.gitProxy"),
            naming("core.alternateRefsCommand", "uploadpack.packObjectsHook", "trailer.x.command"),
            naming("alias.rev-parse", "alias.ls-files", "alias.x", before="!"),
        ),
        (("x",),),
    ),
    "an include": Trap(
        also(everything_in("evil.gitconfig"), setting("include.path", "../evil.gitconfig")),
        (STATUS,),
    ),
    "includes on conditions": Trap(
        also(
            everything_in("evil.gitconfig"),
            setting("includeIf.gitdir:**.path", "../evil.gitconfig"),
            setting("includeIf.onbranch:**.path", "../evil.gitconfig"),
            setting("includeIf.hasconfig:remote.*.url:**.path", "../evil.gitconfig"),
        ),
        (STATUS,),
    ),
    "a configuration of the worktree": Trap(
        also(setting("extensions.worktreeConfig", "true"), everything_in(".git/config.worktree")),
        (STATUS,),
    ),
    "nested repositories and gitlinks": Trap(nested, (("-C", "vendor/linked", "status"), STATUS)),
    "a buried bare repository": Trap(buried, (("-C", "buried", "status"),)),
    "a start inside a buried bare repository": Trap(
        buried, (("-C", "buried", "status"),), "bare repository", start="buried"
    ),
    "inherited variables of git": Trap(inherited),
    "programs of the tree on a careless PATH": Trap(programs_on_path),
    "a tree that is said to be safe": Trap(
        also(setting("safe.directory", "*"), setting("safe.bareRepository", "all"))
    ),
}
"""Whatever can be made to run, by what it is called."""
