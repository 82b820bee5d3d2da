from __future__ import annotations

import json
from dataclasses import fields
from typing import get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.core.events import Event, Warned, from_json, to_json

KINDS = get_args(Event)


@st.composite
def events(draw):
    kind = draw(st.sampled_from(KINDS))
    hints = get_type_hints(kind)
    return kind(**{field.name: draw(st.from_type(hints[field.name])) for field in fields(kind)})


st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))


@given(events())
def test_every_event_survives_its_line(event):
    line = to_json(event, at=1.5)
    assert "\n" not in line
    assert line.isascii()
    assert from_json(line) == (event, 1.5)


@given(st.text())
def test_what_is_no_event_line_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"event|schema"):
        from_json(text)


@pytest.mark.parametrize(
    "change", [{"v": 2}, {"event": "Nothing"}, {"more": 1}, {"at": None}, {"text": None, "x": 1}]
)
def test_a_changed_line_is_refused(change):
    line = json.dumps(json.loads(to_json(Warned("w"), at=0)) | change)
    with pytest.raises(ValueError, match=r"event|schema|field"):
        from_json(line)


def test_every_event_has_its_sentence():
    assert [kind.__name__ for kind in KINDS if not (kind.__doc__ or "").strip()] == []
