"""Text of the built-in themes can be read: contrast of each pair, from the theme's own file."""

from __future__ import annotations

import pytest
from textual.color import Color

from selfheal_tui.resources import themes_folder
from selfheal_tui.ui.themes import load_themes

THEMES = {theme.name: theme for theme in load_themes(themes_folder(), None)}
COLOURED = sorted(name for name, theme in THEMES.items() if not theme.ansi)
GROUNDS = ("background", "surface", "panel")
STATES = ("primary", "accent", "success", "warning", "error")


def colours(name):
    return THEMES[name].to_color_system().generate()


def contrast(text, ground, over="background", table=None):
    """The ratio of WCAG 2, of a colour laid over what is below it."""
    below = _colour(table[over])
    back = below + _colour(ground) if _colour(ground).a < 1 else _colour(ground)
    front = back.get_contrast_text(_share(text)) if text.startswith("auto") else _colour(text)
    shown = back + front if front.a < 1 else front
    lighter, darker = sorted((_luminance(shown), _luminance(back)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _colour(text):
    colour, _, share = text.partition(" ")
    return Color.parse(colour).multiply_alpha(float(share.rstrip("%")) / 100 if share else 1)


def _share(text):
    return float(text.partition(" ")[2].rstrip("%") or 100) / 100


def _luminance(colour):
    def linear(part):
        return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part / 255) for part in (colour.r, colour.g, colour.b))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def least(name, plain=4.5, high=7.0):
    return high if "contrast" in name else plain


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("name", COLOURED)
def test_text_can_be_read(name, ground):
    table = colours(name)
    assert contrast(table["foreground"], table[ground], table=table) >= least(name)


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("name", COLOURED)
def test_muted_text_can_be_read(name, ground):
    table = colours(name)
    for muted in ("foreground-muted", "text-muted"):
        assert contrast(table[muted], table[ground], table=table) >= least(name, 3.0)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", COLOURED)
def test_states_can_be_told_from_their_ground(name, state):
    """Titles, marks and the phase of the run are written in these."""
    table = colours(name)
    for ground in GROUNDS:
        assert contrast(table[state], table[ground], table=table) >= least(name, 3.0)


@pytest.mark.parametrize("kind", ["success", "error"])
@pytest.mark.parametrize("name", COLOURED)
def test_lines_of_a_difference_can_be_read(name, kind):
    table = colours(name)
    ground = table[f"{kind}-muted"]
    for over in ("background", "surface"):
        for text in (table["foreground"], table[f"text-{kind}"]):
            assert contrast(text, ground, over, table) >= least(name)


def test_the_terminals_own_colours_are_named_only():
    (theme,) = (theme for theme in THEMES.values() if theme.ansi)
    named = [getattr(theme, field) for field in ("primary", "foreground", "background", *STATES)]
    assert all(name.startswith("ansi_") for name in named)


def test_there_are_a_dark_and_a_light_one_one_of_high_contrast_and_the_terminals():
    assert {name: theme.dark for name, theme in THEMES.items()} == {
        "selfheal-contrast": True,
        "selfheal-dark": True,
        "selfheal-light": False,
        "selfheal-terminal": True,
    }
