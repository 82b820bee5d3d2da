"""Incident memory as a run uses it: kept heals and the user's runbooks, read in a thread."""

from __future__ import annotations

from pathlib import Path

from selfheal_tui.adapters.incidents import IncidentStore
from selfheal_tui.adapters.runbooks import matching, read_runbook
from selfheal_tui.adapters.threads import in_thread, to_the_end
from selfheal_tui.core.incident import Incident, Note, note_of
from selfheal_tui.core.signature import Signature

_MOST_RUNBOOKS = 2
"""Notes from runbooks at most: a heal that worked has its place beside them."""


class KeptIncidents:
    """Fits `ports.Incidents`. `runbook` is the user's own file; it need not be there."""

    def __init__(self, store: IncidentStore, runbook: Path) -> None:
        self._store = store
        self._runbook = runbook

    @property
    def warning(self) -> str:
        return self._store.warning

    async def remember(self, incident: Incident) -> int | None:
        # A write that is begun is ended, also when the run is stopped meanwhile.
        return await to_the_end(in_thread(self._store.remember, incident))

    async def similar(self, signature: Signature, limit: int = 3) -> tuple[Note, ...]:
        return await in_thread(self._similar, signature, limit)

    def _similar(self, signature: Signature, limit: int) -> tuple[Note, ...]:
        kept = self._store.similar(signature, limit)
        own = matching(read_runbook(self._runbook), signature, min(_MOST_RUNBOOKS, limit))
        return (*own, *(note_of(known) for known in kept))[:limit]
