"""Where selfheal's own files are: the configuration folder and the private state folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from selfheal_tui.errors import SelfhealError

NAME = "selfheal"


def config_folder(environment: Mapping[str, str]) -> Path:
    """The user's configuration folder; it need not exist. `SELFHEAL_CONFIG_DIR` moves it."""
    given = environment.get("SELFHEAL_CONFIG_DIR")
    folder = given or platformdirs.user_config_dir(NAME, appauthor=False)
    return Path(folder).absolute()


def state_folder(environment: Mapping[str, str]) -> Path:
    """The state folder, made private (0700) if it is new. `SELFHEAL_STATE_DIR` moves it."""
    given = environment.get("SELFHEAL_STATE_DIR")
    folder = given or platformdirs.user_state_dir(NAME, appauthor=False)
    # Absolute: git runs in folders of its own.
    return make_private(Path(folder).absolute())


def make_private(folder: Path) -> Path:
    """Make `folder` with mode 0700, or tighten it; it must be ours and not a link.

    Raises SelfhealError where that cannot be.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            raise SelfhealError(f"the state folder {folder} is not a folder of this user")
        if stat.S_IMODE(status.st_mode) != 0o700:
            folder.chmod(0o700)
    except OSError as error:
        raise SelfhealError(f"cannot write to the state folder {folder}: {error}") from error
    return folder
