"""A session as a Markdown document, made from its events: for people to read and to pass on.

A pure function. Output and answers stand in fenced blocks that their content cannot end. Refuses
to hold more of one block than `core.markdown.BLOCK` characters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from selfheal_tui.core import events as e
from selfheal_tui.core.delegation import part_line
from selfheal_tui.core.environment_words import environment_words
from selfheal_tui.core.markdown import code, fenced, folded, plain
from selfheal_tui.core.proof import recorded_card
from selfheal_tui.core.text import fold_terminal, one_line

MOST = 50
"""Names that are listed of one check or one change at most."""

_NOTE = "- "


def transcript(record: Iterable[tuple[e.Event, float]]) -> str:
    """The whole document; `record` are events in order, each with its time in seconds."""
    telling = _Telling()
    blocks = [block for event, at in record for block in telling.see(event, at)]
    return _joined([*blocks, *telling.rest()])


def _joined(blocks: Sequence[str]) -> str:
    """One after the other; notes that follow each other are one list."""
    parts: list[str] = []
    for before, block in zip(["", *blocks], blocks, strict=False):
        both_notes = before.startswith(_NOTE) and block.startswith(_NOTE)
        parts += ["\n" if both_notes else "\n\n" if parts else "", block]
    return "".join(parts) + "\n"


@dataclass
class _Telling:
    """What was seen and is not told yet: streamed pieces, open calls, counts."""

    task: str = ""
    thinking: dict[str, list[str]] = field(default_factory=dict)
    printed: dict[str, list[str]] = field(default_factory=dict)
    commands: dict[str, e.CommandStarted] = field(default_factory=dict)
    calls: dict[str, e.ToolCalled] = field(default_factory=dict)
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0
    started: bool = False
    ended: bool = False

    def see(self, event: e.Event, at: float) -> Iterator[str]:
        """The blocks that an event completes."""
        match event:
            case e.SessionStarted():
                yield from self._start(event, at)
            case e.SessionEnded():
                yield from self._end(event)
            case e.TurnStarted() | e.TurnRetried() | e.TurnEnded() | e.ReasoningStreamed():
                yield from self._turn(event)
            case e.ToolCalled():
                self.calls[event.id] = event
            case e.ToolReturned():
                yield _tool(self.calls.pop(event.id, None), event)
            case e.CommandStarted() | e.CommandPrinted() | e.CommandEnded():
                yield from self._command(event)
            case e.MessageSent() if event.text.strip() == self.task.strip():
                return  # It stands at the top.
            case _:
                yield from _part(event)

    def rest(self) -> Iterator[str]:
        """What a session that did not come to its end leaves open."""
        for call in self.calls.values():
            yield _tool(call, None)
        if not self.started:
            yield "# selfheal\n\nThere are no events."
        elif not self.ended:
            yield "## Outcome\n\nThe session has not ended."

    def _start(self, event: e.SessionStarted, at: float) -> Iterator[str]:
        when = _time(at)
        if self.started:
            yield f"# Taken up again: {plain(event.task, 100)}\n\n- started: {when}"
        else:
            facts = (
                f"- session: {code(event.session)}",
                f"- repository: {code(event.repository)}",
                f"- started: {when}",
                f"- selfheal {plain(event.version)}",
            )
            yield f"# {plain(event.task, 100) or 'selfheal'}"
            yield "\n".join(facts)
        if event.task != self.task:
            yield f"## Task\n\n{fenced(event.task)}"
        self.task, self.started, self.ended = event.task, True, False

    def _end(self, event: e.SessionEnded) -> Iterator[str]:
        self.ended = True
        used = f"{self.tokens_in} in, {self.tokens_out} out"
        yield f"## Outcome: {plain(event.outcome)}\n\n{plain(event.text)}"
        yield "\n".join(
            (
                f"- exit code: {event.exit_code}",
                f"- time: {event.seconds:.1f} s",
                f"- cost: {max(event.cost, self.cost):.4f} USD",
                f"- tokens: {used}",
            )
        )

    def _turn(
        self, event: e.TurnStarted | e.TurnRetried | e.TurnEnded | e.ReasoningStreamed
    ) -> Iterator[str]:
        match event:
            case e.TurnStarted():
                self.thinking[event.id] = []
            case e.ReasoningStreamed():
                self.thinking.setdefault(event.id, []).append(event.text)
            case e.TurnRetried():
                # What was streamed of it was never said.
                self.thinking[event.id] = []
                yield _note(f"{event.model}: {event.reason}; asked again after {event.delay:.1f} s")
            case e.TurnEnded():
                self.tokens_in += event.input_tokens
                self.tokens_out += event.output_tokens
                self.cost = max(self.cost, event.total_cost)
                yield from self._said(event)

    def _said(self, event: e.TurnEnded) -> Iterator[str]:
        thinking = "".join(self.thinking.pop(event.id, ()))
        head = f"### {plain(event.role.capitalize())} ({plain(event.model)})"
        parts = [folded("thinking", fenced(thinking, "markdown"))] if thinking.strip() else []
        if event.text.strip():
            parts.append(fenced(event.text, "markdown"))
        if event.finish in ("error", "cancelled"):
            parts.append(_note(f"the request ended: {event.finish}"))
        if parts:
            yield "\n\n".join([head, *parts])

    def _command(
        self, event: e.CommandStarted | e.CommandPrinted | e.CommandEnded
    ) -> Iterator[str]:
        match event:
            case e.CommandStarted():
                self.commands[event.id] = event
            case e.CommandPrinted():
                self.printed.setdefault(event.id, []).append(event.text)
            case e.CommandEnded():
                command = self.commands.pop(event.id, None)
                output = "".join(self.printed.pop(event.id, ()))
                # A tool's command is told with the tool, in the words that the model was told.
                if command and command.purpose != "tool":
                    yield _ran(command, event, output)


def _ran(command: e.CommandStarted, event: e.CommandEnded, output: str) -> str:
    marks = [f"exit {event.exit_code}", f"{event.seconds:.1f} s"]
    marks += ["timed out"] if event.timed_out else []
    marks += ["out of memory"] if event.out_of_memory else []
    marks += ["cancelled"] if event.cancelled else []
    head = f"$ {one_line(command.command, 200)}   [{command.purpose}: {', '.join(marks)}]"
    shown = fold_terminal(output)
    return folded(head, fenced(command.command, "sh"), fenced(shown) if shown.strip() else "")


def _tool(call: e.ToolCalled | None, event: e.ToolReturned | None) -> str:
    name = call.name if call else event.name if event else ""
    arguments = _arguments(call.arguments) if call else {}
    state = "" if event and event.ok else " (failed)" if event else " (did not return)"
    told = arguments.get("command") or arguments.get("path") or arguments.get("pattern") or ""
    head = f"{call.role if call else 'tool'}: {name} {one_line(str(told), 160)}".rstrip() + state
    blocks = [fenced(value, name) for name, value in _shown(arguments, call)]
    if event and event.text.strip():
        blocks.append(fenced(fold_terminal(event.text)))
    return folded(head, *blocks)


def _arguments(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _shown(arguments: dict[str, object], call: e.ToolCalled | None) -> Iterator[tuple[str, str]]:
    """The arguments of a call as pairs of an info word and a text."""
    if set(arguments) == {"command"}:
        yield "sh", str(arguments["command"])
    elif arguments:
        yield "json", json.dumps(arguments, indent=2, ensure_ascii=False)
    elif call and call.arguments.strip() not in ("", "{}"):
        yield "text", call.arguments


def _part(event: e.Event) -> Iterator[str]:
    """What an event says by itself."""
    match event:
        case e.PlanProposed():
            yield f"## Plan\n\n{_numbered(event.steps)}"
            if event.files:
                yield f"Files: {_names(event.files)}"
            if event.parts:
                yield f"In parts: {plain('; '.join(event.parts))}"
        case e.PartsDeclined() | e.PartStarted() | e.PartEnded() | e.PartsMerged():
            yield _note(part_line(event))
        case e.PlanUpdated():
            ticks = {"done": "x"}
            items = (f"- [{ticks.get(state, ' ')}] {plain(text)}" for text, state in event.items)
            yield "Plan as it stands:\n\n" + "\n".join(items)
        case e.AttemptStarted():
            yield f"## Attempt {event.number} of {event.of}"
        case e.CheckEnded():
            yield _check(event)
        case e.TreeChanged() if event.files:
            yield _changed(event)
        case e.ReviewGiven():
            risks = "\n".join(f"- risk: {plain(risk)}" for risk in event.risks)
            parts = (f"## Review: {plain(event.verdict)}", _text(event.comments), risks)
            yield "\n\n".join(part for part in parts if part)
        case e.ProposalMade():
            yield from _proposal(event)
        case e.MessageSent():
            yield f"### You\n\n{fenced(event.text)}"
        case e.QuestionAsked():
            yield f"### The model asks\n\n{fenced(event.text)}"
        case e.QuestionAnswered():
            yield f"### Answered\n\n{fenced(event.text)}"
        case e.ApprovalAsked():
            yield f"## Approval: {plain(event.kind)}\n\n{fenced(_indented(event.request), 'json')}"
        case _:
            yield from (_note(text) for text in _notes(event))


def _notes(event: e.Event) -> list[str]:
    """Events that are one sentence each; nothing for what is detail."""
    match event:
        case e.Warned() | e.LimitWasReached():
            return [f"warning: {event.text}"]
        case e.SnapshotTaken():
            branch = event.branch.removeprefix("refs/heads/") or "no branch"
            dirty = f", {len(event.dirty)} with uncommitted changes" if event.dirty else ""
            return [f"snapshot of {event.files} files on {branch}{dirty}"]
        case e.StepEnded():
            state = "ready" if event.ok else "failed"
            return [f"{event.name} {state} after {event.seconds:.1f} s {event.detail}".rstrip()]
        case e.SandboxOpened():
            image = f" {event.image}" if event.image else ""
            return [f"sandbox: {event.kind}{image}, network {event.network}; {event.isolation}"]
        case e.SandboxWasLost():
            return [f"the sandbox ended: {event.reason}"]
        case e.EnvironmentLacked() | e.EnvironmentHealed() | e.EnvironmentNotHealed():
            return environment_words(event).splitlines()
        case e.CheckChosen():
            return [f"check: {event.command or 'none'} ({event.source})"]
        case e.AttemptEnded():
            failing = f", {len(event.failing)} failing" if event.failing else ""
            return [f"attempt {event.number}: {event.outcome}{failing} {event.summary}".rstrip()]
        case e.RolledBack():
            return [f"rolled back to the best state: {event.reason}"]
        case e.ModelSwitched():
            return [f"{event.failed} is given up ({event.reason}); asking {event.model}"]
        case e.Nudged():
            return [f"nudged the {event.role}: {event.reason}"]
        case e.HistoryCompacted():
            tokens = f"{event.before} to {event.after} tokens"
            return [f"older turns of the {event.role} were shortened: about {tokens}"]
        case e.HunksRefused():
            return [
                f"you took out {header or 'all'} of {path}: {reason or 'no reason given'}"
                for path, header, reason in event.hunks
            ]
        case _:
            return _done(event)


def _done(event: e.Event) -> list[str]:
    """What was answered, and what then happened to the repository."""
    match event:
        case e.ApprovalAnswered():
            word = "approved" if event.granted else "refused"
            reason = f": {event.reason}" if event.reason else ""
            return [f"{event.kind} {word} by {event.by}{reason}"]
        case e.ApprovalWithdrawn():
            return [f"{event.kind} no longer holds: {event.reason}"]
        case e.Committed():
            return [f"committed {event.commit} to {event.ref}"]
        case e.WorktreeUpdated():
            return [f"written into the working tree, nothing committed: {', '.join(event.paths)}"]
        case e.Pushed():
            return [f"pushed {event.commit} to {event.url} {event.ref}"]
        case e.Undone():
            return [f"undone: {event.ref} is back at {event.new}, without {event.commit}"]
        case e.UndoFailed():
            return [f"not undone: {event.reason}"]
        case _:
            return []


def _proposal(event: e.ProposalMade) -> Iterator[str]:
    yield f"## Proposal\n\n{fenced(event.message)}"
    yield "Proof card:\n\n" + fenced("\n".join(recorded_card(event.proof)))
    yield folded("the change", fenced(event.patch, "diff"))


def _check(event: e.CheckEnded) -> str:
    state = "green" if event.green else "red"
    head = f"**Check ({plain(event.purpose)}): {state}**, exit {event.exit_code}"
    passed = f", {event.passed} passed" if event.passed is not None else ""
    count = f", {len(event.failing)} failing" if event.failing else ""
    flaky = [f"- {code(name)} (flaky)" for name in event.flaky[:MOST]]
    failing = [f"- {code(name)}" for name in event.failing if name not in event.flaky]
    lines = [f"{head}{passed}{count}, {event.seconds:.1f} s", *_most(failing), *flaky]
    return "\n".join([lines[0], "", *lines[1:]]) if len(lines) > 1 else lines[0]


def _changed(event: e.TreeChanged) -> str:
    rows = [f"- {code(path)} +{added} -{removed}" for path, added, removed in event.files]
    return "\n".join(["Changed so far:", "", *_most(rows)])


def _most(rows: Sequence[str]) -> list[str]:
    more = len(rows) - MOST
    return [*rows[:MOST], f"- and {more} more"] if more > 0 else list(rows)


def _numbered(steps: Sequence[str]) -> str:
    return "\n".join(f"{number}. {plain(step)}" for number, step in enumerate(steps, 1))


def _names(paths: Sequence[str]) -> str:
    return ", ".join(map(code, paths[:MOST]))


def _text(text: str) -> str:
    return fenced(text, "markdown") if text.strip() else ""


def _indented(request: str) -> str:
    found = _arguments(request)
    return json.dumps(found, indent=2, ensure_ascii=False) if found else request


def _note(text: str) -> str:
    return f"{_NOTE}{plain(text)}"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
