from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.core.oddurl import oddities


@pytest.mark.parametrize(
    "url",
    [
        "git@git.example.org:ada/till.git",
        "https://git.example.org/ada/till.git",
        "https://ada@git.example.org/till.git",
        "ssh://git@git.example.org:2222/ada/till.git",
        "/srv/git/till.git",
        "../till.git",
    ],
)
def test_an_ordinary_url_is_not_spoken_of(url):
    assert oddities(url) == ()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "https://git.ex\u0430mple.org/x",
            "the URL holds unusual characters: U+0430 CYRILLIC SMALL LETTER A",
        ),
        ("https://git.example.org/a b", "the URL holds unusual characters: U+0020 SPACE"),
        (
            "https://xn--80ak6aa92e.example/x",
            "the URL's host is written in punycode (xn--): it may be shown as another name",
        ),
        (
            "https://git.example.org@evil.example/x",
            "what stands before the @ is no host: the URL leads to evil.example",
        ),
        ("https://ada:k9Zq82js@git.example.org/x", "the URL holds a password"),
        ("ext::sh -c x", "the URL is one that git may take for a command"),
        ("https://a%2eb/x", "the URL's host holds a percent sign"),
        ("a\\b", "the URL holds a backslash, which some programs read as a slash"),
    ],
)
def test_what_is_odd_in_a_url_is_said(url, said):
    assert said in oddities(url)
    assert "k9Zq82js" not in "".join(oddities(url))


@settings(max_examples=100)
@given(st.text())
def test_no_url_is_too_odd(url):
    assert all(oddities(url)) or oddities(url) == ()
