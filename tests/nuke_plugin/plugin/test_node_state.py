"""What a node says of itself: status line and label, when they change, and what looking costs."""

import threading
import time
from pathlib import Path
from types import SimpleNamespace

import comps
import numpy as np
import pytest


@pytest.fixture
def comp(offline_comp):
    return offline_comp


@pytest.mark.parametrize(
    ("knob", "value", "said"),
    [("mask_threshold", 0.7, "mask threshold"), ("quality", "high", "quality"), ("exposure", 1, "exposure")],
)
def test_a_changed_setting_makes_the_result_stale_and_back_makes_it_fresh(comp, knob, value, said):
    comp.show_alphas()
    target = comp.node()[knob]
    before = target.value()
    comp.node().showControlPanel()
    target.setValue(value)
    assert comp.status() == f"stale: {said} changed"
    assert comp.node()["state"].value() == comp.status()
    target.setValue(before)
    assert comp.status() == "refined 1001-1020"


def test_a_longer_range_says_which_frames_are_not_refined(comp):
    comp.choose("1001-1004")
    comp.show_alphas()
    comp.node().showControlPanel()
    comp.choose("1001-1006")
    assert comp.status() == "1005-1006 not refined"


def test_a_new_mask_makes_the_result_stale(comp):
    comp.show_alphas()
    comps.write_exr(comp.folder / "mask.1005.exr", np.ones((comps.HEIGHT, comps.WIDTH), np.float32), ("A",))
    from videomama_nuke import node_state

    node_state.refresh(comp.node())
    assert comp.status() == "stale: plate or mask changed"


def test_of_many_kinds_the_first_are_named(comp):
    comp.show_alphas()
    from videomama_client.messages import QcFlag
    from videomama_nuke import node_state, record

    node, kinds = comp.node(), ("hole", "spill", "flicker", "seam")
    last = record.read(node)
    flags = [QcFlag(kind, [1003, 1004], 1003, "") for kind in kinds]
    node_state.keep_flags(last.key, flags)
    assert node_state.flagged(node) == "hole on 1003-1004, spill on 1003-1004, 2 more"


def test_the_label_in_the_node_graph_says_how_the_node_is(comp):
    from nuke_standin import callbacks

    assert callbacks.label(comp.node()) == "VideoMaMa1\nnot refined"
    comp.show_alphas()
    assert callbacks.label(comp.node()) == "VideoMaMa1\nrefined 1001-1020"


def test_an_idle_nuke_notices_that_something_upstream_has_changed(comp):
    from nuke_standin import callbacks

    comp.show_alphas()
    comp.node("MaskRead")["before"].setValue("black")
    callbacks.idle()
    comp.pump(lambda: comp.status() == "stale: plate or mask changed", "an idle look has seen it")


def test_an_idle_look_asks_the_disk_nothing_on_the_main_thread(comp, monkeypatch):
    from nuke_standin import callbacks
    from videomama_nuke import files

    comp.show_alphas()
    threads = []
    real = files._stats
    monkeypatch.setattr(files, "_stats", lambda path: threads.append(threading.current_thread()) or real(path))
    comp.node("MaskRead")["before"].setValue("black")
    callbacks.idle()
    comp.pump(lambda: comp.status() == "stale: plate or mask changed", "an idle look has seen it")
    assert threads
    assert threading.main_thread() not in threads


def test_a_changed_setting_asks_the_disk_nothing_once_it_was_looked_at(comp, monkeypatch):
    from videomama_nuke import files, result

    comp.show_alphas()
    comp.node().showControlPanel()
    comp.let_look()
    comp.node()["exposure"].setValue(2)
    for module, name in ((files, "_stats"), (result, "_numbers")):
        monkeypatch.setattr(module, name, lambda path: pytest.fail(f"{path} was looked at"))
    comp.node()["exposure"].setValue(1)
    assert comp.status() == "stale: exposure changed"
    comp.node()["exposure"].setValue(0)
    assert comp.status() == "refined 1001-1020"


