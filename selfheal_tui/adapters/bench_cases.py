"""Reads the cases of a bench from disk, and writes a case out as a repository of its own.

Refuses to skip what it cannot read, and to run anything in the folder that the cases come from.
"""

from __future__ import annotations

import gzip
import os
import shutil
import stat
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

from selfheal_tui.core.bench.case import BenchCase, ContentHash, refuse_doubles
from selfheal_tui.core.bench.humaneval import read_humaneval
from selfheal_tui.core.bench.manifest import FILE, read_manifest
from selfheal_tui.core.tree import EXECUTABLE, LINK, REGULAR, TreeFile
from selfheal_tui.errors import SelfhealError, UsageError

_GZIP = b"\x1f\x8b"

MOST_BYTES = 256 * 2**20
"""A file of problems may hold so many bytes, unpacked."""


def read_cases(path: Path) -> tuple[BenchCase, ...]:
    """The cases of a HumanEval file (`.jsonl`, `.jsonl.gz`), or of a folder of repositories.

    Raises UsageError for what cannot be read or is not understood, naming file and line.
    """
    try:
        if path.is_dir():
            return _of_folder(path)
        if path.name.endswith((".jsonl", ".jsonl.gz")):
            return read_humaneval(_unpacked(path), str(path))
    except OSError as error:
        raise UsageError(f"cannot read {error.filename or path}: {error.strerror}") from error
    if not path.exists():
        raise UsageError(f"{path} does not exist")
    raise UsageError(f"{path} is neither a folder of cases nor a .jsonl or .jsonl.gz file")


def make_repository(case: BenchCase, folder: Path) -> None:
    """Make `folder` a repository with one commit of the case's files. What was there goes.

    Raises SelfhealError where that cannot be. Blocks.
    """
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        for file in _files_below(Path(case.folder)) if case.folder else case.files:
            _write(folder, file)
    except OSError as error:
        raise SelfhealError(f"cannot write the case {case.id}: {error}") from error
    # A hook or a template of this machine's user is no part of the case.
    _git(folder, "init", "-q", "--template=", "-b", "main")
    _git(folder, "config", "user.name", "selfheal bench")
    _git(folder, "config", "user.email", "bench@example.invalid")
    _git(folder, "add", "-A")
    _git(folder, "commit", "-q", "--allow-empty", "-m", "The case as it came")


def _unpacked(path: Path) -> bytes:
    with path.open("rb") as file:
        packed = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        try:
            if packed:
                with gzip.open(file) as unpacked:
                    content = unpacked.read(MOST_BYTES + 1)
            else:
                content = file.read(MOST_BYTES + 1)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise UsageError(f"{path} is cut or damaged: {error}") from error
    if len(content) > MOST_BYTES:
        raise UsageError(f"{path} holds more than {MOST_BYTES // 2**20} MiB: no file of problems")
    return content


def _of_folder(path: Path) -> tuple[BenchCase, ...]:
    folders = sorted(entry for entry in path.iterdir() if entry.is_dir())
    cases = refuse_doubles(
        _of_repository(entry) for entry in folders if not entry.name.startswith(".")
    )
    if not cases:
        raise UsageError(f"{path} holds no case: a case is a sub-folder with a {FILE}")
    return cases


def _of_repository(folder: Path) -> BenchCase:
    file = folder / FILE
    if not file.is_file():
        raise UsageError(f"{folder} has no {FILE}, which says `task` and `check`")
    manifest = read_manifest(file.read_bytes(), str(file), folder.name)
    content = ContentHash()
    for found in _files_below(folder):
        content.add(found)
    return BenchCase(
        id=manifest.id,
        task=manifest.task,
        check=manifest.check,
        where=str(file),
        content=content.result(),
        folder=str(folder.resolve()),
        attempts=manifest.attempts,
        sandbox=manifest.sandbox,
    )


def _files_below(folder: Path) -> Iterator[TreeFile]:
    """The files of a case in a fixed order, without its `bench.toml` and any `.git`."""
    for where, folders, names in os.walk(folder, onerror=_refuse):
        links = [name for name in folders if Path(where, name).is_symlink()]
        folders[:] = sorted(name for name in folders if name != ".git" and name not in links)
        for name in sorted([*names, *links]):
            file = Path(where, name)
            path = file.relative_to(folder).as_posix()
            if path != FILE and name != ".git":
                yield _read(file, path)


def _refuse(error: OSError) -> None:
    """A folder that cannot be listed must not look like one with nothing in it."""
    raise error


def _read(file: Path, path: str) -> TreeFile:
    mode = file.lstat().st_mode
    if stat.S_ISLNK(mode):
        return TreeFile(path, LINK, os.fsencode(file.readlink()))
    if not stat.S_ISREG(mode):
        raise UsageError(f"{file} is neither a file nor a link; a case holds nothing else")
    return TreeFile(path, EXECUTABLE if mode & stat.S_IXUSR else REGULAR, file.read_bytes())


def _write(folder: Path, file: TreeFile) -> None:
    target = folder / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    if file.mode == LINK:
        target.symlink_to(os.fsdecode(file.content))
        return
    target.write_bytes(file.content)
    if file.mode == EXECUTABLE:
        target.chmod(0o755)


def _git(folder: Path, *arguments: str) -> None:
    """Run git on a repository that holds nothing but what we put there, as nobody in particular."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "GIT_CONFIG_NOSYSTEM": "1"}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "HOME": str(folder)}
    command = ["git", "-c", "core.hooksPath=/dev/null", *arguments]
    try:
        # A Ctrl-C in the terminal is ours to hear; git must not end by it in the middle.
        subprocess.run(
            command,
            cwd=folder,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise SelfhealError("git is not installed") from error
    except subprocess.CalledProcessError as error:
        raise SelfhealError(f"git {arguments[0]} failed: {error.stderr.strip()}") from error
