"""Blocking calls, each in a thread of its own that reports on the loop.

Threads are daemons: a call that never returns must not keep the program from ending.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def in_thread(call: Callable[..., T], *args: Any) -> T:
    """The result of `call(*args)`. When cancelled, the call goes on and its result is lost."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def report(error: BaseException | None, value: Any) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

    def work() -> None:
        error, value = None, None
        try:
            value = call(*args)
        except Exception as raised:  # noqa: BLE001 - it is raised again on the loop
            error = raised
        # The loop may have ended in the meantime; then nobody waits for the result.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(report, error, value)

    threading.Thread(target=work, name=f"selfheal-{call.__name__}", daemon=True).start()
    return await future


async def to_the_end(work: Awaitable[T], discard: Callable[[T], object] | None = None) -> T:
    """The result of `work`, which is finished even when the caller is cancelled meanwhile.

    A cancellation that came is raised after it; `discard` then gets the result that nobody takes.
    """
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            # Unlike awaiting the task, this neither cancels it nor raises its error.
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    if not cancelled:
        return task.result()
    # The caller wanted to leave: the cancellation is what it gets, not an error of the task.
    if not task.cancelled() and task.exception() is None and discard:
        discard(task.result())
    raise asyncio.CancelledError


async def within(work: Awaitable[T], seconds: float) -> T:
    """The result of `work`. Raises asyncio.TimeoutError, and cancels it, where it takes longer.

    `asyncio.wait_for` would do, but before Python 3.12 it loses a cancellation that comes in the
    same moment as the result: who was to end then goes on.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            raise asyncio.TimeoutError
        return task.result()
    finally:
        task.cancel()


async def either(first: asyncio.Future[Any], second: asyncio.Future[Any], timeout: float) -> None:
    """Wait until one of the two is done, or for `timeout` seconds. Raises nothing of theirs."""
    await asyncio.wait({first, second}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
