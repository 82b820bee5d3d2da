"""Earlier sessions of one repository at the interface: list, previews, records, exports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from selfheal_tui.errors import UsageError
from selfheal_tui.ui.conductor import Happened, SessionLine

if TYPE_CHECKING:
    from selfheal_tui.adapters.store import SessionRow, Store
    from selfheal_tui.cli.place import Place
    from selfheal_tui.settings import Settings


class Earlier:
    """What the store holds of this place. `shown` is the session that is on the screen."""

    def __init__(self, place: Place, records: Store) -> None:
        self._place = place
        self._records = records
        self.shown = ""

    def lines(self) -> Sequence[SessionLine]:
        """Sessions of this repository, latest first."""
        rows = self._records.sessions(str(self._place.repository))
        return [
            SessionLine(row.id, row.started, row.outcome, row.task, done=row.exit_code == 0)
            for row in rows
        ]

    def preview(self, session: str) -> Sequence[tuple[str, str]]:
        """Pairs of a name and a value; empty for a session that is not there."""
        from selfheal_tui.cli.preview import preview

        row = self._row(session)
        return preview(self._records, row) if row else ()

    def record(self, session: str) -> Sequence[Happened]:
        """Everything that happened in a session. Raises UsageError where there is none."""
        if self._row(session) is None:
            raise UsageError(f"there is no session {session}")
        self.shown = session
        return [Happened(event, at) for event, at in self._records.events(session)]

    def export(self, settings: Settings, path: str) -> str:
        """Write the transcript of the session that is on the screen; a sentence that says where.
        Raises UsageError where it cannot be."""
        from selfheal_tui.cli.export import export, markdown
        from selfheal_tui.core.redact import Redactor

        if not self.shown:
            raise UsageError("there is no session yet: nothing can be exported")
        redactor = Redactor.from_environment(self._place.environment, settings.privacy.redact)
        text = markdown(self._records.events(self.shown), redactor)
        folder = None if path else self._place.session_folder(self.shown)
        return export(text, start=self._place.folder, path=path, folder=folder)

    def _row(self, session: str) -> SessionRow | None:
        found = self._records.find(session)
        return next((row for row in found if row.id == session), None)
