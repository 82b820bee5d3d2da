"""The last line but one: what happens now, and what the sandbox and the model use."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from selfheal_tui.core.text import one_line
from selfheal_tui.ui.summary import Summary


class Status(Horizontal):
    """The phase on the left; network, sandbox, context, tokens and cost on the right."""

    def compose(self) -> ComposeResult:
        yield Static("", id="phase", markup=False)
        yield Static("", id="uses", markup=False)

    def show(self, summary: Summary) -> None:
        phase = self.query_one("#phase", Static)
        phase.update(phase_of(summary))
        phase.set_class(summary.waiting, "-waiting")
        failed = summary.ended is not None and summary.ended.exit_code != 0
        phase.set_class(failed, "-failed")
        phase.set_class(summary.ended is not None and not failed, "-done")
        self.query_one("#uses", Static).update(uses(summary))


def phase_of(summary: Summary) -> str:
    """What happens now; the last sentence of a run that ended."""
    if summary.ended:
        ended = summary.ended
        return one_line(f"{ended.outcome} (exit {ended.exit_code}): {ended.text}", 500)
    return one_line(summary.phase, 200)


def uses(summary: Summary) -> str:
    """`network none · docker 1a2b (python) · context 18 % · 12k in 1k out · $0.04`."""
    parts = []
    if summary.network:
        parts.append(f"network {summary.network}")
    if summary.sandbox:
        parts.append(summary.sandbox)
    if summary.context is not None:
        parts.append(f"context {summary.context:.0%}")
    if summary.tokens_in:
        parts.append(f"{short(summary.tokens_in)} in {short(summary.tokens_out)} out")
    if summary.cost:
        parts.append(f"${summary.cost:.4f}")
    return one_line(" · ".join(parts), 200)


def short(count: int) -> str:
    """A count of tokens in at most four characters or so: 950, 12k, 1.2M."""
    if count < 1000:
        return str(count)
    return f"{count / 1000:.0f}k" if count < 1_000_000 else f"{count / 1_000_000:.1f}M"
