"""Where a run happens: folders and the process around it. Loads nothing that a run needs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from selfheal_tui import folders
from selfheal_tui.errors import UsageError

if TYPE_CHECKING:
    from selfheal_tui.adapters.store import Store


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

    def check_apart(self) -> None:
        """Raises UsageError where selfheal's own folders lie in the repository: its records would
        enter the sandbox with the project's files, and a change of those could be one of them."""
        if not (self.repository / ".git").exists():
            return
        own = {"SELFHEAL_STATE_DIR": self.state(), "SELFHEAL_CONFIG_DIR": self.config}
        for variable, folder in own.items():
            if folder.resolve().is_relative_to(self.repository):
                raise UsageError(
                    f"selfheal's own folder {folder} lies in the repository {self.repository}:"
                    f" name one outside of it with {variable}"
                )

    def session_folder(self, session: str) -> Path:
        """The private folder of one session, made if it is new."""
        folders.make_private(self.state() / "sessions")
        return folders.make_private(self.state() / "sessions" / session)

    def store(self, *, audited: bool = True) -> Store:
        from selfheal_tui.adapters.store import Store

        return Store(self.state(), audited=audited)


def _root(start: Path) -> Path:
    """The folder that holds `.git`, as a name for the repository; `start` where there is none."""
    return next((path for path in (start, *start.parents) if (path / ".git").exists()), start)
