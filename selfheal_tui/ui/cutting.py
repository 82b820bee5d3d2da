"""What Escape says where nothing can be cut short."""

from __future__ import annotations

from selfheal_tui.ui.summary import Summary

_LEAVE = "Ctrl-C twice ends the session"


def why_not_cut(summary: Summary, *, asked: bool) -> str:
    """Why the step goes on; `asked` is whether an approval waits."""
    if asked:
        return "nothing runs: it waits for your approval (F8)"
    if summary.waiting:
        return "nothing runs: it waits for what you type"
    if not summary.task or summary.ended:
        return f"it is still getting ready; {_LEAVE}"
    doing = f" ({summary.phase})" if summary.phase else ""
    return f"this step cannot be cut short{doing}; {_LEAVE}"
