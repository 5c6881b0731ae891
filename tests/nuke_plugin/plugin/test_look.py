"""A look at a node: what Nuke says, what lies on disk, and the words for it."""

from dataclasses import replace

import pytest


@pytest.fixture
def comp(offline_comp):
    return offline_comp


@pytest.fixture
def begun(comp):
    """A look at a node of which some frames are refined."""
    from videomama_nuke import look

    comp.show_alphas()
    return look.begin(comp.node(), "")


def test_nothing_is_asked_of_a_node_that_was_not_refined(comp):
    from videomama_nuke import look

    assert look.begin(comp.node(), "") is None
    comp.show_alphas()
    comp.node()["refined"].setValue(False)
    assert look.begin(comp.node(), "") is None


def test_what_is_there_is_in_the_text(begun):
    found = begun.at_disk()
    assert begun.text(found) == "refined 1001-1020"
    some = replace(found, there=frozenset(range(1001, 1019)))
    assert begun.text(some) == "1019-1020 not refined"


def test_changes_come_before_everything_else(begun):
    found = begun.at_disk()
    changed = replace(begun, changes=("seed", "quality"), flags="hole on 1003")
    assert changed.text(replace(found, there=frozenset())) == "stale: seed, quality changed"
    other = replace(found, above=replace(found.above, nodes="other"))
    assert begun.text(other) == "stale: plate or mask changed"
    assert changed.text(other) == "stale: seed, quality, plate or mask changed"


def test_doubts_and_flags_stand_behind(begun):
    found = begun.at_disk()
    doubtful = replace(found, above=replace(found.above, unchecked=("Tracker1", "Gizmo1", "A", "B")))
    flagged = replace(begun, flags="hole on 1003")
    assert flagged.text(found) == "refined 1001-1020; QC: hole on 1003"
    assert flagged.text(doubtful) == "refined 1001-1020; not checked: A, B, Gizmo1, 1 more; QC: hole on 1003"
    missing = replace(doubtful, there=frozenset(range(1002, 1021)))
    assert flagged.text(missing) == "1001 not refined; not checked: A, B, Gizmo1, 1 more"


def test_frames_that_a_trimmed_read_lost_are_not_refined(comp):
    from videomama_nuke import look

    comp.show_alphas()
    comp.node("MaskRead")["last"].setValue(1018)
    now = look.begin(comp.node(), "")
    assert now.text(now.at_disk()) == "1019-1020 not refined"


def test_an_earlier_look_at_the_same_files_is_taken_and_at_others_is_not(comp, begun):
    from videomama_nuke import look

    earlier = replace(begun.at_disk(), there=frozenset({1, 2}))
    known = begun, earlier
    assert begun.remembered(known) == earlier
    assert begun.remembered(None).there == frozenset(range(1001, 1021))
    assert replace(begun, places=begun.places * 2).remembered(known).there != earlier.there
    comp.node("MaskRead")["last"].setValue(1018)
    assert look.begin(comp.node(), "").remembered(known).there != earlier.there
    comp.node("MaskRead")["last"].setValue(1020)
    comp.node("MaskRead")["before"].setValue("black")
    other = look.begin(comp.node(), "").remembered(known)
    assert (other.there, other.above.sources) == (earlier.there, earlier.above.sources)
    assert other.above.nodes != earlier.above.nodes
