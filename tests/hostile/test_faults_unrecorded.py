"""A commit that nobody recorded: the run was killed after the ref had moved and before it could say
so. Whatever is done next, nothing is doubled, nothing is lost, and what is told is true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.hostile.faulted import CURRENT, LOCAL, PUSHED, mending, scenes, session_of, watched
from tests.hostile.forking import heal
from tests.hostile.scene import Scene

DIE = ("tests.hostile.crashing", "die_before", "Committed")
BRANCH = "selfheal/make-the-tests-pass"
EARLIER = "committed {id} to {ref} by the earlier run"
ELSEWHERE = EARLIER + ", not to {wanted} as is asked now, and nothing was done"
USERS = "The user goes on"


@dataclass(frozen=True)
class Case:
    """`first` and `then` are the options of the run that is killed, and of what comes next: it
    takes up, or is a fresh session. `told` is what its outcome says; `branches` and `remote` are
    how often the change is on each branch in the end."""

    first: tuple[str, ...]
    then: tuple[str, ...]
    told: str
    branches: dict[str, int]
    remote: dict[str, int]
    exit_code: int = 0
    resumes: bool = True
    between: Callable[[Scene], object] | None = None


def _commits_on_top(scene: Scene) -> None:
    scene.git("commit", "-q", "--allow-empty", "-m", USERS)


ON_BRANCH = {"main": 0, BRANCH: 1}
ON_MAIN = {"main": 1}
NOT_PUSHED = {"main": 0}
HEALED = {"main": 0, "healed": 1}

CASES = {
    "another branch is wanted now": Case(
        PUSHED, ("--branch", "other", *PUSHED), ELSEWHERE.replace("{wanted}", "other"),
        ON_BRANCH, NOT_PUSHED, 6,
    ),
    "the current branch is wanted now": Case(
        PUSHED, CURRENT, ELSEWHERE.replace("{wanted}", "main"), ON_BRANCH, NOT_PUSHED, 6
    ),
    "another branch than the current one is wanted now": Case(
        CURRENT, ("--branch", "other", *PUSHED), ELSEWHERE.replace("{wanted}", "other"),
        ON_MAIN, NOT_PUSHED, 6,
    ),
    "the push is wanted elsewhere now": Case(
        PUSHED, ("--push", "origin/elsewhere"), EARLIER + ", pushed to origin/elsewhere",
        ON_BRANCH, {"main": 0, "elsewhere": 1},
    ),
    "no push is wanted now": Case(
        CURRENT, ("--current-branch",), EARLIER + "; nothing was pushed", ON_MAIN, NOT_PUSHED
    ),
    "the user committed on top of it": Case(
        CURRENT, CURRENT, EARLIER + ", pushed to origin/healed", ON_MAIN, HEALED,
        between=_commits_on_top,
    ),
    "the user committed beside it": Case(
        PUSHED, PUSHED, EARLIER + ", pushed to origin/healed", ON_BRANCH, HEALED,
        between=_commits_on_top,
    ),
    "the user deleted its branch": Case(
        PUSHED, PUSHED, "committed {id} to {ref}, pushed to origin/healed", ON_BRANCH, HEALED,
        between=lambda scene: scene.git("branch", "-D", BRANCH),
    ),
    "the user took it back and kept its files": Case(
        CURRENT, CURRENT, "committed {id} to {ref}, pushed to origin/healed", ON_MAIN, HEALED,
        between=lambda scene: scene.git("reset", "-q", "--soft", "HEAD^"),
    ),
    "a fresh session beside it": Case(
        PUSHED, PUSHED, "committed {id} to {ref}-2, pushed to origin/healed",
        ON_BRANCH | {f"{BRANCH}-2": 1}, HEALED, resumes=False,
    ),
    "a fresh session on top of it": Case(
        CURRENT, CURRENT, "`sh check.sh` passes already: nothing to heal",
        ON_MAIN, NOT_PUSHED, resumes=False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_commit_that_nobody_recorded_is_found_and_told_truly(tmp_path, forks, name):
    case, scene = CASES[name], next(scenes(tmp_path))
    with mending() as server, watched(scene, server, mine=USERS) as oracle:
        line = heal(server.base_url, *LOCAL, *case.first)
        killed, moment = forks.run(scene, *line, spoil=DIE)
        assert (killed.exit_code, moment) == (-9, "Committed")
        broken = oracle.broken(killed)
        if case.between:
            case.between(scene)
            oracle.user_acted()
        line = heal(server.base_url, *LOCAL, *case.then)
        if case.resumes:
            session = session_of(scene, tmp_path / "look")
            line = (*line[:-1], "--resume", session)
        ran, _ = forks.run(scene, *line)
        broken += oracle.broken(ran)
    ref = "main" if "--current-branch" in case.first else BRANCH
    of = f"{BRANCH}-2" if f"{BRANCH}-2" in case.branches else ref
    made = scene.git("log", "--grep", "Mend it", "--format=%h", "--abbrev=12", of)
    told = case.told.format(id=made, ref=ref)
    assert (ran.exit_code, ran.result["text"][: len(told)]) == (case.exit_code, told)
    assert _often(scene.git) == case.branches
    assert _often(scene.remote_git) == case.remote
    assert (scene.repository / "notes.txt").read_text() == "notes\nmy own words\n"
    assert scene.git("status", "--short") == "M notes.txt"
    assert broken == []


def _often(git: Callable[..., str]) -> dict[str, int]:
    """How many commits of the change each branch has."""
    names = git("for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()
    return {name: git("log", "--format=%s", name).splitlines().count("Mend it") for name in names}
