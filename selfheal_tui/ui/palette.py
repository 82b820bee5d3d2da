"""The names of the looks that drawn lines may have; `panes.tcss` says what each looks like.

The app has them once. A column with looks of its own would find them all anew whenever its styles
are: that was most of what opening the interface cost, and a good part of every move of the focus.
"""

from __future__ import annotations

ANSI = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
"""The colours that commands ask for by name."""

LOOKS = (
    *("dim", "strong", "failed", "failed-count", "ok", "warned", "running", "accent", "title"),
    *("you", "code", "link", "quote", "match", "cursor", "border", "number", "hunk"),
    *("added", "removed", "added-word", "removed-word"),
    *("keyword", "string", "comment", "literal", "name", "type"),
    *(f"ansi-{name}" for name in ANSI),
    *(f"on-{name}" for name in ANSI),
)
"""Names that spans may carry."""

PALETTE = {f"rows--{name}" for name in LOOKS}
"""The component classes of the app that shows them."""
