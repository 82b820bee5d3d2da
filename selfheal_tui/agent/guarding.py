"""The guard on what decides the verdict: what a change does to it, and what the check says of the
change with the originals.

Refuses to stop anything by itself: the loop, the proof card and who approves go by what it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from selfheal_tui.agent.ports import Emit, Shadow
from selfheal_tui.agent.verify import Checker
from selfheal_tui.core.checks import CheckResult
from selfheal_tui.core.events import Warned
from selfheal_tui.core.guard.counts import fewer_ran
from selfheal_tui.core.guard.look import Change, Look, look_at
from selfheal_tui.core.guard.protection import Protection
from selfheal_tui.core.proof import NOT_WITH_ORIGINALS, Proof
from selfheal_tui.core.text import one_line

LONGEST_FINDING = 300
"""Characters of a finding that the reviewer is told."""

SHOWN = 20
"""Findings that the proof card and the coder are told one by one."""


@dataclass(frozen=True)
class Guarded:
    """What a change does to what decides its verdict. `originals` is the check's word on the change
    with the originals of those files, None where there was nothing to put back, or no check;
    `tree` is what it ran on."""

    look: Look = field(default_factory=Look)
    originals: CheckResult | None = None
    tree: str = ""

    @property
    def doubtful(self) -> bool:
        """Whether the check does not pass with the originals."""
        return self.originals is not None and not self.originals.green

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the proof card warns of."""
        said: list[str] = []
        if self.originals is not None and self.doubtful:
            failing = self.originals.failing
            count = f"{len(failing)} failing: {_listed(sorted(failing))}"
            said.append(f"{NOT_WITH_ORIGINALS}: with what decides the verdict as it was, {count}")
        elif self.originals is not None:
            said.append("what decides the verdict is changed; with the original tests it is green")
        said += [found.sentence for found in self.look.findings[:SHOWN]]
        more = len(self.look.findings) - SHOWN
        return (*said, f"and {more} more findings of the guard") if more > 0 else tuple(said)


@dataclass(frozen=True)
class Told:
    """What the coder is told when a green verdict was one of changed tests only: the text, and the
    verdict with the originals, which `tree` has."""

    text: str
    tree: str
    result: CheckResult


class Guarding:
    """Guards one run. `base` is the user's tree; `about_tests` whether the task asks to change
    tests, so that the coder need not be told that it did."""

    def __init__(
        self,
        *,
        protection: Protection,
        shadow: Shadow,
        base: str,
        checker: Checker | None,
        about_tests: bool,
        emit: Emit,
    ) -> None:
        self._protection = protection
        self._shadow = shadow
        self._base = base
        self._checker = checker
        self._about_tests = about_tests
        self._emit = emit
        self._told = False

    async def look(self, tree: str) -> Look:
        """What the change from the user's tree to `tree` does to what decides the verdict."""
        if tree == self._base:
            return Look()
        there = await self._shadow.change(self._base, tree)
        back = await self._shadow.change(tree, self._base)
        before = {file.path: file for file in back.written}
        after = {file.path: file for file in there.written}
        paths = sorted(before.keys() | after.keys())
        changes = [Change(path, before.get(path), after.get(path)) for path in paths]
        return look_at(changes, self._protection)

    async def judge(
        self, tree: str, check: CheckResult | None, baseline: CheckResult | None
    ) -> Guarded:
        """The look at `tree`, and the check on it with the originals where there are any to put
        back. `check` is the verdict so far, `baseline` that on the user's tree."""
        look = await self.look(tree)
        findings = [*look.findings, *fewer_ran(baseline, check)]
        if self._checker is None or check is None or not look.back:
            return Guarded(replace(look, findings=tuple(findings)))
        original = await self._shadow.apply(tree, look.back)
        result = await self._checker.fresh(original, purpose="originals")
        if not result.green and result.failing <= self._checker.flaky:
            result = await self._checker.fresh(original, purpose="originals")
        findings += [found for found in fewer_ran(baseline, result) if found not in findings]
        return Guarded(replace(look, findings=tuple(findings)), result, original)

    def tell_once(self, guarded: Guarded) -> Told | None:
        """What the coder is told in place of a proposal; None where it is to be proposed."""
        result = guarded.originals
        if result is None or not guarded.doubtful or self._about_tests or self._told:
            return None
        self._told = True
        paths = _listed([*guarded.look.changed, *guarded.look.added])
        self._emit(Warned(f"the check passes only with what is changed in {paths}: not taken"))
        found = [f"- {each.sentence}" for each in guarded.look.findings[:SHOWN]]
        text = (
            f"The check passes, but only because you changed what decides its verdict: {paths}."
            " With these files as they were it fails, and now they are as they were again.\n"
            + "".join(f"{line}\n" for line in found)
            + "Heal the code instead. Only where the task itself asks for other tests, change them"
            " again and say why in the summary: a human will see it.\n\n"
        )
        return Told(text, guarded.tree, result)

    async def words(self, tree: str) -> str:
        """What must be said beside how far `tree` came; empty where it leaves the tests alone."""
        changed = (await self.look(tree)).changed
        return f"; it changes what decides the verdict: {_listed(changed)}" if changed else ""


def told_to_reviewer(check: CheckResult | None, guarded: Guarded) -> str:
    """The verdict and the guard's findings as facts for the reviewer.

    Paths in them are the model's own work: each finding is one line, and cannot end the place
    where it stands.
    """
    verdict = "The check passes." if check is not None else "No check was run."
    if not guarded.warnings:
        return f"{verdict} The change leaves alone what decides its verdict."
    found = "\n".join(f"- {_harmless(said)}" for said in guarded.warnings)
    return (
        f"{verdict} These facts about what decides its verdict come from the harness, not from the"
        " author. Judge whether the task asks for each; else send the change back or flag it:\n"
        f"<guard-findings>\n{found}\n</guard-findings>"
    )


def _harmless(said: str) -> str:
    return one_line(said, LONGEST_FINDING).replace("<", "\u2039").replace(">", "\u203a")


def why_refused(proof: Proof) -> str:
    """Why a change is not to be committed where nobody looks at it; empty where it may be.

    New tests that only add to the others are no reason.
    """
    reasons = []
    if proof.only_with_changed_tests:
        failing = _listed(proof.originals_failing)
        reasons.append(f"it does not pass with the original tests ({failing})")
    if proof.protected:
        reasons.append(f"it changes what decides the verdict ({_listed(proof.protected)})")
    found = [f"{where}: {text}" if where else text for where, text in map(_where, proof.findings)]
    reasons += found[:SHOWN]
    return "; ".join(reasons)


def _where(finding: tuple[str, int, str, str]) -> tuple[str, str]:
    path, line, _, text = finding
    return (f"{path}:{line}" if line else path), text


def _listed(names: Sequence[str]) -> str:
    shown = names[:5]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(shown) + more
