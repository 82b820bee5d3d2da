"""Gets the local sandbox ready: there is nothing to build, and no set-up command is ever run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from selfheal_tui.adapters.local import open_local_sandbox
from selfheal_tui.agent.ports import Sandbox
from selfheal_tui.core.approval import Granted, SetupRequest
from selfheal_tui.core.tree import TreeFile


class LocalProvision:
    """Fits `parts.Provision`."""

    place = ""
    warnings = ("the local sandbox has no isolation: commands run as you, on this machine",)

    image = "none is needed"
    extensions: tuple[str, ...] = ()

    async def reach(self, say: Callable[[str], None]) -> str:
        return "none: commands run on this machine as you, with no isolation"

    async def prepare(self, files: Sequence[TreeFile], say: Callable[[str], None]) -> None:
        say("commands run on this machine, in a temporary copy")

    def setup_request(self) -> SetupRequest | None:
        return None

    async def setup(self, granted: Granted[SetupRequest], say: Callable[[str], None]) -> None:
        raise AssertionError("no set-up is ever asked for")

    def extension(self, command: str, reason: str) -> SetupRequest | str:
        return f"`{command}` is not run: the local sandbox runs no set-up on your machine"

    async def extend(self, granted: Granted[SetupRequest], say: Callable[[str], None]) -> str:
        raise AssertionError("no set-up is ever asked for")

    def keep_extension(self) -> None:
        """Nothing was added."""

    def drop_extension(self) -> None:
        """Nothing was added."""

    async def open(self) -> Sandbox:
        return await open_local_sandbox()

    async def close(self) -> None:
        """Nothing outlives the sandboxes themselves."""
