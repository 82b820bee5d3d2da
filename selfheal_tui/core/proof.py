"""The proof card: what is known of exactly the tree that would be committed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from selfheal_tui.core.eventkinds import fitted
from selfheal_tui.core.text import on_one_line


@dataclass(frozen=True)
class Proof:
    """Facts of one proposal. `tree` is the tree to commit; `base` what it is compared with.

    `verified` is true only for exit code 0 of `command` on `tree` in a fresh sandbox, and with the
    originals too where protected files are changed.
    `partial` says what was reached where the check still fails, empty else.
    `refused` names the hunks that the user took out before the proving run, each with its reason.
    `protected` are files that decide the verdict, were there before and are changed, `new_tests`
    those that are new; `findings` hold path, line (0: the whole file), kind and sentence.
    `originals_exit` is the exit code of the check with the originals of the protected files on the
    rest of the change, None where it was not run; `originals_failing` names what fails there.
    `mass_deletion` is the sentence for a change that deletes very much, empty else.
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
    protected: tuple[str, ...] = ()
    new_tests: tuple[str, ...] = ()
    findings: tuple[tuple[str, int, str, str], ...] = ()
    originals_exit: int | None = None
    originals_failing: tuple[str, ...] = ()
    mass_deletion: str = ""

    @property
    def only_with_changed_tests(self) -> bool:
        """Whether the check passes, but not with the originals of what decides it."""
        return self.exit_code == 0 and self.originals_exit not in (None, 0)

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
        """The proof that `to_json` wrote. Raises ValueError where somebody changed that by hand."""
        try:
            return cls(**fitted(cls, json.loads(text)))
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError("the proof card cannot be read") from error


NOT_WITH_ORIGINALS = "NOT VERIFIED WITH THE ORIGINAL TESTS"
"""The verdict on a change that passes only together with what it changed in the checks."""

_NAMED = 5


def guard_sentence(proof: Proof) -> str:
    """What the check says with the originals of the protected files; empty where there is nothing
    to say."""
    if proof.originals_exit is None:
        return ""
    if proof.originals_exit == 0:
        return "with the original tests: green"
    failing = proof.originals_failing
    more = f" and {len(failing) - _NAMED} more" if len(failing) > _NAMED else ""
    return f"with the original tests: {len(failing)} failing: {', '.join(failing[:_NAMED])}{more}"


def _guard_lines(proof: Proof) -> list[str]:
    lines = []
    if sentence := guard_sentence(proof):
        lines.append(f"originals {sentence}")
    if proof.protected:
        lines.append(f"decides   {_listed(proof.protected)} (changed; decides the verdict)")
    if proof.new_tests:
        lines.append(f"new       {_listed(proof.new_tests)} (has a say in the verdict)")
    return lines


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(repr(name)[1:-1] for name in names[:_NAMED]) + more


def recorded_card(text: str) -> list[str]:
    """The card of a proof as it was recorded; one line where that cannot be read."""
    try:
        return card_lines(Proof.from_json(text))
    except ValueError as error:
        return [f"verdict   {error}"]


def card_lines(proof: Proof) -> list[str]:
    """The card as plain lines, for a terminal or a report; no text from outside adds one."""
    lines = [
        f"verdict   {_verdict(proof)}{_how(proof)}",
        f"tests     {_tests(proof)}",
        *_guard_lines(proof),
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
    return [on_one_line(line) for line in lines]


def _verdict(proof: Proof) -> str:
    if proof.partial:
        return f"PARTLY HEALED (not verified, {proof.partial})"
    if proof.only_with_changed_tests:
        return NOT_WITH_ORIGINALS
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
