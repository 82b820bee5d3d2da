"""Which failures of a heal are remembered, and what is redacted before it is."""

from __future__ import annotations

from selfheal_tui.agent.brief import notes_of_earlier_heals
from selfheal_tui.agent.memory import Memory
from selfheal_tui.agent.outcome import Healed
from selfheal_tui.core.checks import CheckResult, Failure
from selfheal_tui.core.events import Committed, IncidentRemembered, Warned
from selfheal_tui.core.incident import MAX_PATCH, Note
from selfheal_tui.core.redact import Redactor

DONE = Committed("c" * 40, "t", "refs/heads/x", worktree_updated=False, message="Mend\n\nAll.")
PATCH = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x\n+{}\n"
FAILURES = tuple(Failure(name, f"ValueError: {name} of tax") for name in ("rate", "sum", "flaky"))


class Kept:
    """Remembers in a list."""

    def __init__(self, warning=""):
        self.warning = warning
        self.incidents = []
        self.asked = []

    async def remember(self, incident):
        self.incidents.append(incident)
        return None if self.warning else len(self.incidents)

    async def similar(self, signature, limit=3):
        self.asked.append(signature)
        return ()


def result(*failures):
    return CheckResult("check", 1 if failures else 0, 0.1, failures)


def healed(check, failures=FAILURES):
    return Healed("t", "t", check, result(*failures), frozenset({"flaky"}), 1, "Did it.", "m", None)


def memory_of(kept, *secrets):
    events = []
    memory = Memory(kept, repository="/r", redactor=Redactor(secrets), emit=events.append)
    return memory, events


async def remembered(check, patch=PATCH, secrets=(), failures=FAILURES):
    kept = Kept()
    memory, _ = memory_of(kept, *secrets)
    memory.offer(healed(check, failures), patch.format("y"), "m")
    await memory.remember(DONE)
    return kept.incidents


async def test_what_still_fails_or_flakes_is_not_what_was_fixed():
    (incident,) = await remembered(result(FAILURES[1]))
    assert [each.error for each in incident.signature.symptoms] == ["ValueError: rate of tax"]
    assert (incident.message, incident.summary, incident.files) == ("Mend", "Did it.", ("a.py",))


async def test_without_a_check_or_a_fixed_failure_nothing_is_kept():
    assert await remembered(None) == []
    assert await remembered(result(*FAILURES)) == []


async def test_a_secret_goes_before_its_digits_and_before_the_patch_is_cut():
    secret = "abc123def456ghi" * 3
    failure = Failure("rate", f"ValueError: no rate for {secret}", "", f"  File {secret}")
    # The secret lies across the end of the excerpt.
    patch = PATCH.format("z" * (MAX_PATCH - 70)) + f"+{secret}\n"
    (incident,) = await remembered(result(), patch, [secret], (failure,))
    assert incident.signature.symptoms[0].error == "ValueError: no rate for [redacted]"
    assert "abc" not in incident.patch


async def test_what_is_looked_up_is_redacted_too():
    kept = Kept()
    memory, _ = memory_of(kept, "hunter2-swordfish")
    failing = result(Failure("t", "KeyError: 'hunter2-swordfish' is no rate"))
    assert await memory.recall(failing, "/work") == ""
    assert kept.asked[0].symptoms[0].names == ()
    assert "hunter" not in kept.asked[0].to_json()


async def test_a_green_check_or_no_check_asks_nothing():
    kept = Kept()
    memory, events = memory_of(kept)
    assert await memory.recall(None, "") + await memory.recall(result(), "") == ""
    assert (kept.asked, events) == ([], [])


async def test_a_memory_that_keeps_nothing_says_why_once():
    memory, events = memory_of(Kept("there is no FTS5"))
    await memory.recall(result(*FAILURES), "")
    memory.offer(healed(result()), PATCH.format("y"), "m")
    await memory.remember(DONE)
    assert events == [Warned("there is no FTS5")]


async def test_a_heal_that_is_kept_is_told():
    memory, events = memory_of(Kept())
    memory.offer(healed(result()), PATCH.format("y"), "m")
    await memory.remember(DONE)
    (told,) = events
    assert isinstance(told, IncidentRemembered)
    assert (told.id, told.error) == (1, "ValueError: rate of tax")


def test_a_brief_without_notes_has_no_end_for_them():
    assert notes_of_earlier_heals([]) == ""
    assert notes_of_earlier_heals([Note("a", "b")]).endswith("\n- a: b\n</earlier-heals>")
