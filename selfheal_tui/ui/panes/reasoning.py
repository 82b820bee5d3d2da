"""What the agent thinks, says and does: plan, text, tool calls, the user's messages, attempts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from selfheal_tui.core import events as e
from selfheal_tui.core.delegation import PartEvent, part_line
from selfheal_tui.core.environment_words import environment_words
from selfheal_tui.ui.panes.pane import Pane
from selfheal_tui.ui.widgets.block import Block
from selfheal_tui.ui.widgets.entries import (
    DividerBlock,
    MessageBlock,
    NoteBlock,
    TextBlock,
    ThinkingBlock,
    ToolBlock,
)
from selfheal_tui.ui.widgets.lines import counted, line, seconds, shown
from selfheal_tui.ui.widgets.plan import PlanBlock
from selfheal_tui.ui.widgets.recalled import RecalledBlock
from selfheal_tui.ui.widgets.rows import Rows

_OUTCOMES = {
    "green": "ok",
    "better": "accent",
    "not verified": "warned",
    "same": "warned",
    "worse": "failed",
}


@dataclass
class _Turn:
    """What is on the screen of a turn that streams."""

    id: str
    role: str = ""
    text: TextBlock | None = None
    thinking: ThinkingBlock | None = None
    blocks: list[Block] = field(default_factory=list)


class ReasoningPane(Pane):
    """The conversation."""

    name_shown: ClassVar[str] = "Reasoning"
    skips: ClassVar[frozenset[type]] = frozenset({e.CommandPrinted, e.StepProgressed})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "plan", "fold the plan", show=False),
        Binding("e", "app.edit_plan", "edit the plan"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._rows = Rows(follows=True, id="talk")
        self._plan_rows = Rows(short=True, id="plan")
        self._plan = PlanBlock()
        self._turns: dict[str, _Turn] = {}
        self._models: dict[str, str] = {}
        self._tools: dict[str, ToolBlock] = {}
        self._attempt: DividerBlock | None = None
        self._role = ""

    def parts(self) -> ComposeResult:
        yield self._plan_rows
        yield self._rows

    @property
    def rows(self) -> Rows:
        return self._rows

    @property
    def plan(self) -> tuple[tuple[str, str], ...]:
        """The plan as it stands: pairs of text and state; empty before there is one."""
        return self._plan.items

    def busy(self) -> bool:
        return bool(self._turns)

    def draw(self) -> None:
        self._plan_rows.display = bool(self._plan.items)
        self._plan_rows.sync()
        self._rows.sync()

    def action_plan(self) -> None:
        """Fold or unfold the plan."""
        self._plan.toggle()
        self._plan_rows.sync()

    # --- events ----------------------------------------------------------------------------

    def see(self, event: e.Event, at: float) -> None:
        match event:
            case e.TextStreamed() | e.ReasoningStreamed():
                self._stream(event, at)
            case e.TurnStarted() | e.TurnRetried() | e.ModelSwitched() | e.TurnEnded():
                self._see_turn(event, at)
            case e.ToolCalled() | e.ToolReturned():
                self._see_tool(event, at)
            case e.AttemptStarted() | e.AttemptEnded() | e.RolledBack():
                self._see_attempt(event)
            case e.PlanProposed():
                self._show_plan(tuple((step, "todo") for step in event.steps))
                if event.parts:
                    self._put(NoteBlock(f"planned in parts: {'; '.join(event.parts)}", "accent"))
            case e.PartStarted() | e.PartEnded() | e.PartsMerged() | e.PartsDeclined():
                self._put(_part(event))
            case e.PlanUpdated():
                self._show_plan(event.items)
            case e.MessageSent():
                self._put(MessageBlock("You", event.text))
            case e.QuestionAsked():
                self._put(MessageBlock("The model asks", event.text, "accent"))
            case e.QuestionAnswered():
                self._put(MessageBlock("Answer", event.text))
            case e.ReviewGiven():
                self._review(event)
            case _:
                self._see_other(event)

    def _put(self, block: Block) -> None:
        self._rows.append(block)

    def _show_plan(self, items: tuple[tuple[str, str], ...]) -> None:
        if not self._plan.items:
            self._plan_rows.append(self._plan)
        self._plan.show(items)

    def _stream(self, event: e.TextStreamed | e.ReasoningStreamed, at: float) -> None:
        turn = self._turns.setdefault(event.id, _Turn(event.id))
        if isinstance(event, e.ReasoningStreamed):
            if turn.thinking is None or turn.thinking.done:
                turn.thinking = ThinkingBlock(at)
                self._put_in(turn, turn.thinking)
            turn.thinking.add(event.text)
            return
        if turn.thinking is not None:
            turn.thinking.finish(at)
        if turn.text is None:
            turn.text = TextBlock()
            self._put_in(turn, turn.text)
        turn.text.add(event.text)

    def _put_in(self, turn: _Turn, block: Block) -> None:
        self._name_role(turn.role)
        turn.blocks.append(block)
        self._put(block)

    def _see_turn(
        self, event: e.TurnStarted | e.TurnRetried | e.ModelSwitched | e.TurnEnded, at: float
    ) -> None:
        match event:
            case e.TurnStarted():
                self._models[event.role] = event.model
                if not self._turns:
                    # Beside others a heading comes with the first word under it.
                    self._name_role(event.role)
                self._turns[event.id] = _Turn(event.id, event.role)
            case e.TurnRetried():
                self._void(event.id)
                wait = f"asking again in {seconds(event.delay)}"
                self._put(NoteBlock(f"{event.model}: {event.reason}; {wait}", "warned"))
            case e.ModelSwitched():
                self._void(event.id)
                text = f"{event.failed} is given up ({event.reason}); asking {event.model}"
                self._put(NoteBlock(text, "warned"))
            case e.TurnEnded():
                self._end_turn(event, at)

    def _name_role(self, role: str) -> None:
        """Say who speaks, wherever it is not who spoke last: parts speak across each other."""
        if not role or role == self._role:
            return
        self._role = role
        name = shown(role).capitalize()
        model = shown(self._models.get(role, ""))
        self._put(_RoleBlock(line((name, "title"), (f"  {model}", "dim"))))

    def _void(self, turn_id: str) -> None:
        """What streamed of a failed request was never said."""
        turn = self._turns.get(turn_id)
        if turn is None:
            return
        for block in turn.blocks:
            self._rows.remove_block(block)
        self._turns[turn_id] = _Turn(turn_id, turn.role)

    def _end_turn(self, event: e.TurnEnded, at: float) -> None:
        turn = self._turns.pop(event.id, None) or _Turn(event.id)
        if turn.thinking is not None:
            turn.thinking.finish(at)
        if event.text.strip():
            if turn.text is None:
                turn.text = TextBlock()
                self._put_in(turn, turn.text)
            turn.text.finish(event.text)
        if event.finish in ("error", "cancelled"):
            word = "stopped" if event.finish == "cancelled" else "failed"
            self._put(NoteBlock(f"the request to {event.model} {word}", "warned"))

    def _see_tool(self, event: e.ToolCalled | e.ToolReturned, at: float) -> None:
        if isinstance(event, e.ToolCalled):
            block = ToolBlock(event.name, event.arguments, at)
            self._tools[event.id] = block
            self._name_role(event.role)
            self._put(block)
        elif running := self._tools.pop(event.id, None):
            running.finish(event.text, at, ok=event.ok)

    def _see_attempt(self, event: e.AttemptStarted | e.AttemptEnded | e.RolledBack) -> None:
        match event:
            case e.AttemptStarted():
                self._attempt = DividerBlock(f"Attempt {event.number} of {event.of}")
                self._put(self._attempt)
                self._role = ""
                self.subtitle = f"attempt {event.number} of {event.of}"
            case e.AttemptEnded():
                outcome = _outcome(event)
                if self._attempt is not None:
                    self._attempt.finish(outcome)
                ended = line((f"Attempt {event.number}: ", "dim")) + outcome
                self._put(_RoleBlock(ended))
            case e.RolledBack():
                self._put(NoteBlock(f"rolled back to the best state: {event.reason}", "warned"))

    def _review(self, event: e.ReviewGiven) -> None:
        style = {"approve": "ok", "send_back": "warned"}.get(event.verdict, "failed")
        verdict = {"approve": "approved", "send_back": "sent back", "flag": "flagged for you"}
        risks = "".join(f"\n- {risk}" for risk in event.risks)
        detail = event.comments + (f"\n\nRisks:\n{risks}" if risks else "")
        said = verdict.get(event.verdict, event.verdict)
        self._put(NoteBlock(f"Review: {said}", style, detail=detail))

    def _see_other(self, event: e.Event) -> None:
        """Remarks in between; what is left belongs to other panes."""
        note = _note(event)
        if note is not None:
            self._put(note)


class _RoleBlock(Block):
    """A heading or an ending of a part of the conversation, with room above it."""

    def __init__(self, content: Content) -> None:
        super().__init__()
        self._content = content

    def make(self, width: int) -> list[Content]:
        shown_line = self._content.truncate(width, ellipsis=True)
        return [Content(""), shown_line]


def _outcome(event: e.AttemptEnded) -> Content:
    word = line((shown(event.outcome), _OUTCOMES.get(event.outcome, "warned")))
    failing = line((f" · {counted(len(event.failing), 'failing test')}", "dim"))
    return word + failing if event.failing else word


def _part(event: PartEvent) -> NoteBlock:
    match event:
        case e.PartEnded():
            style = "ok" if event.outcome == "submitted" else "warned"
        case e.PartsMerged():
            style = "warned" if event.conflicts else "ok"
        case e.PartStarted():
            style = "accent"
        case e.PartsDeclined():
            style = "dim"
    return NoteBlock(part_line(event), style)


def _note(event: e.Event) -> Block | None:
    match event:
        case e.IncidentsRecalled():
            return RecalledBlock(event.notes)
        case e.IncidentRemembered():
            return NoteBlock(f"remembered for later: {event.error}", "dim")
        case e.Warned() | e.LimitWasReached():
            return NoteBlock(event.text, "warned")
        case e.Nudged():
            return NoteBlock(f"nudged the {event.role}: {event.reason}", "warned")
        case e.EnvironmentLacked() | e.EnvironmentHealed() | e.EnvironmentNotHealed():
            style = "ok" if isinstance(event, e.EnvironmentHealed) else "warned"
            return NoteBlock(environment_words(event).split("\n", 1)[0], style)
        case e.HistoryCompacted():
            tokens = f"{event.before} to {event.after} tokens"
            return NoteBlock(f"older turns of the {event.role} shortened: about {tokens}", "dim")
        case e.SandboxWasLost():
            return NoteBlock(f"the sandbox ended: {event.reason}", "failed")
        case e.ProposalMade():
            return _proposal(event)
        case e.ApprovalAsked():
            return NoteBlock(f"waiting for your approval: {event.kind}", "accent")
        case e.ApprovalAnswered():
            return _answer(event)
        case e.ApprovalWithdrawn():
            return NoteBlock(f"{event.kind} withdrawn: {event.reason}", "warned")
        case e.HunksRefused():
            return _refused(event)
        case e.Committed():
            return NoteBlock(f"committed {event.commit[:12]} to {event.ref}", "ok")
        case e.WorktreeUpdated():
            return _updated(event)
        case e.UndoStarted():
            return NoteBlock(f"taking {event.commit[:12]} back from {event.ref}", "accent")
        case e.Undone():
            return _undone(event)
        case e.UndoFailed():
            return NoteBlock(f"not undone: {event.reason}", "failed")
        case e.Pushed():
            return NoteBlock(f"pushed {event.commit[:12]} to {event.url} {event.ref}", "ok")
        case e.SessionEnded():
            style = "ok" if event.exit_code == 0 else "failed"
            return NoteBlock(f"{event.outcome}: {event.text}", style)
        case _:
            return None


def _proposal(event: e.ProposalMade) -> NoteBlock:
    verified = bool(json.loads(event.proof).get("verified"))
    word = "verified" if verified else "not verified"
    first = event.message.strip().split("\n", 1)[0]
    return NoteBlock(f"proposal, {word}: {first}", "ok" if verified else "warned")


def _answer(event: e.ApprovalAnswered) -> NoteBlock:
    reason = f": {event.reason}" if event.reason else ""
    if event.granted:
        return NoteBlock(f"{event.kind} approved by {event.by}", "ok")
    return NoteBlock(f"{event.kind} refused by {event.by}{reason}", "failed")


def _refused(event: e.HunksRefused) -> NoteBlock:
    """What the user took out: how many hunks of which file, and why."""
    told: dict[tuple[str, str], list[str]] = {}
    for path, header, reason in event.hunks:
        told.setdefault((path, reason), []).append(header)
    parts = [_taken_out(path, headers, reason) for (path, reason), headers in told.items()]
    return NoteBlock(f"you took {'; '.join(parts)}", "warned")


def _taken_out(path: str, headers: list[str], reason: str) -> str:
    whole = "" in headers
    what = f"all of {path} out" if whole else f"{counted(len(headers), 'hunk')} out of {path}"
    return f"{what}: {reason}" if reason else what


def _updated(event: e.WorktreeUpdated) -> NoteBlock:
    files = counted(len(event.paths), "file")
    return NoteBlock(f"your working tree has the change: {files}, nothing committed", "ok")


def _undone(event: e.Undone) -> NoteBlock:
    text = f"took {event.commit[:12]} back: {event.ref} is at {event.new[:12]} again"
    if event.restored:
        text += f", {counted(len(event.restored), 'file')} restored"
    if event.kept:
        text += f"; edited since and left as they are: {', '.join(event.kept)}"
    return NoteBlock(text, "warned" if event.kept else "ok")