def test_a_pasted_node_gets_an_id_of_its_own_and_keeps_its_result(comp):
    comp.show_alphas()
    comp.node().setSelected(True)
    comp.nuke.nodeCopy(str(comp.folder / "clip.nk"))
    comp.nuke.nodePaste(str(comp.folder / "clip.nk"))
    pasted = comp.node("VideoMaMa2")
    assert pasted["node_id"].value() != comp.node()["node_id"].value()
    assert pasted["result_file"].value() == comp.node()["result_file"].value()


def test_a_new_node_gets_an_id_and_a_copy_one_of_its_own(comp):
    from videomama_nuke import node_state

    node = comp.node()
    own = str(node["node_id"].value())
    assert len(own) == 32
    node_state.begin(node)
    assert node["node_id"].value() == own
    copy = comp.nuke.nodes.VideoMaMa(name="Copy1")
    assert copy["node_id"].value() not in ("", own)
    copy["node_id"].setValue(own)
    node_state.begin(copy)
    assert copy["node_id"].value() not in ("", own)
    assert node["node_id"].value() == own


def test_a_loaded_node_shows_what_it_remembers(comp):
    comp.show_alphas()
    comp.node()["state"].setValue("as it was saved")
    comp.nuke.scriptSave()
    comp.nuke.scriptOpen(str(comp.script))
    assert comp.status() == "as it was saved"


def test_saying_something_leaves_no_trace(comp):
    from nuke_standin import session
    from videomama_nuke import node_state

    depth = session.current().undo_depth()
    comp.nuke.root().setModified(False)
    node_state.say(comp.node(), "cancelling")
    assert (comp.status(), comp.node()["state"].value()) == ("cancelling", "cancelling")
    assert session.current().undo_depth() == depth
    assert not comp.nuke.root().modified()


def test_while_a_job_writes_the_status_nobody_else_does(comp):
    from nuke_standin import callbacks
    from videomama_nuke import node_state

    comp.show_alphas()
    identity = str(comp.node()["node_id"].value())
    node_state.set_busy(identity, True)
    node_state.say(comp.node(), "refining: 1 of 20")
    comp.node()["exposure"].setValue(1)
    node_state.refresh(comp.node())
    callbacks.idle()
    comp.let_look()
    assert comp.status() == "refining: 1 of 20"
    node_state.set_busy(identity, False)
    node_state.refresh(comp.node())
    assert comp.status() == "stale: exposure changed"


def test_a_node_without_a_plate_keeps_its_words(comp):
    from videomama_nuke import node_state

    comp.show_alphas()
    comp.node().setInput(0, None)
    comp.node()["exposure"].setValue(1)
    node_state.refresh(comp.node())
    assert comp.status() == "refined 1001-1020"


def test_a_knob_that_changes_no_pixel_is_no_reason_to_look(comp, monkeypatch):
    from videomama_nuke import node_state

    comp.show_alphas()
    comp.node().showControlPanel()
    comp.let_look()
    looks: list[object] = []
    monkeypatch.setattr(node_state, "refresh", lambda *_: looks.append(1))
    comp.node()["label"].setValue("hero")
    comp.node()["premultiply"].setValue(True)
    assert not looks
    comp.node()["exposure"].setValue(1)
    comp.choose("1001-1004")
    assert len(looks) == 3


def test_opening_the_panel_looks_at_the_disk(comp):
    comp.show_alphas()
    comp.nuke.root()["frame"].setValue(1001)
    Path(comp.node()["result_file"].value() % 1004).unlink()
    comp.node().showControlPanel()
    comp.pump(lambda: comp.status() == "1004 not refined", "it has looked")


def test_a_node_of_which_nothing_was_said_in_this_session_is_looked_at(comp):
    from nuke_standin import callbacks
    from videomama_nuke import node_state

    comp.show_alphas()
    Path(comp.node()["result_file"].value() % 1004).unlink()
    node_state._said.clear()
    callbacks.idle()
    comp.pump(lambda: comp.status() == "1004 not refined", "the look has shown what it found")


