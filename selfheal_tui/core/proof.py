"""The proof card: what is known of exactly the tree that would be committed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Proof:
    """Facts of one proposal. `tree` is the tree to commit; `base` what it is compared with.

    `verified` is true only for exit code 0 of `command` on `tree` in a fresh sandbox.
    `partial` says what was reached where the check still fails, empty else.
    `refused` names the hunks that the user took out before the proving run, each with its reason.
    `files` holds path, lines added, lines removed. `seconds` and `cost` (USD) are of the whole
    run, `check_seconds` of the proving run.
    """

    tree: str
    base: str
    verified: bool
    command: str
    exit_code: int | None
    check_seconds: float
    before: tuple[str, ...]
    after: tuple[str, ...]
    flaky: tuple[str, ...]
    sandbox: str
    image: str
    network: str
    attempt: int
    attempts: int
    seconds: float
    cost: float
    model: str
    files: tuple[tuple[str, int, int], ...]
    warnings: tuple[str, ...] = ()
    review: str = ""
    refused: tuple[str, ...] = ()
    partial: str = ""

    @property
    def fixed(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.before) - set(self.after)))

    @property
    def broken(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.after) - set(self.before)))

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Proof:
        """The proof that `to_json` wrote."""
        data: dict[str, Any] = json.loads(text)
        return cls(**{name: _tuples(value) for name, value in data.items()})


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def card_lines(proof: Proof) -> list[str]:
    """The card as plain lines, for a terminal or a report."""
    lines = [
        f"verdict   {_verdict(proof)}{_how(proof)}",
        f"tests     {_tests(proof)}",
        f"tree      {proof.tree}",
        f"sandbox   {proof.sandbox}; network {proof.network}",
    ]
    if proof.image:
        lines.append(f"image     {proof.image}")
    lines.append(
        f"run       attempt {proof.attempt} of {proof.attempts}, {proof.seconds:.1f} s,"
        f" {proof.cost:.4f} USD, {proof.model}"
    )
    lines += [f"file      {path}  +{added} -{removed}" for path, added, removed in proof.files]
    lines += [f"refused   {hunk}; the check ran again without it" for hunk in proof.refused]
    if proof.review:
        lines.append(f"review    {proof.review}")
    lines += [f"warning   {warning}" for warning in proof.warnings]
    return lines


def _verdict(proof: Proof) -> str:
    if proof.partial:
        return f"PARTLY HEALED (not verified, {proof.partial})"
    return "VERIFIED" if proof.verified else "NOT VERIFIED"


def _how(proof: Proof) -> str:
    if proof.exit_code is None:
        return ": no check was run on this change"
    return f": exit {proof.exit_code} from `{proof.command}` in {proof.check_seconds:.1f} s"


def _tests(proof: Proof) -> str:
    counts = f"{len(proof.before)} failing before, {len(proof.after)} now"
    parts = [counts, f"{len(proof.fixed)} fixed", f"{len(proof.broken)} broken"]
    if proof.flaky:
        parts.append(f"{len(proof.flaky)} flaky")
    return ", ".join(parts)
