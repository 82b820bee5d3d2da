"""The failure digest: what the model is told of a red check, within a fixed budget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from selfheal_tui.core.checks import CheckResult, Failure
from selfheal_tui.core.text import cut_middle

BUDGET = 4096
"""Bytes of a digest."""

_NAMES = 30


def failure_digest(
    result: CheckResult, previous: CheckResult | None, *, budget: int = BUDGET
) -> str:
    """The verdict, the failing tests (new, still, fixed since `previous`), and why they fail.

    At most `budget` bytes of UTF-8. The same words for several tests are told once.
    """
    head = "\n".join([_verdict(result), *_names(result, previous)])
    head = _within(head, budget // 2)
    room = budget - len(head.encode()) - 2
    return _within(f"{head}\n\n{_within(_details(result), room)}".rstrip(), budget)


def _verdict(result: CheckResult) -> str:
    if result.timed_out:
        return f"`{result.command}` did not end within {result.seconds:.0f} s and was stopped."
    text = f"`{result.command}` ended with exit code {result.exit_code}."
    return f"{text} It ran out of memory." if result.out_of_memory else text


def _names(result: CheckResult, previous: CheckResult | None) -> list[str]:
    now = [failure.name for failure in result.failures]
    if previous is None:
        return [_listed("Failing", now)]
    before = previous.failing
    groups = (
        ("Failing since your last change", [name for name in now if name not in before]),
        ("Still failing", [name for name in now if name in before]),
        ("Fixed since the last run", sorted(before - result.failing)),
    )
    return [_listed(title, names) for title, names in groups if names]


def _listed(title: str, names: Sequence[str]) -> str:
    shown = "".join(f"\n- {name}" for name in names[:_NAMES])
    more = f"\n- and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return f"{title} ({len(names)}):{shown}{more}"


def _details(result: CheckResult) -> str:
    sections = list(_sections(result.failures))
    return "\n\n".join(sections) if sections else f"Its output ends:\n{result.output}"


def _sections(failures: Iterable[Failure]) -> Iterable[str]:
    told: dict[str, str] = {}
    for failure in failures:
        words = (failure.detail or failure.message).strip()
        if not words:
            continue
        if words in told:
            yield f"## {failure.name}\nthe same as {told[words]}"
            continue
        told[words] = failure.name
        where = f" at {failure.location}" if failure.location else ""
        yield f"## {failure.name}{where}\n{words}"


def _within(text: str, limit: int) -> str:
    """`text` cut in the middle until it takes at most `limit` bytes."""
    cut, room = text, limit
    while len(cut.encode("utf-8", "surrogatepass")) > limit and room > 0:
        cut = cut_middle(text, room)
        room -= max(1, len(cut.encode("utf-8", "surrogatepass")) - limit)
    return cut if room > 0 else ""
