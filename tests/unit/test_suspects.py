"""What in a change is marked: text that deceives, secrets, links that leave; and what is not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.core.patch import FileDiff, Hunk, Line, read_patch
from selfheal_tui.core.pathkinds import warnings_for
from selfheal_tui.core.suspects import (
    BIDI,
    INVISIBLE,
    KINDS,
    MIXED,
    OUTSIDE,
    SECRET,
    Suspect,
    holds_secret,
    in_added,
    in_characters,
    leaves_tree,
    suspects_of,
)

TOKEN = "ghp_" + "a1B2c3D4" * 5
HEADER = "-----BEGIN " + "RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("plain = 'ascii'\t# and a tab", set()),
        ("a line of Windows\r", set()),
        ("Привет, мир: HTML-код", set()),
        ("naïve façade, 日本語のkey, Δt = 5 µs, λ_max", set()),
        ("❤️ 👨\u200d👩\u200d👧 1️⃣", set()),
        ("if user != 'admin\u202e \u2066# check':", {BIDI}),
        ("is_ad\u200bmin = True", {INVISIBLE}),
        ("\x1b[2Ahidden", {INVISIBLE}),
        ("shown\rhidden", {INVISIBLE}),
        ("tag \U000e0041", {INVISIBLE}),
        ("p\u0430ypal = 1", {MIXED}),
        ("\uff41bc = 1", {MIXED}),
        ("\u039foo = 1", {MIXED}),
        ("p\u0430y\u202e\u200b", {BIDI, INVISIBLE, MIXED}),
    ],
)
def test_characters_that_deceive_are_told_from_those_that_do_not(text, kinds):
    assert in_characters(text) == kinds


@pytest.mark.parametrize(
    "text",
    [
        HEADER,
        f"remote = 'https://{TOKEN}@h.example'",
        'password = "hunter2x"',
        "self.db_password='correct horse'.replace('x', 'y') or \"s3cr3t!x\"; pwd = 'k9Zq82js'",
        '{"password": "k9!Zq82js"}',
        'API_KEY="a8f5f167f44f4964e6c998dee827110c"',
        "clientSecret: `Zq8kk2vW9tail`",
        "postgres://app:k9Zq82js@db.example/x",
        'k = "wJalrXUtnFEMIK7MDENGbPxRfiCYzz1234kEY"',
    ],
)
def test_what_looks_like_a_secret_is_marked(text):
    assert holds_secret(text, path="src/a.py", plain=False)


@pytest.mark.parametrize(
    "text",
    [
        "password = os.environ['PASSWORD']",
        'password = "password"',
        'password = "<your password>"',
        'password: "required"',
        'token = "access_token"',
        'secret_name = "billing-secret-1"',
        "PASSWORD_FIELD = 'user_pw_9'",
        'token = "550e8400-e29b-41d4-a716-446655440000"',
        'digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
        '"integrity": "sha512-Zm9vYmFyYmF6cXV4cXV1eGNvcmdlZ3JhdWx0Z2FycGx5d2FsZG9mcmVk=="',
        'x = "src/components/Button/IndexPage2/of/the/things"',
        "postgres://user:password@localhost/db",
        "def check_password(password: str) -> bool:",
        "api_key = settings.api_key",
    ],
)
def test_what_only_speaks_of_secrets_is_left_alone(text):
    assert not holds_secret(text, path="src/a.py", plain=False)


@pytest.mark.parametrize(
    ("path", "text", "held"),
    [
        (".env", "DB_PASSWORD=k9Zq82js", True),
        ("deploy/app.yml", "  api_key: k9Zq82jsAA", True),
        ("deploy/app.yml", "  api_key: ${API_KEY1}", False),
        ("src/a.py", "password = value2", False),
    ],
)
def test_settings_files_need_no_quotes(path, text, held):
    assert holds_secret(text, path=path, plain=False) is held


def test_where_hashes_are_at_home_only_well_known_shapes_are_marked():
    random = 'resolved = "wJalrXUtnFEMIK7MDENGbPxRfiCYzz1234kEY"'
    assert not holds_secret(random, path="poetry.lock", plain=True)
    assert holds_secret(TOKEN, path="poetry.lock", plain=True)


@pytest.mark.parametrize(
    ("path", "target", "leaves"),
    [
        ("a", "b", False),
        ("d/a", "../b", False),
        ("d/a", "./../b/", False),
        ("a", "../b", True),
        ("d/a", "../../x", True),
        ("d/a", "x/../../../d/b", True),
        ("a", "/etc/passwd", True),
        ("a", "C:\\x", True),
        ("a", "..\\x", True),
    ],
)
def test_a_link_that_leaves_the_tree_is_known(path, target, leaves):
    assert leaves_tree(path, target) is leaves


PATCH = f"""\
diff --git a/src/app.py b/src/app.py
index 1..2 100644
--- a/src/app.py
+++ b/src/app.py
@@ -1,2 +1,3 @@
-password = "k9Zq82js"
 x = 1
