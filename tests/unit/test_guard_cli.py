"""The guard at the command line: what `--yes` refuses, what lets it, and what the result says."""

from __future__ import annotations

import pytest

from tests.support.headless import Workplace
from tests.support.model_server import ModelServer, call, calls, submit

FILES = {"check.sh": "grep -qx b a.txt\n", "a.txt": "a\n"}
OPTIONS = ("--no-plan", "--no-review", "--sandbox", "local", "--attempts", "1")
FAKE = [calls(call("write_file", path="check.sh", content="true\n"), submit("Done."))]


@pytest.fixture
def place(tmp_path):
    return Workplace(tmp_path, FILES)


def healed(place, script, *arguments, **environment):
    with ModelServer(script) as server:
        return place.heal(
            server.base_url, *OPTIONS, "--check", "sh check.sh", *arguments, **environment
        )


def test_yes_refuses_a_changed_check_and_names_it(place):
    before = place.git("for-each-ref")
    ended = healed(place, FAKE)
    assert ended.exit_code == 3, ended.err
    assert "check.sh" in ended.result["text"]
    assert "--allow-test-changes" in ended.result["text"]
    proof = ended.result["proof"]
    assert (proof["exit_code"], proof["verified"], proof["originals_exit"]) == (0, False, 1)
    assert proof["protected"] == ["check.sh"]
    assert place.git("for-each-ref") == before


def test_the_flag_lets_it_and_the_last_line_says_what_it_is(place):
    ended = healed(place, FAKE, "--allow-test-changes")
    assert (ended.exit_code, ended.result["outcome"]) == (0, "committed"), ended.err
    assert ended.result["text"].endswith("not verified with the original tests")


def test_the_settings_of_the_user_protect_more(place):
    script = [calls(call("write_file", path="a.txt", content="b\n"), submit("Done."))]
    ended = healed(place, script, SELFHEAL_GUARD_PROTECT="a.txt")
    assert (ended.exit_code, ended.result["proof"]["protected"]) == (3, ["a.txt"]), ended.err


def test_the_profiles_protect_more(place):
    script = [
        calls(
            call("write_file", path="a.txt", content="b\n"),
            call("write_file", path="wdio.conf.js", content="module.exports = {};\n"),
            submit("Done."),
        )
    ]
    ended = healed(place, script)
    assert (ended.exit_code, ended.result["proof"]["new_tests"]) == (3, ["wdio.conf.js"]), ended.err


def test_the_flag_goes_with_yes_alone(place):
    ended = place.run("--headless", "--allow-test-changes", "x")
    assert ended.exit_code == 2
    assert "--allow-test-changes goes with --yes" in ended.err
