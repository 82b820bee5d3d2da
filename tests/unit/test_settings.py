from __future__ import annotations

import pytest

from selfheal_tui.cli.options import settings_of
from selfheal_tui.cli.parser import run_parser
from selfheal_tui.cli.place import Place
from selfheal_tui.errors import SettingsError, UsageError
from selfheal_tui.settings import LimitSettings, Settings, resolve, setting_fields


def resolved(tmp_path, text="", *, environment=None, flags=None, repository="/r"):
    file = tmp_path / "config.toml"
    if text:
        file.write_text(text)
    return resolve(
        file=file, repository=repository, environment=environment or {}, flags=flags or {}
    )


def test_without_anything_the_defaults_hold(tmp_path):
    assert resolved(tmp_path) == (Settings(), {})


def test_flags_beat_the_environment_which_beats_the_file(tmp_path):
    settings, sources = resolved(
        tmp_path,
        "[limits]\nattempts = 5\nmax_cost = 1\nmax_steps = 7\n",
        environment={"SELFHEAL_LIMITS_ATTEMPTS": "6", "SELFHEAL_LIMITS_MAX_COST": "4"},
        flags={"limits.attempts": 9},
    )
    assert settings.limits == LimitSettings(attempts=9, max_cost=4.0, max_steps=7)
    assert sources == {
        "limits.attempts": "flag",
        "limits.max_cost": "environment",
        "limits.max_steps": str(tmp_path / "config.toml"),
    }


def test_a_repository_has_settings_of_its_own_in_the_users_file(tmp_path):
    text = '[check]\ncommand = "a"\n[repositories."/r".check]\ncommand = "b"\n'
    assert resolved(tmp_path, text)[0].check.command == "b"
    assert resolved(tmp_path, text, repository="/other")[0].check.command == "a"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[limits]\natempts = 3\n", "unknown key `limits.atempts`; did you mean `limits.attempts`"),
        ("[limit]\nattempts = 3\n", "unknown key `limit.attempts`; did you mean `limits.attempts`"),
        ("attempts = 3\n", "unknown key `attempts`; did you mean `limits.attempts`"),
        ('[limits]\nattempts = "3"\n', "`limits.attempts` must be a whole number, not '3'"),
        ("[limits]\nattempts = true\n", "must be a whole number, not True"),
        ("[limits]\nattempts = 0\n", "must be at least 1, not 0"),
        ("[limits]\nmax_cost = nan\n", "must be at least 0, not nan"),
        ('[sandbox]\nnetwork = "maybe"\n', "must be one of off, setup, on, not 'maybe'"),
        ("[model]\nfallbacks = [1]\n", "must be a list of strings"),
        ("[limits\n", "config.toml"),
        ("repositories = 3\n", "must be a table of paths"),
        ('[repositories."/r".limits]\nx = 1\n', "unknown key `limits.x`"),
        ('[repositories."/other".limits]\nx = 1\n', "unknown key `limits.x`"),
    ],
)
def test_what_is_not_understood_is_an_error_that_names_it(tmp_path, text, sentence):
    with pytest.raises(SettingsError, match=r"config\.toml") as caught:
        resolved(tmp_path, text)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SELFHEAL_MODLE", "x", "unknown SELFHEAL_MODLE; did you mean `SELFHEAL_MODEL`"),
        ("SELFHEAL_LIMITS_ATTEMPTS", "many", "'many' is not a whole number"),
        ("SELFHEAL_FLOW_PLAN", "perhaps", "'perhaps' is not a boolean"),
        ("SELFHEAL_NETWORK", "loud", "must be one of off, setup, on"),
    ],
)
def test_an_unknown_or_unreadable_variable_is_an_error(tmp_path, name, value, sentence):
    with pytest.raises(SettingsError) as caught:
        resolved(tmp_path, environment={name: value})
    assert sentence in str(caught.value)


def test_variables_of_our_folders_and_of_others_are_no_settings(tmp_path):
    environment = {"SELFHEAL_STATE_DIR": "/s", "SELFHEAL_CONFIG_DIR": "/c", "HOME": "/h"}
    assert resolved(tmp_path, environment=environment) == (Settings(), {})


def test_lists_and_booleans_come_from_the_environment(tmp_path):
    environment = {"SELFHEAL_MODEL_FALLBACKS": "a, b,", "SELFHEAL_FLOW_REVIEW": "false"}
    settings, _ = resolved(tmp_path, environment=environment)
    assert settings.model.fallbacks == ("a", "b")
    assert settings.flow.review is False


def test_every_setting_has_a_sentence_and_a_variable_of_its_own():
    fields = list(setting_fields())
    assert all(field.doc for field in fields)
    assert len({field.environment for field in fields}) == len(fields)


def test_one_check_or_several_and_the_later_layer_counts(tmp_path):
    text = '[check]\ncommand = "a"\n[repositories."/r".check]\ncommands = ["b", "c"]\n'
    settings, sources = resolved(tmp_path, text)
    assert settings.check.chosen == ("b", "c")
    assert settings.check.command == ""
    assert "check.command" not in sources
    settings, _ = resolved(tmp_path, text, flags={"check.command": "d"})
    assert settings.check.chosen == ("d",)
    settings, _ = resolved(tmp_path, text, repository="/other")
    assert settings.check.chosen == ("a",)


def options(*arguments):
    return run_parser().parse_args([*arguments])


def place_at(folder):
    return Place(folder, folder, {"PATH": "/usr/bin:/bin"}, folder / "config")


def test_one_check_flag_is_the_check_and_several_are_run_in_order(tmp_path):
    place = place_at(tmp_path)
    assert settings_of(options("--check", "a"), place).check.chosen == ("a",)
    several = settings_of(options("--check", "a", "--check", "b"), place).check
    assert (several.command, several.chosen) == ("", ("a", "b"))
    assert settings_of(options(), place).check.chosen == ()
    with pytest.raises(UsageError, match="stands alone"):
        settings_of(options("--check", "a", "--check", "none"), place)
