"""The composition root: which adapters stand behind the ports of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from selfheal_tui.agent.ports import Incidents, Repository, Shadow
from selfheal_tui.cli.place import Place as Place
from selfheal_tui.core.profile import Profile
from selfheal_tui.core.redact import Redactor
from selfheal_tui.parts import ModelSource, OpenRepository, Parts, Provision
from selfheal_tui.resources import sandboxes_folder
from selfheal_tui.settings import Settings

if TYPE_CHECKING:
    from selfheal_tui.adapters.store import Store

LOCAL = "local"


def compose(
    place: Place,
    settings: Settings,
    session: str,
    records: Store,
    redactor: Redactor,
    *,
    keep_setups: bool = True,
) -> Parts:
    """The adapters of a run. Nothing is opened here: each is when the session asks for it.

    Without `keep_setups` nothing that healed the environment is used or kept for later."""
    from selfheal_tui.adapters.outline_process import OutlineProcess
    from selfheal_tui.cli.models import ModelSet

    models: ModelSource = ModelSet(settings.model, place.environment, redactor)
    return Parts(
        open_repository=repository_opener(place, session),
        provision=provision_for(place, settings, session, keep_setups=keep_setups),
        models=models,
        records=records,
        redactor=redactor,
        outliner=OutlineProcess(),
        protect=protected_by_profiles(place),
        incidents=incidents_for(place, settings),
    )


def incidents_for(place: Place, settings: Settings) -> Incidents | None:
    """The memory of earlier heals, with the user's own runbooks; None where it is switched off."""
    if not settings.memory.enabled:
        return None
    from selfheal_tui.adapters.embeddings import ByEmbeddings
    from selfheal_tui.adapters.incidents import IncidentStore, by_words
    from selfheal_tui.adapters.recall import KeptIncidents
    from selfheal_tui.adapters.runbooks import FILE

    folder = settings.memory.embeddings
    store = IncidentStore(
        place.state(),
        like=ByEmbeddings(Path(folder).expanduser()) if folder else by_words,
        everything=bool(folder),
    )
    return KeptIncidents(store, place.config / FILE)


def protected_by_profiles(place: Place) -> tuple[str, ...]:
    """Files that decide a verdict, by every profile: a built-in one that the user's own takes the
    place of counts as well, so that none is forgotten."""
    from selfheal_tui.adapters.docker.profiles import read_profiles

    profiles = (*read_profiles(sandboxes_folder()), *profiles_of(place))
    return tuple(sorted({pattern for profile in profiles for pattern in profile.protect}))


def profiles_of(place: Place) -> tuple[Profile, ...]:
    """The sandbox profiles: the user's own, then the built-in ones."""
    from selfheal_tui.adapters.docker.profiles import read_profiles

    return read_profiles(sandboxes_folder(), place.config / "sandboxes")


def repository_opener(place: Place, session: str) -> OpenRepository:
    """Opens the repository around the place, with the session's shadow."""

    async def opened() -> tuple[Repository, Shadow, tuple[str, ...]]:
        from selfheal_tui.adapters.git.repository import open_repository

        place.check_apart()
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


def provision_for(
    place: Place, settings: Settings, session: str, *, keep_setups: bool = True
) -> Provision:
    """Docker, or the local copy where the user chose that."""
    if settings.sandbox.name == LOCAL:
        from selfheal_tui.adapters.local_provision import LocalProvision

        return LocalProvision()
    from selfheal_tui.adapters.docker.provision import DockerProvision
    from selfheal_tui.adapters.kept_setups import KeptSetups

    redactor = Redactor.from_environment(place.environment, settings.privacy.redact)
    kept = KeptSetups(place.config, str(place.repository), redactor)
    return DockerProvision(
        session=session,
        settings=settings.sandbox,
        profiles=profiles_of(place),
        environment=place.environment,
        kept=kept if keep_setups else None,
    )
