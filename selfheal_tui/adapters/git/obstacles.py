"""What forbids to touch the repository: a state it is in, files with a filter, no identity.

Each is a RepositoryRefused that says what to do.
"""

from __future__ import annotations

from collections.abc import Iterable

from selfheal_tui.adapters.git.discovery import Place, in_progress, setting
from selfheal_tui.adapters.git.runner import Runner
from selfheal_tui.adapters.git.shadow import ShadowRepository
from selfheal_tui.errors import RepositoryRefused


def state_against(place: Place) -> str:
    """The sentence for a merge, rebase or the like in progress; empty for none. Starts no git."""
    state = in_progress(place.git_dir)
    return f"a {state} is in progress in {place.root}: finish or abort it first" if state else ""


def check_state(place: Place) -> None:
    """Raises RepositoryRefused while a merge, rebase or the like is in progress."""
    if reason := state_against(place):
        raise RepositoryRefused(reason)


def check_filters(shadow: ShadowRepository, tree: str, paths: Iterable[str], deed: str) -> None:
    """Raises RepositoryRefused when some of `paths` have a filter by the attributes of `tree`.

    `deed` is what cannot be done with them, for the sentence.
    """
    filtered = shadow.filtered(tree, list(paths))
    if filtered:
        names = ", ".join(f"{p!r} ({name})" for p, name in sorted(filtered.items())[:10])
        raise RepositoryRefused(
            f"files with a filter attribute cannot be {deed}, because filters of the "
            f"repository are never run: {names}"
        )


def identity(user: Runner) -> dict[str, str]:
    """The user as author and committer. Raises RepositoryRefused when none is set."""
    name = setting(user, "user.name").strip()
    email = setting(user, "user.email").strip()
    if not name or not email:
        missing = "user.name" if not name else "user.email"
        raise RepositoryRefused(
            f"git does not know who you are: set it with `git config --global {missing} ...`"
        )
    return {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
    }
