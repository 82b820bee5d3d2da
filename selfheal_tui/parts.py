"""What a session is handed: what the user asked for, and who stands behind its ports.

Values and shapes only: nothing is opened here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from selfheal_tui.agent.deliver import Target
from selfheal_tui.agent.ports import Incidents, Outliner, Repository, Sandbox, Shadow, Snapshot
from selfheal_tui.agent.roles import Models
from selfheal_tui.core.approval import CommitRequest, Granted, SetupRequest
from selfheal_tui.core.events import Committed, Event, ProposalMade, Pushed
from selfheal_tui.core.redact import Redactor
from selfheal_tui.core.tree import TreeFile

Say = Callable[[str], None]
"""Hears a line of progress."""


class Provision(Protocol):
    """Gets a sandbox ready step by step. Methods are called in the order they stand here."""

    async def reach(self, say: Say) -> str:
        """Find the engine; what it is, in a few words. May be left out: `prepare` does it too."""

    async def prepare(self, files: Sequence[TreeFile], say: Say) -> None:
        """Find the engine and the profile, and make sure of the image."""

    @property
    def image(self) -> str:
        """The profile and the image that were prepared, in a few words."""

    def setup_request(self) -> SetupRequest | None:
        """The set-up that the project's own files ask for; None when it is done already."""

    async def setup(self, granted: Granted[SetupRequest], say: Say) -> None: ...

    @property
    def place(self) -> str:
        """The command that ends the filling of each new sandbox; may be empty."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of the sandbox to be."""

    @property
    def extensions(self) -> tuple[str, ...]:
        """The set-up commands in the sandboxes that no file of the project asks for."""

    def extension(self, command: str, reason: str) -> SetupRequest | str:
        """The request for one more set-up; or why there can be none, as a sentence."""

    async def extend(self, granted: Granted[SetupRequest], say: Say) -> str:
        """Run it; the name of the image from now on. Raises SandboxError with the end of its
        output, and then nothing has changed."""

    def keep_extension(self) -> None:
        """Keep what was added last for the next sessions."""

    def drop_extension(self) -> None:
        """Go back to what there was before `extend`."""

    async def open(self) -> Sandbox: ...

    async def close(self) -> None: ...


class Records(Protocol):
    """Where events are written before they are shown."""

    def append(self, session: str, event: Event, at: float) -> None: ...


class ModelSource(Protocol):
    """The models of a run, and their common library."""

    def roles(self) -> Models: ...

    async def prepare(self) -> None: ...

    async def close(self) -> None: ...


OpenRepository = Callable[[], Awaitable[tuple[Repository, Shadow, tuple[str, ...]]]]
"""Opens the user's repository and the session's shadow; the third part are warnings."""


@dataclass(frozen=True)
class Parts:
    """The adapters of a run. `protect` are the sandbox profiles' patterns of files that decide the
    verdict; `incidents` is None where memory is switched off,
    `outliner` where no map of the project is wanted."""

    open_repository: OpenRepository
    provision: Provision
    models: ModelSource
    records: Records
    redactor: Redactor
    protect: tuple[str, ...] = ()
    incidents: Incidents | None = None
    outliner: Outliner | None = None


@dataclass(frozen=True)
class Kept:
    """What an earlier run of the session left: its snapshot, and the last tree of its work.

    `proposal` is set when it got as far as a proposal that was not committed. `check` is the
    command it went by, empty for none, None where it was not chosen yet; `checks` are all of its
    commands. `lost` counts the parts of a plan that it began and whose work was not taken over.
    `begun` is the approved commit that it had begun when it ended, made or not; `made` and
    `pushed` are what is recorded as done.
    """

    snapshot: Snapshot
    tree: str
    proposal: ProposalMade | None = None
    check: str | None = None
    checks: tuple[str, ...] = ()
    lost: int = 0
    begun: CommitRequest | None = None
    made: Committed | None = None
    pushed: Pushed | None = None


@dataclass(frozen=True)
class Order:
    """What the user asked for. `no_check` says that working without a check is wanted; `partial`
    that somebody is there who may want a change which heals only a part; `allow_test_changes` that
    a change of what decides the verdict may be asked for: who answers sees it, or wants it;
    `allow_mass_deletion` says the same of a change that deletes very much."""

    session: str
    task: str
    repository: str
    target: Target
    no_check: bool = False
    kept: Kept | None = None
    partial: bool = False
    allow_test_changes: bool = True
    allow_mass_deletion: bool = True
