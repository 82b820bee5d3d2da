"""Secrets of the host through a whole session: in what a test prints, a file holds, a model says,
a provider answers. They come out nowhere, whole or in pieces; one more run for each sandbox."""

from __future__ import annotations

import base64
import json

import pytest

from tests.hostile.leaks import Sentinels
from tests.hostile.oracle import Oracle
from tests.hostile.scene import HOME_SECRET, KEY, Scene
from tests.support.model_server import (
    ModelServer,
    call,
    calls,
    refuse,
    say,
    submit,
    think,
    wrong_key,
)

TOKEN = 'tok/Zq81+9f3a="q\\7c21e5'
"""In the environment under a name that says so, and in a tracked file."""

NAMED = "plain-customer-4471-of-ours"
"""In the environment under a name that the settings name, and in a tracked file."""

EXTRA = {"DEPLOY_TOKEN": TOKEN, "CUSTOMER": NAMED}
BOTH = f"{TOKEN} {NAMED}"
CHECK = """\
at=$(( $(head -c 12 conf.txt | wc -c) ))
head -c $at conf.txt; sleep 0.3; tail -c +$((at + 1)) conf.txt
base64 -w0 < conf.txt; echo
echo "FAIL: no b, says $(cat conf.txt)" > why
grep -qx b a.txt || { cat why; exit 1; }
"""
FILES = {"check.sh": CHECK, "a.txt": "a\n", "conf.txt": f"{BOTH}\n"}
DOTFILES = (".git-credentials", ".pypirc", ".npmrc", ".docker/config.json", ".aws/credentials")
OPTIONS = ("--check", "sh check.sh", "--no-plan", "--no-review")


def script():
    return [
        refuse(500, f"upstream failed with key {KEY} and {TOKEN} for {NAMED}"),
        think(
            f"I was told {BOTH}, in my thoughts.",
            calls(
                say(f"I was told {BOTH}, once more {BOTH}.", piece=5),
                call("read_file", path="conf.txt"),
                call("bash", command="cat conf.txt; base64 -w0 conf.txt; od -An -tx1 -v conf.txt"),
                call("bash", command="env; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'"),
                call("bash", command=f"echo {base64.b64encode(BOTH.encode()).decode()}"),
                call("bash", command="env | rev | grep -e TUPED -e REMOTSUC | head -c 300"),
                call("search", pattern="tok/"),
                call("no_such_tool", **{TOKEN: NAMED}),
                call(f"tool {TOKEN}", x=BOTH),
            ),
        ),
        calls(
            call("write_file", path="a.txt", content="b\n"),
            submit(f"Done with {BOTH}.", f"Mend it\n\nWith {BOTH}."),
        ),
    ]


def scene_of(folder):
    scene = Scene(folder / "scene", FILES)
    (scene.config / "config.toml").write_text('[privacy]\nredact = ["CUSTOMER"]\n')
    for name in DOTFILES:
        file = scene.home / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"password = {HOME_SECRET}\n")
    # The engine's client reads this one.
    secret = base64.b64encode(f"me:{HOME_SECRET}".encode()).decode()
    auths = {"example.invalid": {"auth": secret}}
    (scene.home / ".docker" / "config.json").write_text(json.dumps({"auths": auths}))
    return scene


def told_anywhere(scene, oracle_folder, server, rans):
    """Every place that a user, a model or a file of ours got to see either secret; the file itself
    is in the tree, and so in the objects of the session."""
    sentinels = Sentinels([TOKEN, NAMED])
    for number, received in enumerate(server.requests):
        yield from ((f"request {number}", secret) for secret in sentinels.found(received.body))
    for ran in rans:
        yield from (("printed", secret) for secret in sentinels.found(ran.out + ran.err))
    for where, secret in sentinels.in_folder(scene.state, oracle_folder):
        if not where.startswith("an object of"):
            yield where, secret
    log = scene.git("log", "--all", "--format=%an %ae %s %b %D")
    yield from (("a commit's words", secret) for secret in sentinels.found(log))


def check_one_session(folder, server, *more, engine):
    scene = scene_of(folder)
    with server, Oracle(scene, server=server, engine=engine) as oracle:
        ran = scene.run(
            "--yes", "--output", "stream-json", "--output-dir", str(scene.out),
            "--model", "openai/scripted", "--api-base", server.base_url, *OPTIONS, *more,
            "--push", "origin", f"{TOKEN}: make the tests pass", **EXTRA,
        )  # fmt: skip
    assert ran.exit_code == 0, ran.says
    assert oracle.broken(ran) == []
    session = json.loads(ran.out.splitlines()[0])["session"]
    rans = [ran]
    for arguments in (
        ("show", session),
        ("show", session, "--markdown"),
        ("show", session, "--json"),
        ("show", session, "--events"),
        ("sessions", "--all"),
        ("incidents", "--json"),
        ("config",),
        ("config", "--json"),
    ):
        rans.append(scene.run(*arguments, **EXTRA))
    assert list(told_anywhere(scene, folder, server, rans)) == []
    for file in scene.out.iterdir():
        if file.name != "patch.diff":
            assert Sentinels([TOKEN, NAMED]).found(file.read_bytes()) == []
    bodies = b"".join(received.body for received in server.requests)
    assert b"[redacted]" in bodies
    # What turns a secret round is not known again; only that it is not there helps.
    assert [value for value in (TOKEN, NAMED, KEY) if value[::-1].encode() in bodies] == []
    return ran


def test_no_secret_of_the_host_is_told_to_anybody(tmp_path):
    check_one_session(tmp_path, ModelServer(script()), "--sandbox", "local", engine=False)


@pytest.mark.engine
def test_no_secret_of_the_host_is_told_to_anybody_nor_to_a_container(tmp_path, engine, base_image):
    check_one_session(tmp_path, ModelServer(script()), engine=True)


@pytest.mark.parametrize("answer", [wrong_key(KEY), refuse(400, f"bad {KEY}: <{TOKEN}> {NAMED}")])
def test_what_a_provider_repeats_of_a_key_is_not_told(tmp_path, answer):
    scene = scene_of(tmp_path)
    server = ModelServer([answer] * 9)
    with server, Oracle(scene, server=server, engine=False) as oracle:
        ran = scene.run(
            "--yes", "--model", "openai/scripted", "--api-base", server.base_url, *OPTIONS,
            "--sandbox", "local", "make the tests pass", **EXTRA,
        )  # fmt: skip
    assert ran.exit_code == 5, ran.says
    assert oracle.broken(ran) == []
    assert list(told_anywhere(scene, tmp_path, server, [ran])) == []


def test_an_error_before_any_session_is_told_without_secrets(tmp_path):
    scene = scene_of(tmp_path)
    for arguments in (
        ("-C", f"/nowhere/{TOKEN}/{NAMED}", "--yes", "x"),
        ("replay", f"/nowhere/{TOKEN}/{NAMED}"),
        ("sessions", f"--{TOKEN} {NAMED}"),
    ):
        ran = scene.run(*arguments, **EXTRA)
        assert ran.exit_code == 2, ran.says
        assert Sentinels([TOKEN, NAMED]).found(ran.out + ran.err) == []
    settings = scene.run("config", SELFHEAL_API_BASE=f"https://me:{HOME_SECRET}@host/v1", **EXTRA)
    assert Sentinels([HOME_SECRET]).found(settings.out + settings.err) == []
