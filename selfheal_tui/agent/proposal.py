"""The proof card and the commit message of a healed tree: what is known of it, in plain values.

Refuses to ask for anything: that is `deliver`.
"""

from __future__ import annotations

from dataclasses import dataclass

from selfheal_tui.agent.outcome import Healed
from selfheal_tui.agent.ports import SandboxFacts
from selfheal_tui.core.deletion import mass_deletion
from selfheal_tui.core.patch import FileDiff
from selfheal_tui.core.pathkinds import warnings_for
from selfheal_tui.core.proof import Proof
from selfheal_tui.core.text import one_line, printable


@dataclass(frozen=True)
class Ran:
    """What the run used so far: seconds, USD, attempts allowed, the coder's model; and how many
    files there were before it."""

    seconds: float
    cost: float
    attempts: int
    model: str
    files: int


def commit_message(proposed: str, summary: str, task: str) -> str:
    """A commit message from the model's words, made printable; from the task where it has none."""
    text = printable(proposed).strip() or f"{one_line(task, 68)}\n\n{printable(summary)}".strip()
    return text + "\n"


def proof_of(
    healed: Healed,
    base: str,
    facts: SandboxFacts,
    ran: Ran,
    files: tuple[FileDiff, ...],
    notes: tuple[str, ...],
) -> Proof:
    """The proof card of a healed tree."""
    mass = mass_deletion(files, ran.files)
    check, look, originals = healed.check, healed.guarded.look, healed.guarded.originals
    return Proof(
        tree=healed.commit_tree,
        base=base,
        verified=check is not None and check.green and not healed.guarded.doubtful,
        command=check.command if check else "",
        exit_code=check.exit_code if check else None,
        check_seconds=round(check.seconds, 3) if check else 0.0,
        before=tuple(sorted(healed.baseline.failing)) if healed.baseline else (),
        after=tuple(sorted(check.failing)) if check else (),
        flaky=tuple(sorted(healed.flaky)),
        sandbox=f"{facts.kind}, profile {facts.profile}: {facts.isolation}",
        image=f"{facts.image} {facts.image_id}".strip(),
        network=facts.network,
        attempt=healed.attempt,
        attempts=ran.attempts,
        seconds=round(ran.seconds, 3),
        cost=ran.cost,
        model=ran.model,
        files=tuple((file.path, file.added, file.removed) for file in files),
        mass_deletion=mass,
        warnings=(*([mass] if mass else ()), *notes, *_warnings(healed, files)),
        review=_review_words(healed),
        refused=healed.refused,
        partial=healed.partial,
        protected=look.changed,
        new_tests=look.added,
        findings=tuple((f.path, f.line, f.kind, f.text) for f in look.findings),
        originals_exit=originals.exit_code if originals else None,
        originals_failing=tuple(sorted(originals.failing)) if originals else (),
    )


def _warnings(healed: Healed, files: tuple[FileDiff, ...]) -> tuple[str, ...]:
    warnings: list[str] = []
    if healed.check is None:
        warnings.append("not verified: no check was run")
    elif healed.partial:
        warnings.append(f"partly healed: {healed.partial}; the check still fails")
    elif not healed.check.green:
        warnings.append("not verified: the check fails on what is left of the change")
    warnings += healed.guarded.warnings
    warnings += warnings_for(files)
    if healed.review:
        warnings += [f"reviewer: {risk}" for risk in healed.review.risks]
        if healed.review.verdict != "approve":
            warnings.append(
                f"the reviewer did not approve: {one_line(healed.review.comments, 300)}"
            )
    return tuple(warnings)


def _review_words(healed: Healed) -> str:
    if healed.review is None:
        return "not reviewed"
    return f"{healed.review.verdict}: {one_line(healed.review.comments, 300)}".rstrip(": ")
