"""The image that a repository's devcontainer.json names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.core.devcontainer import Devcontainer, read_devcontainer


def test_comments_and_trailing_commas_are_allowed():
    content = b"""// For VS Code
    {
        /* the image, */
        "image": "mcr.example.test/devcontainers/python:3.12", // not "this"
        "features": {"a": ["http://x.test/*no comment*/", ],},
    }"""
    assert read_devcontainer(content) == Devcontainer("mcr.example.test/devcontainers/python:3.12")


def test_a_file_without_an_image_names_none():
    assert read_devcontainer(b'{"name": "x"}') == Devcontainer()


@pytest.mark.parametrize("key", ["build", "dockerFile", "dockerComposeFile"])
def test_what_would_have_to_be_built_is_not_supported_and_says_so(key):
    content = f'{{"image": "debian", "{key}": "Dockerfile"}}'.encode()
    assert read_devcontainer(content) == Devcontainer(
        note=f"devcontainer.json: `{key}` is not supported; build it and give --image"
    )


@pytest.mark.parametrize("image", ['"${localEnv:IMAGE}"', '"--privileged"', "7", '""', '"a b"'])
def test_an_image_that_is_no_plain_name_is_refused(image):
    found = read_devcontainer(f'{{"image": {image}}}'.encode())
    assert found == Devcontainer(
        note="devcontainer.json: its `image` is not the plain name of an image"
    )


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_a_file_that_cannot_be_read_says_why(content):
    found = read_devcontainer(content)
    assert found.image == ""
    assert found.note.startswith("devcontainer.json cannot be read")


@given(st.binary(max_size=300))
def test_whatever_bytes_it_holds_it_never_raises(content):
    assert isinstance(read_devcontainer(content), Devcontainer)


@given(st.text(max_size=60))
def test_a_string_is_never_taken_for_a_comment(text):
    import json

    content = json.dumps({"image": "debian", "name": text}).encode()
    assert read_devcontainer(content) == Devcontainer("debian")
