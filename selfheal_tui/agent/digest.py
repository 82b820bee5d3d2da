"""The failure digest: what the model is told of a red check, within a fixed budget of bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from selfheal_tui.core.checks import CheckResult, Failure
from selfheal_tui.core.failures.frames import own_frames
from selfheal_tui.core.text import cut_middle

BUDGET = 4096
"""Bytes of a digest."""

_NAMES = 25
_LONGEST_NAME = 300
_LEAST_SECTION = 240
_TELLING = 30
"""Characters from which on a message says enough to be the same failure in another place."""


def failure_digest(
    result: CheckResult, previous: CheckResult | None, *, budget: int = BUDGET
) -> str:
    """The verdict; the failing tests (new, still failing, fixed since `previous`); why they fail.

    At most `budget` bytes of UTF-8. Tests that fail with the same words are told once. What is
    long is cut in the middle, never at its end; frames of libraries are left out.
    """
    head = "\n".join([_verdict(result), *_lacking(result), *_names(result, previous)])
    head = _within(head, budget // 2)
    log = f"\n\n(the whole output: read_file {result.log})" if result.log else ""
    room = budget - _bytes(head) - 2 - _bytes(log)
    return _within(f"{head}\n\n{_reasons(result, previous, room)}".rstrip() + log, budget)


def _verdict(result: CheckResult) -> str:
    red = result.red
    if red.timed_out:
        said = f"`{red.command}` did not end within {red.seconds:.0f} s and was stopped."
    else:
        said = f"`{red.command}` ended with exit code {red.exit_code}."
    if red.out_of_memory:
        said += " It ran out of memory."
    if result.passed is not None:
        said += f" {result.passed} passed."
    if result.asked is not None:
        said += " Only tests that failed before were run; all others wait until these pass."
    others = [part.command for part in result.parts if not part.green and part is not red]
    if others:
        said += f" Red too: {_commands(others)}."
    if result.not_run:
        said += f" Not run after that: {_commands(result.not_run)}."
    return said


def _commands(commands: Sequence[str]) -> str:
    return ", ".join(f"`{command}`" for command in commands)


def _lacking(result: CheckResult) -> list[str]:
    """What the environment seems to lack, so that nobody looks for it in the code."""
    if not result.missing:
        return []
    words = "; ".join(missing.words for missing in result.missing)
    start = "The check cannot start: its" if result.cannot_start else "The"
    return [
        f"{start} environment seems to lack: {words}. {cut_middle(result.unhealed, 600)}".rstrip()
    ]


def _names(result: CheckResult, previous: CheckResult | None) -> list[str]:
    now = [failure.name for failure in result.failures]
    if previous is None:
        return [_listed("Failing", now)] if now else []
    before = previous.failing
    if before == result.failing and now:
        return [_listed("Failing, as in the last run", now)]
    ran = before if result.complete else before & (result.asked or frozenset())
    groups = (
        ("Failing since your last change", [name for name in now if name not in before]),
        ("Still failing", [name for name in now if name in before]),
        ("Fixed since the last run", sorted(ran - result.failing)),
        ("Failed before, not run this time", sorted(before - ran - result.failing)),
    )
    return [_listed(title, names) for title, names in groups if names]


def _listed(title: str, names: Sequence[str]) -> str:
    shown = "".join(f"\n- {_name(name)}" for name in names[:_NAMES])
    more = f"\n- and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return f"{title} ({len(names)}):{shown}{more}"


def _name(name: str) -> str:
    return " ".join(name[:_LONGEST_NAME].split())


def _reasons(result: CheckResult, previous: CheckResult | None, room: int) -> str:
    """A section for each way to fail, what is new first; the room is shared out fairly."""
    before = previous.failing if previous else frozenset()
    failures = sorted(result.failures, key=lambda failure: failure.name in before)
    sections = [_section(alike) for alike in _alike(failures)]
    if not sections:
        return f"Its output ends:\n{_within(result.output.strip(), room - 20)}"
    shown = sections[: max(1, room // _LEAST_SECTION)]
    left_out = len(sections) - len(shown)
    more = f"\n\n({left_out} more ways to fail are not shown)" if left_out else ""
    told = _shared_out(shown, room - len(more))
    return "\n\n".join(told) + more


def _alike(failures: Iterable[Failure]) -> list[list[Failure]]:
    """Failures with the same words together; those that say nothing are left to the names."""
    groups: dict[tuple[str, str], list[Failure]] = {}
    for failure in failures:
        words = failure.message.strip() or failure.detail.strip()
        if words:
            place = "" if len(words) >= _TELLING else failure.location
            groups.setdefault((words, place), []).append(failure)
    return list(groups.values())


def _section(alike: Sequence[Failure]) -> str:
    first, others = alike[0], len(alike) - 1
    detail = own_frames(first.detail.strip("\n"))
    where = f" at {first.location}" if first.location else ""
    more = f" (and {others} more, the same way)" if others else ""
    message = first.message.strip()
    told = detail if message in detail.split("\n", 1)[0] else f"{message}\n{detail}"
    return f"## {_name(first.name)}{where}{more}\n{told}".rstrip()


def _shared_out(sections: Sequence[str], room: int) -> list[str]:
    """Every section within its share; what short ones leave over goes to the longer."""
    left = room - 2 * len(sections)
    told = dict.fromkeys(range(len(sections)), "")
    by_need = sorted(told, key=lambda number: _bytes(sections[number]))
    for done, number in enumerate(by_need):
        told[number] = _within(sections[number], left // (len(sections) - done))
        left -= _bytes(told[number])
    return [text for text in told.values() if text]


def _within(text: str, limit: int) -> str:
    """`text` cut in the middle until it takes at most `limit` bytes."""
    cut, size = text, _bytes(text)
    room = len(text)
    while size > max(limit, 0):
        room = min(room - 1, room * max(limit, 0) // size)
        if room <= 0:
            return ""
        cut = cut_middle(text, room)
        size = _bytes(cut)
    return cut


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
