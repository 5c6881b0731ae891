"""The small parts that the panel is put together from."""

import pytest


@pytest.fixture
def controls(qt):
    from videomama_nuke.panel import controls

    return controls


def margins(layout) -> tuple[int, int, int, int]:
    found = layout.contentsMargins()
    return found.left(), found.top(), found.right(), found.bottom()


def test_a_button_says_what_it_is_and_does_what_it_says(qt, controls):
    pressed = []
    made = controls.button("C&lear\u2026", "Remove every entry", lambda: pressed.append(1))
    assert (made.text(), made.toolTip()) == ("C&lear\u2026", "Remove every entry")
    assert (made.accessibleName(), made.accessibleDescription()) == ("Clear", "Remove every entry")
    assert not made.autoDefault()
    assert made.focusPolicy() == qt.core.Qt.FocusPolicy.StrongFocus
    made.click()
    assert pressed == [1]


def test_a_label_wraps_plain_text_in_any_width(qt, controls):
    made = controls.label("dim", "Server details")
    assert made.textFormat() == qt.core.Qt.TextFormat.PlainText
    assert made.wordWrap()
    assert made.minimumWidth() == 1
    assert (made.accessibleName(), made.property("role")) == ("Server details", "dim")
    assert controls.label().property("role") is None


@pytest.mark.parametrize("beside", [0, 1, 2])
def test_a_heading_has_its_line_below_all_of_it_and_what_stands_first_beside_it_takes_the_room(qt, controls, beside):
    parts = [qt.widgets.QLabel(f"part {number}") for number in range(beside)]
    made = controls.heading("Cache", *parts)
    grid = made.layout()
    assert margins(grid) == (0, 6, 0, 0)
    assert grid.verticalSpacing() == 3
    name, line = grid.itemAtPosition(0, 0).widget(), grid.itemAtPosition(1, 0).widget()
    assert (name.text(), name.property("role"), line.property("role")) == ("Cache", "heading", "line")
    assert [grid.itemAtPosition(0, 1 + place).widget() for place in range(beside)] == parts
    assert grid.columnStretch(1) == 1
    assert grid.columnStretch(0) == 0
    assert all(grid.itemAtPosition(1, column).widget() is line for column in range(1 + max(1, beside)))
    assert grid.itemAtPosition(1, 1 + max(1, beside)) is None


@pytest.mark.parametrize("stretch", [-1, 0, 1])
def test_a_row_has_no_margin_and_one_part_takes_what_is_left(qt, controls, stretch):
    made = controls.row(qt.widgets.QLabel("a"), qt.widgets.QLabel("b"), stretch=stretch)
    assert margins(made) == (0, 0, 0, 0)
    assert made.spacing() == 6
    assert [made.stretch(place) > 0 for place in (0, 1)] == [stretch == 0, stretch == 1]


def test_a_reading_pane_is_read_copied_and_left_by_tab(qt, controls):
    made = controls.reading_pane("Log", "The last lines")
    assert made.isReadOnly()
    assert made.tabChangesFocus()
    assert not made.isUndoRedoEnabled()
    assert made.wordWrapMode() == qt.gui.QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere
    fixed = qt.gui.QFontDatabase.systemFont(qt.gui.QFontDatabase.SystemFont.FixedFont)
    assert made.font().toString() == fixed.toString()
    assert (made.accessibleName(), made.toolTip()) == ("Log", "The last lines")


def test_words_and_role_of_a_label_change_together_or_alone(qt, controls):
    made = controls.label("dim")
    made.setStyleSheet('QLabel[role="bad"] { color: #ff0000 } QLabel[role="dim"] { color: #00ff00 }')
    made.show()
    controls.say(made, "fine")
    assert (made.text(), made.property("role")) == ("fine", "dim")
    controls.say(made, "broken", "bad")
    qt.app.processEvents()
    assert (made.text(), made.property("role")) == ("broken", "bad")
    assert made.palette().color(made.foregroundRole()).name() == "#ff0000"
    made.deleteLater()


def test_a_path_wraps_at_its_separators(controls):
    assert controls.breakable("/shots/a b/c").split(controls.BREAK) == ["/shots", "/a b", "/c"]
    assert controls.breakable("missing: /x").split(controls.BREAK) == ["missing: /x"]
    assert controls.breakable(r"C:\x").split(controls.BREAK) == ["C:", r"\x"]


def test_text_is_put_on_the_clipboard(qt, controls):
    controls.copy("some words")
    assert qt.gui.QGuiApplication.clipboard().text() == "some words"
