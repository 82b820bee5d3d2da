"""The composition root: which adapters stand behind the ports of a run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from selfheal_tui import folders
from selfheal_tui.agent.ports import Repository, Shadow
from selfheal_tui.core.profile import Profile
from selfheal_tui.core.redact import Redactor
from selfheal_tui.errors import UsageError
from selfheal_tui.resources import sandboxes_folder
from selfheal_tui.session import ModelSource, OpenRepository, Parts, Provision
from selfheal_tui.settings import Settings

if TYPE_CHECKING:
    from selfheal_tui.adapters.store import Store

LOCAL = "local"


@dataclass(frozen=True)
class Place:
    """Where a run happens: the folder it was started for, and the process around it."""

    folder: Path
    repository: Path
    environment: Mapping[str, str]
    config: Path

    @classmethod
    def from_process(cls, folder: str | None) -> Place:
        """The place that `-C` names, else the current folder. Raises UsageError for no folder."""
        start = Path(folder) if folder is not None else Path.cwd()
        if not start.is_dir():
            raise UsageError(f"-C {start}: not a folder")
        start = start.resolve()
        environment = dict(os.environ)
        return cls(start, _root(start), environment, folders.config_folder(environment))

    @property
    def config_file(self) -> Path:
        return self.config / "config.toml"

    def state(self) -> Path:
        """The private state folder, made if it is new."""
        return folders.state_folder(self.environment)

    def session_folder(self, session: str) -> Path:
        """The private folder of one session, made if it is new."""
        folders.make_private(self.state() / "sessions")
        return folders.make_private(self.state() / "sessions" / session)

    def store(self) -> Store:
        from selfheal_tui.adapters.store import Store

        return Store(self.state())


def _root(start: Path) -> Path:
    """The folder that holds `.git`, as a name for the repository; `start` where there is none."""
    return next((path for path in (start, *start.parents) if (path / ".git").exists()), start)


def compose(
    place: Place, settings: Settings, session: str, records: Store, redactor: Redactor
) -> Parts:
    """The adapters of a run. Nothing is opened here: each is when the session asks for it."""
    from selfheal_tui.cli.models import ModelSet

    models: ModelSource = ModelSet(settings.model, place.environment, redactor)
    return Parts(
        open_repository=repository_opener(place, session),
        provision=provision_for(place, settings, session),
        models=models,
        records=records,
        redactor=redactor,
    )


def profiles_of(place: Place) -> tuple[Profile, ...]:
    """The sandbox profiles: the user's own, then the built-in ones."""
    from selfheal_tui.adapters.docker.profiles import read_profiles

    return read_profiles(sandboxes_folder(), place.config / "sandboxes")


def repository_opener(place: Place, session: str) -> OpenRepository:
    """Opens the repository around the place, with the session's shadow."""

    async def opened() -> tuple[Repository, Shadow, tuple[str, ...]]:
        from selfheal_tui.adapters.git.repository import open_repository

        profiles = profiles_of(place)
        repository = await open_repository(
            place.folder,
            place.session_folder(session),
            artifacts=sorted({pattern for profile in profiles for pattern in profile.artifacts}),
            environment=place.environment,
        )
        # Refused now, before anything is spent on what could not be committed.
        await repository.check_state()
        return repository, repository.shadow, repository.facts.warnings

    return opened


def provision_for(place: Place, settings: Settings, session: str) -> Provision:
    """Docker, or the local copy where the user chose that."""
    if settings.sandbox.name == LOCAL:
        from selfheal_tui.adapters.local_provision import LocalProvision

        return LocalProvision()
    from selfheal_tui.adapters.docker.provision import DockerProvision

    return DockerProvision(
        session=session,
        settings=settings.sandbox,
        profiles=profiles_of(place),
        environment=place.environment,
    )
