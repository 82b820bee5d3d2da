"""The private copy of the tree: a sandbox, and its mirror in the shadow repository.

One tree moves here: `sync` reads what commands changed, `restore` goes back. A sandbox that is
lost is replaced by a fresh one with the last synced tree. Refuses to touch the user's files.
"""

from __future__ import annotations

import codecs
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import PurePosixPath

from selfheal_tui.agent.ports import CommandResult, Emit, OpenSandbox, Sandbox, Shadow
from selfheal_tui.core.events import (
    CommandEnded,
    CommandPrinted,
    CommandStarted,
    SandboxOpened,
    SandboxWasLost,
    TreeChanged,
)
from selfheal_tui.core.patch import file_counts
from selfheal_tui.core.tree import Scan, TreeChange
from selfheal_tui.errors import SandboxError, SandboxLost, TreeRejected

MAX_REPLACEMENTS = 5
SHOWN_OUTPUT = 1024 * 1024
"""Bytes of a command's output that become events; the result's own cut is the sandbox's."""

LONGEST_LINE = 8 * 1024
"""Characters after which an unfinished line is shown all the same."""

_MAX_PATCH = 1024 * 1024

Heard = Callable[[str, CommandResult, str], None]
"""Hears a command of the model's, how it ended, and the tree that it left."""


