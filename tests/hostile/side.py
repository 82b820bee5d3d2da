"""Scenarios side by side: they mostly wait for programs, so several share two cores well. One
watch looks at all of them, and tells in the end which secrets it saw."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

from tests.hostile.leaks import Sentinels
from tests.hostile.scene import SECRETS
from tests.hostile.watching import Watch

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(work: Callable[[T], R], items: Iterable[T], workers: int) -> list[R]:
    """What `work` makes of each, in the order in which they began. An item is asked for only when
    a worker is free, so the work may decide when there is no next one. The first error is raised
    when all have ended."""
    waiting, lock = enumerate(items), Lock()
    made: dict[int, R] = {}

    def next_one() -> tuple[int, T] | None:
        with lock:
            return next(waiting, None)

    def go_on() -> None:
        while (one := next_one()) is not None:
            number, item = one
            made[number] = work(item)

    with ThreadPoolExecutor(workers) as pool:
        running = [pool.submit(go_on) for _ in range(workers)]
    for one in running:
        one.result()
    return [made[number] for number in sorted(made)]


def seen_secrets(watch: Watch) -> list[str]:
    """Where a watch saw a secret of the scenes, each as a sentence."""
    found = Sentinels(SECRETS).found
    return [
        f"6: {what} holds {secret}" for what, text in list(watch.seen) for secret in found(text)
    ]
