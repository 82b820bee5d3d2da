"""The store of sessions, opened when something is first asked of it: typing needs nothing of it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from selfheal_tui.adapters.store import Store
    from selfheal_tui.cli.place import Place


class LateStore:
    """Stands in for the place's store. The state folder itself is made at once: where it cannot be
    written, that is told before anything is drawn."""

    def __init__(self, place: Place) -> None:
        self._place = place
        place.state()

    @cached_property
    def _opened(self) -> Store:
        return self._place.store()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened, name)

    def close(self) -> None:
        """Close the store, where it was opened."""
        if "_opened" in self.__dict__:
            self._opened.close()


def late_store(place: Place) -> Store:
    """The store of `place`. Whatever is asked of it first may raise what opening it raises."""
    return cast("Store", LateStore(place))
