"""Incident memory within a run: what is recalled for a red baseline, and what a heal leaves.

Everything is redacted before it is kept. Refuses to end a run: what memory cannot do is a warning.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from selfheal_tui.agent.brief import notes_of_earlier_heals
from selfheal_tui.agent.outcome import Healed
from selfheal_tui.agent.ports import Emit, Incidents
from selfheal_tui.core.checks import CheckResult, Failure
from selfheal_tui.core.events import (
    Committed,
    IncidentRemembered,
    IncidentsRecalled,
    Warned,
    WorktreeUpdated,
)
from selfheal_tui.core.incident import Incident, excerpt, origin_of
from selfheal_tui.core.patch import file_counts
from selfheal_tui.core.redact import Redactor, redacted
from selfheal_tui.core.signature import Signature, signature_of
from selfheal_tui.errors import SelfhealError

MOST_NOTES = 3
_MAX_FILES = 100
_MAX_READ = 64 * 1024
"""Characters of a patch that are redacted for its excerpt."""


@dataclass(frozen=True)
class _Fix:
    """What is on offer: it is remembered once the user took it."""

    healed: Healed
    patch: str
    message: str


class Memory:
    """The memory of one run. Without `incidents` it is switched off."""

    def __init__(
        self, incidents: Incidents | None, *, repository: str, redactor: Redactor, emit: Emit
    ) -> None:
        self._incidents = incidents
        self._repository = repository
        self._redactor = redactor
        self._emit = emit
        self._root = ""
        self._offered: _Fix | None = None
        self._warned: set[str] = set()

    async def recall(self, before: CheckResult | None, root: str) -> str:
        """Notes for who plans the heal, and `IncidentsRecalled`; empty where nothing is like it.

        `root` is where the tree was when the check ran.
        """
        self._root = root
        if self._incidents is None or before is None or before.green:
            return ""
        signature = self._signature(before.failures)
        if not signature.symptoms:
            return ""
        try:
            notes = await self._incidents.similar(signature, MOST_NOTES)
        except SelfhealError as error:
            self._warn(f"earlier heals cannot be looked up: {error}")
            return ""
        self._warn(self._incidents.warning)
        if notes:
            self._emit(IncidentsRecalled(tuple((note.origin, note.text) for note in notes)))
        return notes_of_earlier_heals(notes)

    def offer(self, healed: Healed, patch: str, message: str) -> None:
        """What would be remembered if the user takes it; in place of what was offered before."""
        self._offered = _Fix(healed, patch, message)

    async def remember(self, done: Committed | WorktreeUpdated) -> None:
        """Keep what is on offer, and say so with `IncidentRemembered`; nothing where it fixed
        nothing that can be known again."""
        fix = self._offered
        if self._incidents is None or fix is None:
            return
        incident = self._incident(fix, done)
        if not incident.signature.symptoms:
            return
        try:
            kept = await self._incidents.remember(incident)
        except SelfhealError as error:
            self._warn(f"this heal is not remembered: {error}")
            return
        self._warn(self._incidents.warning)
        if kept is not None:
            title = incident.signature.title
            self._emit(IncidentRemembered(kept, title, origin_of(incident)))

    def _incident(self, fix: _Fix, done: Committed | WorktreeUpdated) -> Incident:
        commit = done.commit if isinstance(done, Committed) else ""
        message = (done.message if isinstance(done, Committed) else "") or fix.message
        head, *_ = message.strip().split("\n", 1)
        incident = Incident(
            signature=self._signature(_fixed(fix.healed)),
            message=head,
            summary=fix.healed.summary,
            files=tuple(path for path, _, _ in file_counts(fix.patch))[:_MAX_FILES],
            # Redacted before it is cut: half a secret is not known as one.
            patch=excerpt(self._redactor.redact(fix.patch[:_MAX_READ])),
            repository=self._repository,
            commit=commit,
            at=time.time(),
        )
        clean: Incident = redacted(incident, self._redactor)
        return clean

    def _signature(self, failures: Iterable[Failure]) -> Signature:
        # Redacted first: without its digits a secret is not known as one.
        clean = (redacted(failure, self._redactor) for failure in failures)
        return signature_of(clean, self._root)

    def _warn(self, text: str) -> None:
        """Each warning once."""
        if text and text not in self._warned:
            self._warned.add(text)
            self._emit(Warned(text))


def _fixed(healed: Healed) -> list[Failure]:
    """What failed before and passes now; nothing where no check says so."""
    if healed.baseline is None or healed.check is None:
        return []
    still = healed.check.failing | healed.flaky
    return [failure for failure in healed.baseline.failures if failure.name not in still]
