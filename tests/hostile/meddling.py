"""What a user does to the repository between an approval and its effects: a command of the shell
for each, what of the host it touches, and whether their work is still there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.scene import Scene

MINE = "My own commit"
WORDS = "my own words, this very moment\n"


@dataclass(frozen=True)
class Meddling:
    """`command` runs in the repository. `touches` are paths below it that the oracle leaves to the
    user. `kept` says whether what the user did is still so."""

    command: str
    touches: tuple[str, ...]
    kept: Callable[[Scene], bool]

    def paths(self, scene: Scene) -> list[Path]:
        return [scene.repository / path for path in self.touches]


def _holds(path: str, words: str) -> Callable[[Scene], bool]:
    return lambda scene: (scene.repository / path).read_text() == words


_GIT = "git -c core.hooksPath=/dev/null"
_LOGS = (".git/HEAD", ".git/logs", ".git/logs/HEAD", ".git/index", ".git/COMMIT_EDITMSG")

MEDDLINGS = {
    "edits a file of the change": Meddling(
        f"printf '{WORDS}' > a.txt", ("a.txt",), _holds("a.txt", WORDS)
    ),
    "edits the file that is to go": Meddling(
        f"mkdir -p d; printf '{WORDS}' > d/old.txt", ("d/old.txt", "d"), _holds("d/old.txt", WORDS)
    ),
    "makes the file that is to come": Meddling(
        f"mkdir -p n; printf '{WORDS}' > n/new.txt", ("n/new.txt", "n"), _holds("n/new.txt", WORDS)
    ),
    "commits on the branch": Meddling(
        f"{_GIT} commit -q --allow-empty -m '{MINE}'",
        _LOGS,
        lambda scene: MINE in scene.git("log", "--all", "--format=%s"),
    ),
    "leaves the branch": Meddling(
        f"{_GIT} checkout -q --detach",
        _LOGS,
        lambda scene: not (scene.git_dir / "HEAD").read_text().startswith("ref:"),
    ),
    "begins a merge": Meddling(
        f"{_GIT} rev-parse HEAD > .git/MERGE_HEAD",
        (".git/MERGE_HEAD",),
        lambda scene: (scene.git_dir / "MERGE_HEAD").exists(),
    ),
    "holds the index": Meddling(
        "touch .git/index.lock",
        (".git/index.lock",),
        lambda scene: (scene.git_dir / "index.lock").exists(),
    ),
}
