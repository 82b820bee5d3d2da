"""Looks whether what git writes for a commit lies in the repository's own git folder.

git follows a link there, whoever made it: a reflog that is a link to a start file of the shell
would be appended to, with words of a commit message. Refuses every link, whatever it leads to, and
a reflog that has a second name, which is the same.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from selfheal_tui.errors import RepositoryRefused

_SHARED = ("objects/info", "objects/pack", "refs/heads", "logs/refs/heads")
_OWN = ("logs/HEAD",)


def check_own_parts(git_dir: Path, common_dir: Path, ref: str = "") -> None:
    """Raises RepositoryRefused where a folder or reflog that a commit writes is a link; with `ref`
    (a full name) also those of this ref."""
    shared = [*_SHARED, *([str(PurePosixPath(ref).parent), f"logs/{ref}"] if ref else [])]
    for folder, parts in ((common_dir, shared), (git_dir, _OWN)):
        for part in parts:
            _check_way(folder, PurePosixPath(part))


def check_common_dir(git_dir: Path, common_dir: Path) -> None:
    """Raises RepositoryRefused where the git folder of a main working tree names another one whose
    objects and refs it takes: only the folder of a linked working tree has a reason to."""
    if git_dir.resolve() != common_dir.resolve():
        raise RepositoryRefused(
            f"{git_dir / 'commondir'} makes {common_dir} the repository that is written to, and "
            f"selfheal does not follow: remove that file if you did not make it"
        )


def _check_way(folder: Path, part: PurePosixPath) -> None:
    """No name on the way from `folder` to `part` may be a link."""
    for name in (*reversed(part.parents), part):
        if (folder / name).is_symlink():
            raise RepositoryRefused(
                f"{folder / name} is a link, which leads out of where git keeps it: what selfheal "
                f"commits would be written there, and it does not follow"
            )
    reflog = folder / part
    if "logs" in part.parts and reflog.is_file() and reflog.stat().st_nlink > 1:
        raise RepositoryRefused(
            f"{reflog} has a second name elsewhere (a hard link), and what git appends would go"
            f" there as well: copy the file, and put the copy in its place"
        )
