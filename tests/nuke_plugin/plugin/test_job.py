"""A refine under way: what it shows, what it waits for, and that its end reaches the server."""

import re
import time
from dataclasses import replace

import comps
import pytest
from videomama_client.errors import BadInput, Cancelled, InternalError
from videomama_client.messages import CANCELLED, DONE, FrameDone, MatteDone, MattePlanned, QcFlag


def test_a_press_returns_while_the_refine_runs(comp):
    from videomama_nuke import buttons

    comp.press("refine")
    assert [job.identity for job in buttons.running_jobs()] == [comp.node()["node_id"].value()]
    comp.finish()
    assert comp.status() == "refined 1001-1020"


@pytest.fixture
def under_way(long_comp, monkeypatch):
    """The long comp once its first frames have arrived; each further one is shown at once."""
    from videomama_nuke import job

    monkeypatch.setattr(job, "_SHOW_EVERY_S", 0.0)
    long_comp.press("refine")
    long_comp.pump(lambda: "refining" in long_comp.status(), "frames arrive")
    return long_comp


def ended(comp) -> None:
    """Serve the main thread until no refine runs, whatever became of the node."""
    from nuke_standin import threads
    from videomama_nuke import buttons

    until = time.monotonic() + comps.WAIT_S
    while buttons.running_jobs():
        assert time.monotonic() < until, "a refine still runs"
        threads.pump(0.01)


def test_cancel_in_mid_job_keeps_what_is_done(under_way, job_at_server, eventually):
    under_way.press("cancel")
    assert under_way.status() == "cancelling"
    ended(under_way)
    assert re.fullmatch(r"cancelled; \d[-,\d]* not refined", under_way.status())
    eventually(lambda: job_at_server().state == CANCELLED, "the server has cancelled it")
    assert 0 < len(list(under_way.folder.rglob("alpha.*.exr"))) < comps.MANY


def test_each_step_is_said_as_it_comes(comp):
    from videomama_nuke import order
    from videomama_nuke.job import Refine

    said: list[str] = []
    refine = Refine(comp.node(), order.read(comp.node()), tell=said.append)
    refine.run()
    assert said[:3] == ["looking for the server", "exporting 1001-1020", "waiting for the engine classic"]
    refining = next(place for place, text in enumerate(said) if text.startswith("refining: "))
    phases = said[3:refining]
    assert "reading 20 masks, 1/20" in phases
    assert "computing 1001-1008" in phases
    assert said[refining] == "refining: 1 of 20"
    assert said[-1] == "refining: 20 of 20"
    assert (refine.error, refine.computed, refine.following) == (None, 20, False)


def test_cancel_before_anything_was_done(comp):
    comp.press("refine")
    comp.press("cancel")
    comp.finish()
    assert comp.status() == "cancelled"


def test_deleting_the_node_in_mid_job_cancels_it_at_the_server(under_way, job_at_server, eventually):
    under_way.nuke.delete(under_way.node())
    ended(under_way)
    eventually(lambda: job_at_server().state == CANCELLED, "the server has cancelled it")


def test_closing_the_script_in_mid_job_cancels_it_at_the_server(under_way, job_at_server, eventually):
    under_way.nuke.scriptClear()
    ended(under_way)
    eventually(lambda: job_at_server().state == CANCELLED, "the server has cancelled it")


def test_renaming_the_node_in_mid_job_is_safe(under_way, job_at_server):
    under_way.node().setName("Hero")
    ended(under_way)
    assert under_way.status("Hero") == "refined 1001-1024"
    assert job_at_server().state == DONE


@pytest.fixture
def by_hand(offline_comp):
    """A refine that the test drives: what the server would say is given to it; `by_hand.said` is what it told."""
    from videomama_nuke import order
    from videomama_nuke.job import Refine

    said: list[str] = []
    refine = Refine(offline_comp.node(), order.read(offline_comp.node()), tell=said.append)
    refine.said, refine.comp = said, offline_comp
    return refine


def planned(**changes) -> MattePlanned:
    return replace(MattePlanned("j", "classic", [10, 8, 30, 20], 20, "/o.####.exr"), **changes)


def done(**changes) -> MatteDone:
    return replace(MatteDone("j", 20, 15, 5, 1.0, "classic", [0, 0, 8, 8]), **changes)


def test_what_may_keep_a_refine_from_ending_well_is_said_at_its_start(by_hand):
    by_hand._note(planned(warnings=["the disk is nearly full"]))
    assert by_hand.said == ["warning: the disk is nearly full"]
    assert by_hand.comp.status() == by_hand.said[0]


