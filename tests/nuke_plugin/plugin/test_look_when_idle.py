"""A look at an idle node: cheap on the main thread whatever the number of frames, and blind to no change upstream."""

import os
import sys
from contextlib import contextmanager

import comps
import pytest


def refined(comp, count: int) -> None:
    """Let the node show what a refine of so many frames would have left."""
    from videomama_nuke import order, result

    asked = order.read(comp.node())
    result.show(comp.node(), asked.record, asked.clip)
    assert len(asked.wanted) == count


def look(comp) -> None:
    """Let the plug-in look at its nodes."""
    from nuke_standin import callbacks
    from videomama_nuke import node_state

    node_state._next_look.clear()
    callbacks.idle()
    comp.let_look()


def blocks_of(comp, monkeypatch) -> list[int]:
    """Let the plug-in look, one piece at a time, and return how many calls of the main thread each block was."""
    from videomama_nuke import slices

    real, blocks = slices.advance, []

    def advance(steps, seconds):
        with counted_calls(blocks):
            return real(steps, 0.0)

    with monkeypatch.context() as patch:
        patch.setattr(slices, "advance", advance)
        look(comp)
    return blocks


@contextmanager
def counted_calls(blocks: list[int]):
    """Add to a list how many calls the block of `with` was."""
    calls = 0

    def count(frame, event, argument) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)
        blocks.append(calls)


@pytest.fixture
def many(open_nuke, tmp_path):
    """Return a function that opens a comp of many frames, all of them links to the first."""

    def opened(count: int):
        comps.write_clip(tmp_path, 1)
        for frame in range(comps.FIRST + 1, comps.FIRST + count):
            for role in ("plate", "mask"):
                os.link(tmp_path / f"{role}.{comps.FIRST}.exr", tmp_path / f"{role}.{frame}.exr")
        comp = open_nuke()
        comp.open(comps.plain_script(tmp_path, count=count))
        refined(comp, count)
        return comp

    return opened


def test_a_look_at_thousands_of_frames_is_no_more_work_for_the_main_thread(many, monkeypatch):
    comp = many(2)
    look(comp)
    few = sum(blocks_of(comp, monkeypatch))
    assert few
    comp.node("PlateRead")["last"].setValue(comps.FIRST + 1999)
    comp.node("MaskRead")["last"].setValue(comps.FIRST + 1999)
    refined(comp, 2000)
    look(comp)
    assert sum(blocks_of(comp, monkeypatch)) < 1.2 * few


def test_nuke_is_asked_in_pieces_while_it_is_idle_and_not_at_all_by_the_callback(comp, monkeypatch):
    from nuke_standin import callbacks
    from videomama_nuke import node_state

    refined(comp, comps.COUNT)
    look(comp)
    assert len(blocks_of(comp, monkeypatch)) > 5
    inside: list[int] = []
    node_state._next_look.clear()
    with counted_calls(inside):
        callbacks.idle()
    comp.let_look()
    assert inside[0] < sum(blocks_of(comp, monkeypatch)) / 2


def test_what_a_refine_wrote_is_not_parsed_again(comp, monkeypatch):
    from videomama_nuke import record

    def parsed(text: str) -> None:
        raise AssertionError("a record was parsed")

    refined(comp, comps.COUNT)
    written = record.read(comp.node())
    text = str(comp.node()["record"].value())
    with monkeypatch.context() as patch:
        patch.setattr(record, "_parse", parsed)
        look(comp)
        assert record.read(comp.node()) is written
    assert record._parse(text) == written


def test_only_the_last_records_are_remembered(comp):
    from videomama_nuke import record

    for number in range(3 * record._MOST_PARSED):
        record.parse(f'{{"key": "{number}"}}')
    assert len(record._parsed) == record._MOST_PARSED


@pytest.fixture
def asked_for_range(monkeypatch):
    """Return the list of the looks that asked Nuke for the plate's range."""
    from videomama_nuke import order

    real, asked = order.clip_of, []
    monkeypatch.setattr(order, "clip_of", lambda node: (asked.append(node), real(node))[1])
    return asked


