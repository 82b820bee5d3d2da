"""JSON of plain ASCII that a terminal may be sent: it holds no control character but newline."""

from __future__ import annotations

import json


def plain_json(
    value: object, *, indent: int | None = None, sort_keys: bool = False, compact: bool = False
) -> str:
    """`value` as JSON; without any blank where it is to be `compact`."""
    separators = (",", ":") if compact else None
    text = json.dumps(value, indent=indent, sort_keys=sort_keys, separators=separators)
    # The one control character that JSON leaves as it is.
    return text.replace("\x7f", "\\u007f")