def test_engine_and_region_that_were_planned_are_in_the_record_beside_the_alphas(by_hand):
    from videomama_nuke import sidecar

    by_hand._note(planned())
    (folder,) = sidecar.folders(by_hand._order.folder)
    last = sidecar.read(folder)
    assert (folder.name, last.engine, last.roi) == (last.key, "classic", "10,8,30,20")
    assert by_hand._order.settings.roi == "10,8,30,20"
    by_hand._note(planned(roi=[]))
    assert by_hand._order.record.roi == ""
    assert by_hand._order.settings.roi == "10,8,30,20"


def test_a_record_that_cannot_be_written_is_a_warning(by_hand):
    by_hand._order.folder.parent.mkdir(exist_ok=True)
    by_hand._order.folder.touch()
    by_hand._note(planned())
    (warning,) = by_hand.warnings
    assert warning.startswith(f"cannot write {by_hand._order.folder}/")
    assert warning.endswith("others will not find the alphas")


def test_frames_are_shown_as_they_come_but_not_each_at_once(by_hand, monkeypatch):
    from videomama_nuke import job

    for frame in (1001, 1002, 1003):
        by_hand._note(FrameDone("j", frame, False, ""))
    assert by_hand.said == ["refining: 1 of 20"]
    assert by_hand.comp.node()["refined"].value()
    monkeypatch.setattr(job, "_SHOW_EVERY_S", 0.0)
    by_hand._note(FrameDone("j", 1004, False, ""))
    assert by_hand.said == ["refining: 1 of 20", "refining: 4 of 20"]


def test_the_ends_of_all_views_are_added_up(by_hand):
    hole, spill = QcFlag("hole", [1003], 1003, "why"), QcFlag("spill", [1004], 1004, "why")
    by_hand._note(done(warnings=["one"], flags=[hole]))
    by_hand._note(done(computed=1, cached=2, warnings=["two"], flags=[spill]))
    assert (by_hand.computed, by_hand.cached) == (16, 7)
    assert by_hand.warnings == ["one", "two"]
    assert by_hand.flags == [hole, spill]
    from videomama_nuke import node_state

    assert node_state.flagged(by_hand.comp.node()) == "hole on 1003, spill on 1004"


def test_progress_is_in_nukes_bar_and_its_cancel_stops(by_hand, monkeypatch):
    from nuke_standin import api_ui

    by_hand._progress = by_hand.comp.nuke.ProgressTask("comp.nk VideoMaMa1")
    assert not by_hand.cancelled()
    for frame in range(1001, 1006):
        by_hand._note(FrameDone("j", frame, False, ""))
    by_hand._show()
    assert api_ui.progress_bars() == [("comp.nk VideoMaMa1", "refining: 5 of 20", 25)]
    for frame in range(1006, 1021):
        by_hand._note(FrameDone("j", frame, False, ""))
    by_hand._show()
    assert api_ui.progress_bars() == [("comp.nk VideoMaMa1", "refining: 20 of 20", 100)]
    api_ui.press_cancel()
    assert by_hand.cancelled()
    by_hand._progress = None
    assert by_hand.cancelled()


def ran(by_hand, monkeypatch, error: Exception | None) -> str:
    """Let it run to this end, and return the status."""

    def work() -> None:
        if error is not None:
            raise error

    monkeypatch.setattr(by_hand, "_work", work)
    by_hand.run()
    return by_hand.comp.status()


def test_an_error_is_said_in_the_status_and_to_nuke(by_hand, monkeypatch):
    from nuke_standin import session

    said = ran(by_hand, monkeypatch, BadInput("the plate is broken", "Render it again."))
    assert said == "failed: the plate is broken. Render it again."
    assert ("error", "VideoMaMa1: the plate is broken. Render it again.") in session.current().messages


def test_what_nobody_expected_is_an_error_too_and_the_node_is_free_again(by_hand, monkeypatch):
    from videomama_nuke import node_state

    assert (
        ran(by_hand, monkeypatch, ZeroDivisionError("by zero"))
        == "failed: ZeroDivisionError: by zero. See Nuke's terminal."
    )
    assert isinstance(by_hand.error, InternalError)
    by_hand.comp.show_alphas()
    node_state.refresh(by_hand.comp.node())
    assert by_hand.comp.status() == "refined 1001-1020"


def test_while_it_runs_the_status_is_its_own(by_hand, monkeypatch):
    from videomama_nuke import node_state

    seen = []
    monkeypatch.setattr(by_hand, "_work", lambda: seen.append(by_hand.identity in node_state._busy))
    by_hand.run()
    assert seen == [True]
    assert by_hand.identity not in node_state._busy