def test_the_plates_range_is_asked_for_once_while_nothing_changes(comp, asked_for_range):
    refined(comp, comps.COUNT)
    look(comp)
    asked_for_range.clear()
    look(comp)
    look(comp)
    assert not asked_for_range


def test_a_range_that_changes_upstream_is_noticed(comp, asked_for_range):
    refined(comp, comps.COUNT)
    look(comp)
    asked_for_range.clear()
    comp.node("PlateRead")["last"].setValue(1030)
    look(comp)
    assert asked_for_range
    assert comp.status() == "1001-1030 not refined"


def test_a_project_range_that_changes_is_noticed_where_the_plate_has_none_of_its_own(comp, asked_for_range):
    comp.node().setInput(0, comp.nuke.nodes.Dot())
    refined(comp, comps.COUNT)
    look(comp)
    asked_for_range.clear()
    comp.nuke.root()["last_frame"].setValue(1030)
    look(comp)
    assert asked_for_range
    assert comp.status() == "1001-1030 not refined"


def test_below_what_cannot_be_checked_nuke_is_asked_each_time(comp, asked_for_range):
    tracker = comp.nuke.createNode("Tracker4", "name Tracker1", inpanel=False)
    tracker.setInput(0, comp.node("MaskRead"))
    comp.node().setInput(1, tracker)
    refined(comp, comps.COUNT)
    look(comp)
    asked_for_range.clear()
    look(comp)
    assert asked_for_range


def largest_block(comp, monkeypatch) -> int:
    """Let a look do one piece at a time, and return how many calls the largest piece was."""
    from videomama_nuke import node_state

    blocks = blocks_of(comp, monkeypatch)
    assert node_state.describe(comp.node()) == comp.status()
    return max(blocks)


def chained(comp, count: int) -> None:
    """Put a chain of Blurs above the mask."""
    above = comp.node("MaskRead")
    for _ in range(count):
        above = comp.nuke.nodes.Blur(inputs=[above], size=1)
    comp.node().setInput(1, above)
    refined(comp, comps.COUNT)


def test_a_look_below_many_nodes_keeps_the_main_thread_no_longer_at_a_time(comp, monkeypatch):
    chained(comp, 2)
    largest_block(comp, monkeypatch)
    few = largest_block(comp, monkeypatch)
    chained(comp, 60)
    largest_block(comp, monkeypatch)
    assert largest_block(comp, monkeypatch) < 2 * few


def test_a_look_whose_node_is_deleted_meanwhile_ends_in_silence(comp, monkeypatch):
    from nuke_standin import callbacks
    from videomama_nuke import node_state

    chained(comp, 5)
    monkeypatch.setattr(node_state, "_SLICE_S", 0.0)
    node_state._next_look.clear()
    callbacks.idle()
    assert node_state._looking.locked()
    comp.nuke.scriptClear()
    from nuke_standin import threads

    while node_state._looking.locked():
        threads.pump(0.01)
    assert not [text for kind, text in messages() if kind == "error"]


def test_settings_that_cannot_be_used_are_said_by_a_look(comp):
    refined(comp, comps.COUNT)
    comp.node()["mask_threshold"].setValue(7)
    look(comp)
    assert comp.status() == "'mask threshold' 7 is out of range"


def test_a_range_that_cannot_be_used_is_said_by_the_rest_of_a_look(comp, monkeypatch):
    from videomama_nuke import node_state

    refined(comp, comps.COUNT)
    monkeypatch.setattr(node_state, "_SLICE_S", 0.0)
    comp.node()["frame_range"].setValue("custom")
    comp.node()["frames"].setValue("nonsense")
    look(comp)
    assert "nonsense" in comp.status()


def messages() -> list[tuple[str, str]]:
    from nuke_standin import session

    return session.current().messages
