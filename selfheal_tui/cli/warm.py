"""Gets ready what a session needs, before there is a task: each step is told with its state.

What fails here is told, and named as lacking; it raises nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from selfheal_tui.agent.ports import Repository, Shadow, Snapshot
from selfheal_tui.core.detect import detect_checks
from selfheal_tui.core.tree import TreeFile
from selfheal_tui.errors import SelfhealError, UsageError
from selfheal_tui.parts import Parts
from selfheal_tui.ui.conductor import Readied

REPOSITORY, CHECK, MODEL = "repository", "check", "model"
LIBRARY, ENGINE, IMAGE = "model library", "engine", "image"
STEPS = (REPOSITORY, CHECK, MODEL, LIBRARY, ENGINE, IMAGE)
"""In the order in which they are shown."""

_HEADS = "refs/heads/"


@dataclass(frozen=True)
class Needs:
    """What a session would run with, and in which folder. `model` says which model is asked, and
    raises ModelError where none can be; `check` is the command that was named, `no_check` that
    none is wanted."""

    folder: str
    model: Callable[[], str]
    check: str = ""
    no_check: bool = False


@dataclass(frozen=True)
class Ready:
    """How it went: the parts, opened as far as they could be, the tree's paths, and a sentence for
    each thing that is lacking."""

    parts: Parts
    files: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()


async def get_ready(parts: Parts, needs: Needs, tell: Callable[[Readied], None]) -> Ready:
    """Load the model library, read the repository, look at the engine and build the image."""
    warming = _Warming(parts, needs, tell)
    await asyncio.gather(warming.models(), warming.sandbox())
    paths = tuple(file.path for file in warming.files)
    return Ready(warming.parts, paths, tuple(warming.lacking))


class _Warming:
    def __init__(self, parts: Parts, needs: Needs, tell: Callable[[Readied], None]) -> None:
        self.parts = parts
        self.files: Sequence[TreeFile] = ()
        self.lacking: list[str] = []
        self._needs = needs
        self._tell = tell

    async def models(self) -> None:
        if await self._step(MODEL, self._model()):
            await self._step(LIBRARY, self._library())
        else:
            self._wait(LIBRARY, "loaded when there is a model")

    async def sandbox(self) -> None:
        read, engine = await asyncio.gather(self._read(), self._step(ENGINE, self._engine()))
        if not engine:
            self._wait(IMAGE, "needs the engine")
        elif not read:
            self._wait(IMAGE, "needs the repository")
        else:
            await self._step(IMAGE, self._image())

    async def _read(self) -> bool:
        if not await self._step(REPOSITORY, self._repository()):
            self._wait(CHECK, "needs the repository")
            return False
        await self._step(CHECK, self._check())
        return True

    async def _step(self, name: str, work: Awaitable[str]) -> bool:
        """Do one thing, and tell what it found."""
        try:
            found = await work
        except SelfhealError as error:
            self.lacking.append(str(error))
            self._tell(Readied(name, "failed", str(error)))
            return False
        self._tell(Readied(name, "ready", found))
        return True

    def _wait(self, name: str, reason: str) -> None:
        self._tell(Readied(name, "waiting", reason))

    # --- the steps -------------------------------------------------------------------------

    async def _model(self) -> str:
        found = self._needs.model()
        self.parts.models.roles()
        return found

    async def _library(self) -> str:
        self._tell(Readied(LIBRARY, "working", "loading"))
        await self.parts.models.prepare()
        return "loaded"

    async def _repository(self) -> str:
        opened = await self.parts.open_repository()
        repository, shadow, _ = opened

        async def same() -> tuple[Repository, Shadow, tuple[str, ...]]:
            return opened

        self.parts = replace(self.parts, open_repository=same)
        snapshot = await repository.snapshot()
        self.files = await shadow.files(snapshot.tree)
        return f"{self._needs.folder} · {_words(snapshot)}"

    async def _check(self) -> str:
        needs = self._needs
        if needs.no_check:
            return "none, as you chose: nothing will be verified"
        if needs.check:
            return needs.check
        content = {file.path: file.content for file in self.files}
        checks = detect_checks(content, content.__getitem__)
        if not checks:
            raise UsageError("no check command was found in this project")
        guards = "".join(f", after {check.command}" for check in checks[:-1])
        return f"{checks[-1].command} ({checks[-1].source}){guards}"

    async def _engine(self) -> str:
        return await self.parts.provision.reach(lambda text: self._say(ENGINE, text))

    async def _image(self) -> str:
        await self.parts.provision.prepare(self.files, lambda text: self._say(IMAGE, text))
        return self.parts.provision.image

    def _say(self, name: str, text: str) -> None:
        self._tell(Readied(name, "working", text))


def _words(snapshot: Snapshot) -> str:
    branch = snapshot.branch.removeprefix(_HEADS) or "detached"
    files = "1 file" if snapshot.files == 1 else f"{snapshot.files:,} files"
    edited = f" · {len(snapshot.dirty)} with edits of yours" if snapshot.dirty else ""
    return f"{branch} · {files}{edited}"