def test_what_cannot_be_used_is_said_by_an_idle_look_and_looks_go_on(comp):
    from nuke_standin import callbacks
    from videomama_nuke import node_state

    comp.show_alphas()
    comp.node()["frame_range"].setValue("custom")
    node_state.say(comp.node(), "nothing yet")
    comp.node()["frames"].setValue("no range")
    callbacks.idle()
    comp.let_look()
    assert comp.status().startswith("'no range' is not a frame range")
    comp.node()["frames"].setValue("1001-1004")
    node_state._next_look.clear()
    node_state.say(comp.node(), "nothing yet")
    callbacks.idle()
    comp.pump(lambda: comp.status() == "refined 1001-1004", "the next look has seen it")


def test_a_node_that_was_never_refined_is_said_so_by_an_idle_look(comp):
    from nuke_standin import callbacks
    from videomama_nuke import node_state

    node_state.say(comp.node(), "something else")
    callbacks.idle()
    comp.let_look()
    assert comp.status() == "not refined"
    node_state._next_look.clear()
    callbacks.idle()
    comp.let_look()  # the look is over: another one may begin
    assert not node_state._looking.locked()


def idle_looks(comp, monkeypatch, times: int) -> int:
    """Let Nuke be idle so often, and return how many looks began."""
    from nuke_standin import callbacks
    from videomama_nuke import look

    begun, real = [], look.steps
    monkeypatch.setattr(look, "steps", lambda node, *known: begun.append(node) or real(node, *known))
    for _ in range(times):
        callbacks.idle()
        comp.let_look()
    return len(begun)


def test_an_idle_nuke_looks_now_and_then(comp, monkeypatch):
    from videomama_nuke import node_state

    comp.show_alphas()
    monkeypatch.setattr(node_state, "_IDLE_S", 60.0)
    begun = time.monotonic()
    assert idle_looks(comp, monkeypatch, 3) == 1
    (due,) = node_state._next_look.values()
    assert begun + 60 <= due
    node_state._next_look.clear()
    assert idle_looks(comp, monkeypatch, 2) == 1


