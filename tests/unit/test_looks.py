"""Which theme the interface starts with, and what a broken file or a damaged memory becomes."""

from __future__ import annotations

import os
import stat

import pytest

from selfheal_tui.cli.looks import look_of, remember, remembered
from selfheal_tui.cli.place import Place
from selfheal_tui.errors import SelfhealError, SettingsError
from selfheal_tui.settings import UiSettings
from selfheal_tui.ui.themes import DARK, load_themes

OWN = 'primary = "#123456"\n'


@pytest.fixture
def place(tmp_path):
    environment = {"SELFHEAL_STATE_DIR": str(tmp_path / "state")}
    (tmp_path / "config/themes").mkdir(parents=True)
    return Place(tmp_path, tmp_path, environment, tmp_path / "config")


def own(place, name, text=OWN):
    (place.config / "themes" / f"{name}.toml").write_text(text)


def start(place, theme=""):
    return look_of(place, UiSettings(theme=theme))


def test_without_a_word_the_dark_one_is_taken_and_only_that_one_is_read(place):
    look = start(place)
    assert (look.name, [theme.name for theme in look.made]) == (DARK, [DARK])


def test_the_one_chosen_last_comes_back(place):
    start(place).remember("selfheal-light")
    assert start(place).name == "selfheal-light"
    file = place.state() / "theme"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in place.state().iterdir()] == ["theme"]


def test_the_settings_win_over_what_was_chosen_last(place):
    start(place).remember("selfheal-light")
    assert start(place, "selfheal-contrast").name == "selfheal-contrast"


def test_own_themes_and_those_of_textual_can_be_named(place):
    own(place, "mine")
    own(place, "file", 'name = "other"\n' + OWN)
    assert start(place, "mine").made[0].primary == "#123456"
    assert start(place, "other").made[0].name == "other"
    assert start(place, "nord").name == "nord"


def test_an_own_theme_takes_the_place_of_a_built_in_one(place):
    own(place, DARK)
    assert start(place).made[0].primary == "#123456"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("selfheal-drak", "there is no theme `selfheal-drak`; did you mean `selfheal-dark`?"),
        ("zzz", "there is no theme `zzz`; there are "),
        ("../config", "there is no theme `../config`; "),
    ],
)
def test_a_theme_that_is_not_there_is_named_with_the_nearest(place, name, said):
    with pytest.raises(SettingsError) as raised:
        start(place, name)
    assert f"`ui.theme`: {said}" in str(raised.value)
    assert raised.value.exit_code == 2


def test_a_broken_theme_that_the_settings_name_is_a_sentence(place):
    own(place, "mine", "primary = 3\n")
    with pytest.raises(SettingsError, match=r"mine\.toml: `primary` must be a string"):
        start(place, "mine")


@pytest.mark.parametrize("text", ["primary = 3\n", "not toml", ""])
def test_a_broken_theme_that_was_chosen_last_falls_back_and_is_told(place, text):
    own(place, "mine")
    start(place).remember("mine")
    own(place, "mine", text)
    look = start(place)
    assert look.name == DARK
    themes, (problem,) = look.others()
    assert "mine.toml" in problem
    assert {theme.name for theme in themes} >= {DARK, "selfheal-light"}


def test_a_broken_theme_in_place_of_the_dark_one_leaves_the_built_in_one(place):
    own(place, DARK, "primary = 3\n")
    assert start(place).made[0].primary != "#123456"


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"no such theme", b"../../x", b"x" * 5000, b"\0" * 10]
)
def test_a_damaged_memory_is_none(place, content):
    (place.state() / "theme").write_bytes(content)
    assert start(place).name == DARK


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_a_memory_that_is_no_plain_file_is_none(place, kind, tmp_path):
    file = place.state() / "theme"
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    else:
        (tmp_path / "other").write_text("selfheal-light")
        file.symlink_to(tmp_path / "other")
    assert remembered(place.state()) == ""


def test_a_choice_that_cannot_be_kept_is_a_sentence(tmp_path):
    with pytest.raises(SelfhealError, match="cannot be written"):
        remember(tmp_path / "none", "selfheal-dark")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('name = "a b"', "`name` must be letters, digits, - and _, not 'a b'"),
        ('variables.border = "nonsense"', "`variables.border` must be a colour, not 'nonsense'"),
        ('variables.border = "#fff 20x"', "`variables.border` must be a colour, not '#fff 20x'"),
        ('variables.link-style = "loud"', "`variables.link-style` must be a text style"),
        ('variables.bordr = "#fff"', "unknown key `variables.bordr`; did you mean `border`?"),
        ('secondary = "auto 1 2"', "`secondary` must be a colour, not 'auto 1 2'"),
    ],
)
def test_what_would_end_the_interface_when_it_is_drawn_is_refused_when_read(place, line, said):
    own(place, "mine", f"{OWN}{line}\n")
    _, (problem,) = start(place).others()
    assert said in problem


@pytest.mark.parametrize(
    "line",
    [
        'variables.text = "auto 87%"',
        'variables.border = "ansi_blue"',
        'variables.link-style-hover = "bold not underline"',
        'variables.footer-key-background = "transparent"',
        'variables.text-muted = "#fff 60%"',
    ],
)
def test_what_textual_understands_is_taken(place, line):
    own(place, "mine", f"{OWN}{line}\n")
    assert start(place).others()[1] == []


def test_a_folder_that_is_not_there_is_fine(tmp_path):
    assert load_themes(tmp_path / "none", None) == []