@pytest.mark.parametrize(("frames", "said"), [(0, "cancelled"), (1, "cancelled; 1001-1020 not refined")])
def test_a_cancelled_refine_says_what_it_leaves(by_hand, monkeypatch, frames, said):
    for frame in range(1001, 1001 + frames):
        by_hand._note(FrameDone("j", frame, False, ""))
    assert ran(by_hand, monkeypatch, Cancelled("the refine was cancelled")) == said


def test_its_warnings_are_said_to_nuke_with_the_names_of_knobs(by_hand, monkeypatch):
    from nuke_standin import session

    by_hand.comp.show_alphas()
    by_hand.warnings.append("--window is smaller than asked")
    assert ran(by_hand, monkeypatch, None) == "refined 1001-1020"
    assert ("warning", "VideoMaMa1: 'window' is smaller than asked") in session.current().messages


def test_an_end_after_the_node_is_gone_is_no_error(by_hand, monkeypatch):
    node = by_hand.comp.node()
    by_hand.comp.nuke.delete(node)
    monkeypatch.setattr(by_hand, "_work", lambda: None)
    by_hand.run()
    assert by_hand.error is None


def test_an_event_that_nobody_can_be_shown_stops_it(by_hand):
    assert not by_hand.cancelled()
    by_hand.comp.nuke.delete(by_hand.comp.node())
    by_hand._take(done())
    assert by_hand.cancelled()


def test_once_nuke_closes_it_is_cancelled_and_waits_for_nobody(by_hand):
    from videomama_nuke import main_thread

    assert by_hand._patience() == 5.0
    assert not by_hand.cancelled()
    main_thread.closing.set()
    assert by_hand.cancelled()
    assert by_hand._patience() == 0.1


def render_while_refining(comp, monkeypatch, refuse: bool) -> list[str]:
    """Render while a refine wants to export, and return what the status said meanwhile."""
    from nuke_standin import threads

    said: list[str] = []
    nuke = comp.nuke
    write = nuke.nodes.Write(inputs=[comp.node("PlateRead")], name="Write2", channels="rgb")
    write["file"].setValue(str(comp.folder / "plain.%04d.exr"))
    if refuse:
        monkeypatch.setattr(nuke, "executing", lambda: False)  # the render begins in the moment after the question

    def serve() -> None:
        until = time.monotonic() + 60
        while comp.status() != "waiting for Nuke to finish its render" and time.monotonic() < until:
            threads.pump(0.01)
        said.append(comp.status())

    nuke.addBeforeRender(serve)
    try:
        comp.press("refine")
        nuke.execute(write, 1001, 1001)
    finally:
        nuke.removeBeforeRender(serve)
    return said


@pytest.mark.parametrize("refuse", [False, True])
def test_a_refine_waits_for_a_render_that_runs_and_says_so(comp, monkeypatch, refuse):
    assert render_while_refining(comp, monkeypatch, refuse) == ["waiting for Nuke to finish its render"]
    comp.finish()
    assert comp.status() == "refined 1001-1020"


def test_waiting_for_a_render_ends_with_cancel(comp, monkeypatch):
    from videomama_nuke import job

    monkeypatch.setattr(comp.nuke, "executing", lambda: True)
    comp.press("refine")
    comp.pump(lambda: comp.status() == "waiting for Nuke to finish its render", "it waits")
    comp.press("cancel")
    comp.finish()
    assert comp.status().startswith("cancelled")
    monkeypatch.setattr(job, "_BUSY_S", 0.0)
    assert comp.refine().startswith("failed: Nuke has rendered something else for 0 s")


def test_a_server_that_fails_is_seen_in_the_status(comp):
    comp.node()["engine"].setValue("videomama")
    comp.node()["weights"].setValue(str(comp.folder / "no weights here"))
    assert comp.refine().startswith("failed: ")
    assert "no weights here" in comp.status()


def test_a_refine_that_has_not_begun_has_done_and_found_nothing(by_hand):
    assert (by_hand.computed, by_hand.cached, by_hand.following, by_hand.patience_s) == (0, 0, False, 5.0)
    assert (by_hand.error, by_hand.warnings, by_hand.flags) == (None, [], [])
    assert not by_hand.cancelled()


def test_it_follows_the_server_only_while_the_server_has_the_job(comp, monkeypatch):
    from videomama_nuke import job, order

    refine = job.Refine(comp.node(), order.read(comp.node()))
    seen, real = [], {name: getattr(job.transfer, name) for name in ("submit", "follow")}
    before = job.export.export
    monkeypatch.setattr(job.export, "export", lambda *given: seen.append(refine.following) or before(*given))
    monkeypatch.setattr(job.transfer, "submit", lambda *given: seen.append(refine.following) or real["submit"](*given))
    refine.run()
    assert seen == [False, True]
    assert not refine.following
    assert (refine.error, refine.computed + refine.cached) == (None, 20)
