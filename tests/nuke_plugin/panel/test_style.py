"""Colours that can be read on Nuke's dark grey, and on a light one."""

import pytest

READABLE = 4.5  # WCAG 2 contrast of text
THEMES = {
    "nuke": ("#323232", "#c8c8c8", "#282828", "#f7931e"),
    "light": ("#f0f0f0", "#202020", "#ffffff", "#2a82da"),
}


def luminance(colour) -> float:
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.fixture(params=sorted(THEMES))
def colours(qt, request):
    window, text, base, highlight = THEMES[request.param]
    palette = qt.gui.QPalette()
    role = qt.gui.QPalette.ColorRole
    for name, colour in (
        (role.Window, window),
        (role.WindowText, text),
        (role.Base, base),
        (role.Highlight, highlight),
    ):
        palette.setColor(name, qt.gui.QColor(colour))
    return qt.style.Colours(palette)


@pytest.mark.parametrize("name", ["text", "dim", "good", "bad", "warn"])
def test_words_can_be_read(colours, name):
    assert contrast(getattr(colours, name), colours.window) >= READABLE
    assert contrast(getattr(colours, name), colours.base) >= READABLE


@pytest.mark.parametrize("name", ["text", "good", "bad", "warn"])
def test_words_of_a_chosen_job_can_be_read(colours, name):
    assert contrast(getattr(colours, name), colours.selected) >= READABLE


def test_a_job_with_flags_is_no_plain_success(colours, make_job):
    assert colours.of_job(make_job(state="done")) == colours.good
    assert colours.of_job(make_job(state="done", flags="hole on 1003")) == colours.warn


def test_the_focus_is_seen(colours):
    assert contrast(colours.accent, colours.window) >= 3.0


def test_each_state_has_its_colour(colours, make_job):
    assert colours.of_server("running") == colours.good
    assert colours.of_server("silent") == colours.warn
    assert colours.of_server("unreachable") == colours.bad
    assert colours.of_server("looking") == colours.dim
    known = {"running": colours.text, "done": colours.good, "failed": colours.bad, "waiting": None, "cancelled": None}
    assert {state: colours.of_job(make_job(state=state)) for state in known} == known


def test_colours_are_mixed_by_their_share(qt):
    one, other = qt.gui.QColor("#102030"), qt.gui.QColor("#506070")
    mixed = [qt.style.mix(one, other, share).name() for share in (0.0, 0.25, 0.5, 1.0)]
    assert mixed == ["#102030", "#203040", "#304050", "#506070"]


def test_words_get_fainter_from_text_to_line(colours):
    names = ("text", "dim", "cached", "faint", "edge", "hover", "line", "button", "pressed")
    found = [contrast(getattr(colours, name), colours.window) for name in names]
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == len(found)
    assert contrast(colours.accent, colours.window) != contrast(colours.ended, colours.window)


def test_the_style_sheet_has_every_colour_and_no_gap(colours):
    sheet = colours.sheet()
    assert "{" in sheet
    assert "{accent}" not in sheet
    for name in ("button", "edge", "hover", "pressed", "accent", "faint", "base", "dim", "bad", "line", "warn"):
        assert getattr(colours, name).name() in sheet
