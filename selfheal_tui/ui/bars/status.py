"""The last line but one: what happens now, and what the sandbox and the model use."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from selfheal_tui.core.text import one_line
from selfheal_tui.ui.bars.fitting import fitted
from selfheal_tui.ui.summary import Summary

_MIB = 1024 * 1024
_SHARE, _SHARE_AT_THE_END = 0.6, 0.4
"""What the right side may take of the line; less once the left side is the run's last sentence."""

_NEARLY_FULL = 0.9

_LEAST_FIRST = (
    *("sandbox", "memory", "tokens", "context", "memory", "network", "sandbox"),
    *("tokens", "context", "memory"),
)
"""What grows shorter, or goes, when there is no room for everything. The state of the network, and
whatever is unusual about the sandbox, stay longest."""


class Status(Horizontal):
    """The phase on the left; network, sandbox, memory, context and tokens on the right."""

    def __init__(self) -> None:
        super().__init__()
        self._summary = Summary()

    def compose(self) -> ComposeResult:
        yield Static("", id="phase", markup=False)
        yield Static("", id="uses", markup=False)

    def show(self, summary: Summary) -> None:
        """Say how the run stands, in the columns that there are."""
        self._summary = summary
        phase, uses_line = self.query_one("#phase", Static), self.query_one("#uses", Static)
        phase.set_class(summary.waiting, "-waiting")
        failed = summary.ended is not None and summary.ended.exit_code != 0
        phase.set_class(failed, "-failed")
        phase.set_class(summary.ended is not None and not failed, "-done")
        uses_line.set_class(summary.memory > _NEARLY_FULL * summary.limit > 0, "-full")
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        self._draw()

    def _draw(self) -> None:
        summary, columns = self._summary, self.content_size.width
        text = phase_of(summary)
        share = _SHARE_AT_THE_END if summary.ended else _SHARE
        room = max(int(columns * share), columns - len(text) - 2)
        self.query_one("#phase", Static).update(text)
        self.query_one("#uses", Static).update(uses(summary, room))


def phase_of(summary: Summary) -> str:
    """What happens now; the last sentence of a run that ended."""
    if summary.ended:
        ended = summary.ended
        return one_line(f"{ended.outcome} (exit {ended.exit_code}): {ended.text}", 500)
    return one_line(summary.phase, 200)


def uses(summary: Summary, room: int = 200) -> str:
    """`network off · docker python · container 212 MB of 2.0 GB · context 18% · 12k in 1k out`, as
    far as it is known, in `room` columns."""
    forms = {
        "network": _network(summary),
        "unusual": [summary.unusual],
        "sandbox": [one_line(summary.sandbox, 40), ""],
        "memory": _memory(summary),
        "context": [""],
        "tokens": [""],
    }
    if summary.context is not None:
        share = f"{summary.context:.0%}"
        forms["context"] = [f"context {share}", f"ctx {share}", ""]
    if summary.tokens_in:
        used = short(summary.tokens_in), short(summary.tokens_out)
        forms["tokens"] = ["{} in {} out".format(*used), "{}+{} tok".format(*used), ""]
    return one_line(fitted(forms, _LEAST_FIRST, room), 200)


def _network(summary: Summary) -> list[str]:
    if summary.setting_up:
        return ["network ON for the set-up", "net ON: set-up"]
    state = one_line(summary.network, 10)
    shown = state.upper() if state == "on" else state
    return [f"network {shown}", f"net {shown}"] if shown else [""]


def _memory(summary: Summary) -> list[str]:
    if not summary.memory:
        return [""]
    used, limit = size(summary.memory), f" of {size(summary.limit)}" if summary.limit else ""
    return [f"container {used}{limit}", f"container {used}", used, ""]


def size(count: int) -> str:
    """Bytes in a few characters: 7 MB, 212 MB, 1.4 GB."""
    mib = count / _MIB
    return f"{mib / 1024:.1f} GB" if mib >= 1000 else f"{mib:.0f} MB"


def short(count: int) -> str:
    """A count of tokens in at most four characters or so: 950, 12k, 1.2M."""
    if count < 1000:
        return str(count)
    return f"{count / 1000:.0f}k" if count < 1_000_000 else f"{count / 1_000_000:.1f}M"
