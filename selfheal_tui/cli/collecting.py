"""Python's search for garbage, put off while the interface starts: what is loaded then stays.

It would go over every module again and again, for a tenth of the time until the first frame.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager

PUT_OFF = 5.0
"""Seconds until it is taken up: the model library is loaded by then."""


def put_off() -> None:
    """Search for no garbage, until `taken_up` says otherwise."""
    gc.disable()


@contextmanager
def taken_up() -> Iterator[None]:
    """Search again in a while; at the latest when the context is left."""
    later = asyncio.get_running_loop().call_later(PUT_OFF, _take_up)
    try:
        yield
    finally:
        later.cancel()
        gc.enable()


def _take_up() -> None:
    # What is there by now is never looked at again: a search of all of it holds every key back.
    gc.freeze()
    gc.enable()