def test_a_slow_disk_is_asked_less_often(comp, monkeypatch):
    from videomama_nuke import look, node_state

    comp.show_alphas()
    real = look.Look.at_disk
    clock = [100.0]
    monkeypatch.setattr(node_state, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(look.Look, "at_disk", lambda self: clock.append(clock.pop() + 0.5) or real(self))
    assert idle_looks(comp, monkeypatch, 1) == 1
    (due,) = node_state._next_look.values()
    assert due == 100.5 + 10 * 0.5


def test_a_look_that_is_overtaken_by_news_shows_nothing(comp, monkeypatch):
    from nuke_standin import callbacks
    from videomama_nuke import look, node_state

    comp.show_alphas()
    looked, daemons = threading.Event(), []
    real = look.Look.at_disk

    def at_disk(self):
        daemons.append(threading.current_thread().daemon)
        return looked.wait(60) and real(self)

    monkeypatch.setattr(look.Look, "at_disk", at_disk)
    callbacks.idle()
    comp.pump(lambda: daemons, "the look has come to the disk")
    assert daemons == [True]  # Nuke can end meanwhile
    node_state.say(comp.node(), "exporting 1001-1004")
    looked.set()
    comp.let_look()
    assert comp.status() == "exporting 1001-1004"


def test_a_node_that_is_deleted_during_a_look_does_no_harm(comp, monkeypatch):
    from nuke_standin import callbacks
    from videomama_nuke import look, node_state

    comp.show_alphas()
    looked = threading.Event()
    real = look.Look.at_disk
    monkeypatch.setattr(look.Look, "at_disk", lambda self: looked.wait(60) and real(self))
    callbacks.idle()
    assert node_state._looking.locked()
    comp.nuke.delete(comp.node())
    looked.set()
    comp.let_look()


def test_flags_are_those_of_the_result_that_is_shown(comp):
    from videomama_client.messages import QcFlag
    from videomama_nuke import node_state, record

    comp.show_alphas()
    node = comp.node()
    key = record.read(node).key
    two = [QcFlag(kind, [1003, 1004], 1003, "") for kind in ("hole", "spill")]
    node_state.keep_flags(key, two)
    assert node_state.flagged(node) == "hole on 1003-1004, spill on 1003-1004"
    node_state.keep_flags("another key", two)
    node_state.keep_flags(key, [])
    assert node_state.flagged(node) == ""
    node_state.keep_flags(key, two)
    record.write(node, None)
    assert node_state.flagged(node) == ""


@pytest.fixture
def two(comp):
    """A comp of two nodes beside each other, both with their alphas."""
    comp.nuke.nodes.VideoMaMa(inputs=[comp.node("PlateRead"), comp.node("MaskRead")], name="VideoMaMa2")
    comp.show_alphas()
    comp.show_alphas(name="VideoMaMa2")
    return comp


def test_each_node_is_looked_at_in_its_turn(two, monkeypatch):
    from nuke_standin import callbacks
    from videomama_nuke import node_state

    monkeypatch.setattr(node_state, "_IDLE_S", 60.0)
    node_state._next_look.clear()
    two.node("PlateRead")["last"].setValue(1022)
    for _ in range(2):
        callbacks.idle()
        two.let_look()
    assert [two.status(), two.status("VideoMaMa2")] == ["1021-1022 not refined"] * 2


def test_news_of_one_node_do_not_outdate_a_look_at_another(two, monkeypatch):
    from nuke_standin import callbacks
    from videomama_nuke import look, node_state

    two.node("PlateRead")["last"].setValue(1022)
    looked, real = threading.Event(), look.Look.at_disk
    monkeypatch.setattr(look.Look, "at_disk", lambda self: looked.wait(60) and real(self))
    callbacks.idle()
    (seen,) = node_state._next_look
    other = "VideoMaMa2" if seen.startswith("VideoMaMa1") else "VideoMaMa1"
    node_state.say(two.node(other), "exporting")
    looked.set()
    two.let_look()
    assert two.status(seen.split()[0]) == "1021-1022 not refined"
    assert two.status(other) == "exporting"


def test_a_job_of_one_node_writes_its_own_status_alone(two):
    from videomama_nuke import node_state

    node_state.set_busy(str(two.node()["node_id"].value()), True)
    for name in ("VideoMaMa1", "VideoMaMa2"):
        node_state.say(two.node(name), "something else")
        node_state.refresh(two.node(name))
    assert [two.status(), two.status("VideoMaMa2")] == ["something else", "refined 1001-1020"]


def test_what_one_look_found_is_not_taken_for_another_node(two):
    from videomama_nuke import result

    two.node("VideoMaMa2").showControlPanel()
    two.let_look()
    Path(two.node()["result_file"].value() % 1004).unlink()
    assert result.missing(str(two.node()["result_file"].value()), [1004]) == [1004]
    two.node().showControlPanel()
    two.let_look()
    two.node()["exposure"].setValue(1)
    two.node()["exposure"].setValue(0)
    assert two.status() == "1004 not refined"


def test_a_look_is_due_two_seconds_after_the_last(comp):
    from nuke_standin import callbacks
    from videomama_nuke import node_state

    begun = time.monotonic()
    callbacks.idle()
    ended = time.monotonic()
    (due,) = node_state._next_look.values()
    assert begun + 2.0 <= due <= ended + 2.0


def test_changes_around_the_engine_go_to_its_menu(comp, monkeypatch):
    from videomama_nuke import engine_menu

    offered: list[object] = []
    monkeypatch.setattr(engine_menu, "offer", lambda node, menu: offered.append(menu.chosen))
    comp.node()["engine"].setValue("passthrough")
    assert offered == []  # no panel is open, as while a script is read
    comp.node().showControlPanel()
    comp.node()["engine"].setValue("other")
    comp.node()["exposure"].setValue(1)
    assert offered == ["engine", "maker", "engine"]
    menu = comp.node()["engines_found"]
    menu.setValues(["2 engines of the server", "feather", "wool"])
    menu.setValue("wool")
    assert (comp.node()["other_engine"].value(), menu.getValue()) == ("wool", 0)
    assert len(offered) == 3
