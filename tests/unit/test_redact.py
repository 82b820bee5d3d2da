"""Redaction: known values in all their forms, well-known shapes, and code left alone."""

from __future__ import annotations

import base64
import time
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.core.redact import MARK, Redactor

KEY = "Zq8/kk+2=vW9_tail"


def redactor() -> Redactor:
    return Redactor.from_environment({"MY_API_KEY": KEY})


@pytest.mark.parametrize(
    "form",
    [
        KEY,
        quote(KEY, safe=""),
        quote(KEY),
        base64.b64encode(KEY.encode()).decode().rstrip("="),
        base64.b64encode(f"user:{KEY}".encode()).decode(),
        base64.b64encode(f"me:{KEY}:x".encode()).decode(),
        base64.urlsafe_b64encode(f"u:{KEY}".encode()).decode(),
    ],
)
def test_a_known_value_is_redacted_in_every_form_it_travels_in(form):
    clean = redactor().redact(f"before {form} after")
    assert MARK in clean
    assert clean.startswith("before ")
    assert clean.endswith(" after")
    assert form not in clean
    assert form[4:-4] not in clean


@pytest.mark.parametrize(
    "name",
    [
        "OPENAI_API_KEY",
        "openai_apikey",
        "GITHUB_TOKEN",
        "DB_PASSWORD",
        "AWS_SECRET_ACCESS_KEY",
        "GOOGLE_CREDENTIALS",
        "SESSION_COOKIE",
        "HTTP_AUTH",
        "SENTRY_DSN",
        "DB_PASS",
    ],
)
def test_a_variable_whose_name_says_secret_is_collected(name):
    assert Redactor.from_environment({name: KEY}).redact(KEY) == MARK


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PATH", "/usr/bin:/bin"),
        ("PWD", "/home/someone/project"),
        ("SSH_AUTH_SOCK", "/tmp/ssh-abc/agent.1"),
        ("MONKEYS", "twelve-monkeys-99"),
        ("API_KEY", "short1"),
        ("PASSWORD", "password"),
        ("API_TOKEN", "changeme"),
        ("TOKEN_LIMIT", "10000"),
        ("KEY_FILE", "~/keys/id_rsa"),
        ("USE_TOKEN", "not-required"),
    ],
)
def test_paths_words_and_numbers_are_no_secrets(name, value):
    text = f"the value is {value}."
    assert Redactor.from_environment({name: value}).redact(text) == text


def test_a_key_that_only_begins_like_a_path_is_a_secret():
    key = "/kJ8wQ2mX5vB7nL0pR3tY6uA9sD1fG4hZ8cE5xW2q"
    assert Redactor.from_environment({"AWS_SECRET_ACCESS_KEY": key}).redact(key) == MARK


def test_what_the_user_names_is_redacted_whatever_it_looks_like():
    found = Redactor.from_environment({"CUSTOMER": "acme", "OTHER": "else"}, extra=("CUSTOMER",))
    assert found.redact("acme and else") == f"{MARK} and else"


def test_a_name_that_is_not_set_redacts_nothing():
    assert Redactor.from_environment({}, extra=("NOT_SET",)).redact("a b") == "a b"


def test_the_longer_of_two_values_wins():
    both = Redactor(["secret-1", "secret-1-and-more"])
    assert both.redact("x secret-1-and-more y secret-1") == f"x {MARK} y {MARK}"


def test_more_values_can_be_known_later():
    known = Redactor(["first-value-1"]).knowing("second-value-2")
    assert known.redact("first-value-1 second-value-2") == f"{MARK} {MARK}"


# Made at run time, so that no scanner takes this file for a leak.
PEM = "\n".join(
    [
        "-----BEGIN RSA PRIVATE" + " KEY-----",
        "Proc-Type: 4,ENCRYPTED",
        "",
        *["MIIEowIBAAKCAQEA" + "b" * 48] * 3,
        "-----END RSA PRIVATE" + " KEY-----",
    ]
)


@pytest.mark.parametrize(
    "secret",
    [
        "sk-" + "proj-abcDEF0123456789abcd",
        "sk-" + "ant-api03-abcDEF0123456789",
        "gh" + "p_" + "a1B2" * 9,
        "github" + "_pat_" + "a1B2" * 9,
        "AK" + "IA" + "ABCDEFGH12345678",
        "AI" + "za" + "Sy0123456789abcdefghijklmnopqrstu",
        "xox" + "b-123456789012-abcdef",
        "hf" + "_" + "a1B2c3D4e5F6g7H8i9J0k1",
        "eyJhbGciOiJIUzI1NiJ9"
        + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0"
        + ".dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
        PEM,
        PEM.replace("\n", "\\n"),
    ],
)
def test_well_known_shapes_are_redacted_without_being_known(secret):
    assert Redactor().redact(f"see '{secret}' here") == f"see '{MARK}' here"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Authorization: Bearer abcdef123456xyz", f"Authorization: Bearer {MARK}"),
        ('"authorization": "Basic dXNlcjpwYXNz"', f'"authorization": "Basic {MARK}"'),
        ("x-api-key: abcdef-123456-xyz", f"x-api-key: {MARK}"),
        ("postgres://me:hunter22@db/x", f"postgres://me:{MARK}@db/x"),
    ],
)
def test_the_secret_part_of_headers_and_urls_is_redacted(text, clean):
    assert Redactor().redact(text) == clean


@pytest.mark.parametrize(
    "code",
    [
        'headers = {"Authorization": f"Bearer {self.api_key}"}',
        "curl -H 'Authorization: Bearer $API_TOKEN_VALUE'",
        'if text.startswith("-----BEGIN PRIVATE KEY-----"):',
        "url = f'postgres://{user}:{password}@{host}/x'",
        "from sklearn import sk_this_is_a_long_name, pk_user_organization_id",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "sha256:" + "ab" * 32,
        "git@github.com:someone/project.git http://localhost:8080/path@2",
        "task-force-of-people, risk-averse-behaviour-everywhere",
    ],
)
def test_code_that_only_speaks_of_secrets_is_left_alone(code):
    assert Redactor().redact(code) == code


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=150)
def test_a_known_value_never_survives(before, after):
    assert KEY not in redactor().redact(before + KEY + after)


@pytest.mark.parametrize(
    "piece",
    [
        "-eyJaaaaaaaaaa",
        "-----BEGIN PRIVATE" + " KEY-----\nA",
        "sk-a-",
        "a.b+",
        "Bearer ",
        "://a:",
        "Zq8",
    ],
)
def test_hostile_text_takes_linear_time(piece):
    subject = redactor()

    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        start = time.process_time()
        subject.redact(text)
        return time.process_time() - start

    seconds(1_000)
    short = min(seconds(20_000) for _ in range(3))
    assert min(seconds(200_000) for _ in range(2)) < 40 * max(short, 0.001)
