"""What came of one case, as the session itself told it; nothing is judged anew here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from selfheal_tui.core.bench.case import BenchCase
from selfheal_tui.core.plainjson import plain_json

HEALED = "healed"
NOT_HEALED = "not healed"
ALREADY_GREEN = "already green"
NO_VERDICT = "no verdict"

_VERDICTS = frozenset({1, 3, 7})
"""Exit codes of sessions that came to an end of their own: not healed, refused, a limit."""

_OWN_DOING = frozenset({"tree rejected", "model answer invalid", "context overflow"})
"""Outcomes that another run would not change: the agent had its go, and this came of it."""

_KINDS: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "str": (str,),
    "bool": (bool,),
    "float": (int, float),
}


@dataclass(frozen=True)
class CaseOutcome:
    """One case, run to its end. `attempts` are the attempts' outcomes in order; `healed_at` is the
    number of the one that healed, 0 for none; `red_before` says that the check failed on the case
    as it came, without which nothing is healed; `priced` is false where a price was not known.

    `cost` is in USD, `seconds` from the session's first event to its last.
    """

    case: str
    digest: str
    task: str
    exit_code: int
    outcome: str
    text: str
    healed_at: int
    red_before: bool
    attempts: tuple[str, ...]
    input_tokens: int
    output_tokens: int
    cost: float
    priced: bool
    seconds: float
    session: str
    folder: str

    @property
    def status(self) -> str:
        if self.exit_code == 0:
            return HEALED if self.red_before else ALREADY_GREEN
        judged = self.exit_code in _VERDICTS or self.outcome in _OWN_DOING
        return NOT_HEALED if judged else NO_VERDICT

    @property
    def words(self) -> str:
        """The status in a few words."""
        if self.status == HEALED:
            return f"healed at attempt {self.healed_at}"
        if self.status == ALREADY_GREEN or self.outcome == self.status:
            return self.status
        return f"{self.status}: {self.outcome}"


def outcome_of(
    case: BenchCase, result: Mapping[str, Any], *, priced: bool, folder: str
) -> CaseOutcome:
    """Read a session's result (`core.result`) that has its last event."""
    proof = result["proof"] or {}
    return CaseOutcome(
        case=case.id,
        digest=case.digest,
        task=case.task,
        exit_code=result["exit_code"],
        outcome=result["outcome"],
        text=result["text"],
        healed_at=proof.get("attempt", 0) if result["exit_code"] == 0 else 0,
        red_before=bool(result["failing_before"]),
        attempts=tuple(attempt["outcome"] for attempt in result["attempts"]),
        input_tokens=result["input_tokens"],
        output_tokens=result["output_tokens"],
        cost=result["cost"],
        priced=priced,
        seconds=result["seconds"],
        session=result["session"],
        folder=folder,
    )


def not_begun(case: BenchCase, exit_code: int, why: str) -> CaseOutcome:
    """What came of a case for which there could be no session; it has no verdict."""
    return CaseOutcome(
        case=case.id,
        digest=case.digest,
        task=case.task,
        exit_code=exit_code,
        outcome="not begun",
        text=why,
        healed_at=0,
        red_before=False,
        attempts=(),
        input_tokens=0,
        output_tokens=0,
        cost=0.0,
        priced=True,
        seconds=0.0,
        session="",
        folder="",
    )


def to_line(outcome: CaseOutcome) -> str:
    """One line of JSON, without its end."""
    return plain_json({"status": outcome.status} | asdict(outcome), compact=True)


def from_line(line: bytes) -> CaseOutcome:
    """The outcome of a line. Raises ValueError for what is not one."""
    try:
        data = json.loads(line)
        data.pop("status")
        data["attempts"] = tuple(data["attempts"])
        outcome = CaseOutcome(**data)
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"not an outcome of a case: {error}") from error
    for field in fields(outcome):
        kinds = _KINDS.get(str(field.type), (tuple,))
        if not isinstance(getattr(outcome, field.name), kinds):
            raise ValueError(f"`{field.name}` is not of its kind")
    return outcome