+token = "{TOKEN}"
+ok = '\u202e'
diff --git a/up b/up
new file mode 120000
index 0..3
--- /dev/null
+++ b/up
@@ -0,0 +1 @@
+../../etc
\\ No newline at end of file
diff --git a/p\u0430y.py b/p\u0430y.py
old mode 100644
new mode 100755
diff --git a/gone.py b/gone.py
deleted file mode 100644
index 4..0
--- a/gone.py
+++ /dev/null
@@ -1 +0,0 @@
-x
"""


def test_a_patch_tells_its_suspects_by_file_and_line():
    found = [s for file in read_patch(PATCH) for s in suspects_of(file, plain=False)]
    assert found == [
        Suspect(SECRET, "src/app.py", 2),
        Suspect(BIDI, "src/app.py", 3),
        Suspect(OUTSIDE, "up", None),
        Suspect(MIXED, "p\u0430y.py", None),
    ]


def test_the_card_names_places_and_never_the_secret():
    warnings = warnings_for(read_patch(PATCH))
    assert warnings == (
        "characters that reorder the text (bidi) are added: src/app.py line 3",
        "words that mix look-alike letters of several scripts are added: p\u0430y.py (its name)",
        "what looks like a secret is added: src/app.py line 2",
        "links lead out of the tree: up",
        "files are deleted: gone.py",
        "symbolic links are changed: up",
        "permissions are changed: p\u0430y.py",
    )
    assert TOKEN not in "".join(warnings)


def file_of(text, path="a.py"):
    lines = tuple(Line("+", each, None, at) for at, each in enumerate(text.split("\n"), 1))
    return FileDiff(path, path, "modified", 1, 0, (Hunk("@@ -0,0 +1 @@", 0, 1, lines),))


@settings(max_examples=200)
@given(text=st.text(), path=st.text(min_size=1), link=st.booleans())
def test_no_text_and_no_name_is_too_odd(text, path, link):
    found = list(in_added(path, text.split("\n"), plain=False))
    assert all(kind in KINDS and 0 <= at <= text.count("\n") for at, kind in found)
    assert isinstance(leaves_tree(path, text), bool)
    assert isinstance(warnings_for([file_of(text, path)]), tuple)


@pytest.mark.parametrize(
    "piece",
    [
        "password",
        "password = '",
        '"',
        '="A1a/',
        "api_key-",
        "\u00e9",
        "sk-",
        "://",
        "= ",
        '="]token',
    ],
)
def test_twice_the_text_takes_no_more_than_a_few_times_as_long(piece):
    # A single run is no measure on a busy machine: the best of some is.
    def seconds(length):
        text = piece * (length // len(piece))
        took = []
        for _ in range(3):
            start = time.process_time()
            list(in_added(".env", [text], plain=False))
            took.append(time.process_time() - start)
        return min(took)

    assert seconds(400_000) < 5 * seconds(200_000) + 0.02
