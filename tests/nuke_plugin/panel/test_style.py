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