class Workspace:
    """Owns the session's sandbox. `tree` is the last synced tree, `base` the untouched one.

    `mark` begins the ids of its commands, where there are others at the same time.
    """

    def __init__(
        self,
        *,
        open_sandbox: OpenSandbox,
        shadow: Shadow,
        base: str,
        place: str,
        emit: Emit,
        mark: str = "",
    ) -> None:
        self._mark = mark
        self._open_sandbox = open_sandbox
        self._shadow = shadow
        self._place = place
        self._emit = emit
        self._sandbox: Sandbox | None = None
        self._replacements = 0
        self._ids = itertools.count(1)
        self._ran: tuple[str, CommandResult] | None = None
        self._rules: frozenset[str] = frozenset()
        self.heard: Heard | None = None
        self.base = base
        self.tree = base

    @property
    def sandbox(self) -> Sandbox:
        if self._sandbox is None:
            raise SandboxError("the sandbox is not open")
        return self._sandbox

    def beside(self, mark: str, emit: Emit) -> Workspace:
        """Another copy of the tree as it is now, in a sandbox of its own that is yet to open."""
        return Workspace(
            open_sandbox=self._open_sandbox,
            shadow=self._shadow,
            base=self.tree,
            place=self._place,
            emit=emit,
            mark=mark,
        )

    async def changed(self) -> tuple[str, ...]:
        """The paths that differ between `base` and `tree`."""
        change = await self._shadow.change(self.base, self.tree)
        return tuple(sorted((*change.deleted, *(file.path for file in change.written))))

    async def open(self) -> None:
        """Open the sandbox and fill it with `tree`; once more where it is lost at once, as when the
        engine restarts."""
        try:
            self._sandbox = await self._filled(self.tree)
        except SandboxLost as lost:
            self._emit(SandboxWasLost(str(lost)))
            self._sandbox = await self._filled(self.tree)
        self._rules = frozenset()
        facts = self._sandbox.facts
        self._emit(
            SandboxOpened(
                facts.kind,
                facts.profile,
                facts.isolation,
                facts.image,
                facts.image_id,
                facts.network,
                facts.container,
            )
        )

    async def reopen(self, place: str) -> None:
        """Change over to a fresh sandbox with the tree as it is now, as from another image."""
        await self.sync_or_drop()
        await self.close()
        self._place = place
        await self.open()

    async def close(self) -> None:
        sandbox, self._sandbox = self._sandbox, None
        if sandbox is not None:
            await sandbox.close()

    async def run(
        self,
        command: str,
        *,
        purpose: str,
        timeout: float,
        shell_state: bool = True,
        sandbox: Sandbox | None = None,
    ) -> tuple[str, CommandResult]:
        """Run a command, here or in `sandbox`, as events; its id and its result."""
        number = f"{self._mark}c{next(self._ids)}"
        self._emit(CommandStarted(number, command, purpose))
        printed = _Printed(number, self._emit)
        result = None
        try:
            result = await (sandbox or self.sandbox).run(
                command, timeout=timeout, hear=printed.hear, shell_state=shell_state
            )
        finally:
            printed.flush()
            if result is None:
                self._emit(CommandEnded(number, -1, 0.0, printed.bytes, cancelled=True))
        self._emit(
            CommandEnded(
                number,
                result.exit_code,
                round(result.seconds, 3),
                result.total_bytes,
                result.timed_out,
                result.out_of_memory,
                result.cancelled,
            )
        )
        self._ran = (command, result) if purpose == "tool" else None
        return number, result

    async def sync(self) -> str:
        """Take over what changed in the sandbox; the tree as it is now. A command of the model's
        that ran just before is told to `heard`, with this tree."""
        ran, self._ran = self._ran, None
        tree = await self._taken_over()
        if ran and self.heard:
            self.heard(*ran, tree)
        return tree

    async def _taken_over(self) -> str:
        scan = await self.sandbox.scan()
        if not scan:
            return self.tree
        # A rule file may leave itself out, as those of caches do: it is no part of the tree, and
        # rules on for what lies beside it.
        seen = dict.fromkeys((*scan.changed, *(self._rules - set(scan.deleted))))
        rules = [path for path in seen if PurePosixPath(path).name == ".gitignore"]
        ruled = await self._take(self.tree, Scan(tuple(rules)))
        ignored = await self._shadow.ignored(ruled, tuple(seen), held=self.tree)
        wanted = tuple(path for path in seen if path not in ignored)
        tree = await self._take(self.tree, Scan(wanted, scan.deleted))
        self._rules = ignored.intersection(rules)
        self.sandbox.settle()
        if tree != self.tree:
            self.tree = tree
            await self._tell()
        return tree

    async def sync_or_drop(self) -> str:
        """As `sync`; what must not come out of the sandbox, or is lost with it, is dropped."""
        try:
            return await self.sync()
        except TreeRejected:
            await self.restore(self.tree)
        except SandboxLost as lost:
            await self.replace_lost(lost)
        return self.tree

    async def restore(self, tree: str) -> None:
        """Make the sandbox's tree exactly `tree` again; ignored files stay as they are."""
        try:
            now = await self.sync()
            if now != tree:
                await self.sandbox.apply(await self._shadow.change(now, tree))
                self.tree = tree
                await self._tell()
        except TreeRejected:
            # What may not come out cannot be told from the tree: a fresh sandbox does not hold it.
            await self.close()
            self.tree = tree
            await self.open()
        except SandboxLost as lost:
            self.tree = tree
            await self.replace_lost(lost)

    async def leave(self, tree: str) -> None:
        """Tell that `tree` is what the run leaves; its sandbox is not used any more."""
        if tree != self.tree:
            self.tree = tree
            await self._tell()

    async def replace_lost(self, lost: SandboxLost) -> None:
        """Open a fresh sandbox with the last synced tree. Raises SandboxError when none comes."""
        self._emit(SandboxWasLost(str(lost)))
        await self.close()
        self._replacements += 1
        if self._replacements > MAX_REPLACEMENTS:
            raise SandboxError(f"the sandbox was lost {self._replacements} times; last: {lost}")
        await self.open()

    @asynccontextmanager
    async def fresh(self, tree: str) -> AsyncIterator[Sandbox]:
        """A second sandbox, filled with exactly `tree`, that no earlier command has touched."""
        sandbox = await self._filled(tree)
        try:
            yield sandbox
        finally:
            await sandbox.close()

    async def _filled(self, tree: str) -> Sandbox:
        sandbox = await self._open_sandbox()
        try:
            await sandbox.put_tree(await self._shadow.files(tree))
            if self._place:
                placed = await sandbox.run(self._place, timeout=300, shell_state=False)
                if placed.exit_code != 0:
                    output = placed.output.decode(errors="replace").strip()
                    raise SandboxError(f"`{self._place}` failed in the sandbox: {output[-500:]}")
                await sandbox.scan()
                sandbox.settle()
        except BaseException:
            await sandbox.close()
            raise
        return sandbox

    async def _take(self, tree: str, scan: Scan) -> str:
        if not scan:
            return tree
        written = await self.sandbox.fetch(scan.changed)
        return await self._shadow.apply(tree, TreeChange(written, scan.deleted))

    async def _tell(self) -> None:
        patch = await self._shadow.patch(self.base, self.tree)
        shown = patch if len(patch) <= _MAX_PATCH else ""
        self._emit(TreeChanged(self.tree, file_counts(patch), shown))


class _Printed:
    """Turns a command's bytes into events, as text, up to a limit."""

    def __init__(self, number: str, emit: Emit) -> None:
        self._number = number
        self._emit = emit
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._line = ""
        self.bytes = 0

    def hear(self, piece: bytes) -> None:
        shown = piece[: max(0, SHOWN_OUTPUT - self.bytes)]
        cut = self.bytes <= SHOWN_OUTPUT < self.bytes + len(piece)
        self.bytes += len(piece)
        text = self._line + self._decoder.decode(shown)
        # Whole lines, so that a secret is never split between two events and missed.
        whole = len(text) if len(text) > LONGEST_LINE else text.rfind("\n") + 1
        self._line = text[whole:]
        self._say(text[:whole])
        if cut:
            self._say("\n[the rest of the output is not shown]\n")

    def flush(self) -> None:
        self._say(self._line + self._decoder.decode(b"", final=True))
        self._line = ""

    def _say(self, text: str) -> None:
        if text:
            self._emit(CommandPrinted(self._number, text))
