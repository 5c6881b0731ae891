"""The cache's section: what it shows, and that nothing goes without a second press."""

import pytest
from videomama_client.messages import CacheReported
from videomama_nuke.panel.snapshot import LOOKING, RUNNING, UNREACHABLE, Snapshot

CACHE = CacheReported("", "/server/cache", 12, 34_000_000, 100_000_000_000)


@pytest.fixture
def box(qt):
    """The section alone, in a window, with what was asked for in `asked`."""
    from videomama_nuke.panel.cache_box import CacheBox

    made = CacheBox()
    made.asked = []
    made.prune_asked.connect(lambda: made.asked.append("prune"))
    made.clear_confirmed.connect(lambda: made.asked.append("clear"))
    made.resize(420, 200)
    made.show()
    made.activateWindow()
    qt.app.processEvents()
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture
def full(box):
    box.show_state(Snapshot(state=RUNNING, cache=CACHE))
    return box


def usable(box) -> tuple[bool, bool]:
    return box.prune.isEnabled(), box.clear.isEnabled()


def test_at_first_nothing_is_asked(box):
    assert not box.asking.isVisible()
    assert box.asking.property("role") == "ask"


def test_a_cache_that_is_known_is_shown_and_can_be_used(full):
    assert full.fill.text() == "12 entries \u00b7 34.0 MB of 100 GB"
    assert full.folder.isVisible()
    assert full.folder.toolTip() == "/server/cache"
    assert full.question.text() == "Remove all 12 entries, 34.0 MB?"
    assert usable(full) == (True, True)


def test_of_one_entry_it_asks_for_the_one(box):
    box.show_state(Snapshot(state=RUNNING, cache=CacheReported("", "/c", 1, 10, 0)))
    assert box.question.text() == "Remove the 1 entry, 10 B?"


@pytest.mark.parametrize(("state", "said"), [(RUNNING, "Counting\u2026"), (LOOKING, "\u2013"), (UNREACHABLE, "\u2013")])
def test_a_cache_that_is_not_known_cannot_be_used_and_no_question_stays(full, state, said):
    full.clear.click()
    full.show_state(Snapshot(state=state))
    assert full.fill.text() == said
    assert not full.folder.isVisible()
    assert not full.asking.isVisible()
    assert usable(full) == (False, False)


def test_while_the_cache_is_worked_on_it_cannot_be_used(full):
    full.show_state(Snapshot(state=RUNNING, cache=CACHE, busy=("Unloading the engine",)))
    assert usable(full) == (True, True)
    full.show_state(Snapshot(state=RUNNING, cache=CACHE, busy=("Unloading the engine", "Pruning the cache")))
    assert usable(full) == (False, False)


def test_pruning_needs_one_press(full):
    full.prune.click()
    assert full.asked == ["prune"]


def test_clearing_needs_two_and_the_harmless_answer_has_the_focus(full):
    full.clear.click()
    assert full.asking.isVisible()
    assert full.focusWidget() is full.keep
    full.show_state(Snapshot(state=RUNNING, cache=CACHE))
    assert usable(full) == (True, False)
    assert full.asked == []
    full.remove.click()
    assert full.asked == ["clear"]
    assert not full.asking.isVisible()
    assert usable(full) == (True, True)


@pytest.mark.parametrize("way", ["keep", "escape"])
def test_the_question_is_taken_back_and_the_focus_goes_where_it_was(qt, full, way):
    full.clear.click()
    if way == "keep":
        full.keep.click()
    else:
        qt.test.keyClick(full.keep, qt.core.Qt.Key.Key_Escape)
    assert not full.asking.isVisible()
    assert full.asked == []
    assert usable(full) == (True, True)
    assert full.focusWidget() is full.clear


def test_another_key_or_escape_without_a_question_is_the_panels(qt, full):
    full.clear.click()
    qt.test.keyClick(full.keep, qt.core.Qt.Key.Key_A)
    assert full.asking.isVisible()
    full.withdraw()
    full.prune.setFocus()
    event = qt.gui.QKeyEvent(
        qt.core.QEvent.Type.KeyPress, qt.core.Qt.Key.Key_Escape, qt.core.Qt.KeyboardModifier.NoModifier
    )
    full.keyPressEvent(event)
    assert not event.isAccepted()
    assert full.focusWidget() is full.prune


def test_the_focus_stays_where_the_person_put_it(full):
    full.clear.click()
    full.prune.setFocus()
    full.withdraw()
    assert full.focusWidget() is full.prune


def test_the_question_has_air_around_it_and_the_section_has_none(full):
    outer, inner = full.layout(), full.asking.layout()
    found = [outer.contentsMargins(), inner.contentsMargins()]
    assert [(one.left(), one.top(), one.right(), one.bottom()) for one in found] == [(0, 0, 0, 0), (6, 4, 6, 4)]
    assert outer.spacing() == 4
    for place in (outer.itemAt(0).layout(), inner):
        assert place.stretch(0) > 0  # words take the room, buttons stay small
        assert place.stretch(1) == place.stretch(2) == 0


def test_all_parts_are_inside(full):
    full.clear.click()
    for part in (full.fill, full.prune, full.clear, full.folder, full.question, full.remove, full.keep):
        assert part.isVisibleTo(full), part.accessibleName()
        assert full.isAncestorOf(part)
