from __future__ import annotations

from dataclasses import fields, replace

import pytest

from selfheal_tui.core.approval import (
    Answer,
    CommitRequest,
    Granted,
    PushRequest,
    SetupRequest,
    answer,
    key_of,
    kind_of,
)

REQUESTS = [
    SetupRequest("pip install x", "because", "image", ("a",)),
    CommitRequest("tree", "parent", "refs/heads/x", "0" * 40, "message", update_worktree=False),
    PushRequest("commit", "origin", "url", "refs/heads/x", "0" * 40),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=kind_of)
def test_a_yes_to_a_request_grants_exactly_it(request_):
    granted = answer(request_, Answer(key_of(request_), granted=True, by="user"))
    assert granted is not None
    assert (granted.request, granted.by) == (request_, "user")


@pytest.mark.parametrize("request_", REQUESTS, ids=kind_of)
def test_a_no_grants_nothing(request_):
    assert answer(request_, Answer(key_of(request_), granted=False, by="user")) is None


@pytest.mark.parametrize("request_", REQUESTS, ids=kind_of)
def test_any_changed_field_makes_an_answer_worthless(request_):
    given = Answer(key_of(request_), granted=True, by="user")
    for field in fields(request_):
        value = getattr(request_, field.name)
        changed = not value if isinstance(value, bool) else value + type(value)("x")
        assert answer(replace(request_, **{field.name: changed}), given) is None


def test_requests_of_two_kinds_never_share_a_key():
    assert len({key_of(request) for request in REQUESTS}) == len(REQUESTS)


def test_consent_cannot_be_made_up():
    with pytest.raises(TypeError):
        Granted(REQUESTS[1], "me", _made_by=object())
