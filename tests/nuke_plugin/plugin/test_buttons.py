"""The buttons: each press ends in a status line, and no second refine of a node begins beside the first."""

import threading
import time

import comps
import pytest
from videomama_client.errors import BadInput, ServerUnreachable
from videomama_client.messages import LoadedEngine, StatusReported


@pytest.fixture
def held(offline_comp, monkeypatch):
    """A comp whose refine begins, then waits until `held.go` is set."""
    from videomama_nuke import job

    go = threading.Event()
    monkeypatch.setattr(job.Refine, "run", lambda self: go.wait(60))
    offline_comp.go = go
    yield offline_comp
    go.set()


def running(comp) -> list:
    from videomama_nuke import buttons

    return buttons.running_jobs()


def test_a_second_press_is_refused_while_a_refine_runs(held):
    from videomama_nuke import buttons

    held.press("refine")
    (first,) = running(held)
    assert buttons._running[first.identity][1].daemon  # Nuke can end meanwhile
    for button in ("refine", "refine_frame", "clear", "clear_old"):
        held.press(button)
        assert held.status() == "VideoMaMa1 is being refined. Wait for it, or press Cancel first."
    assert running(held) == [first]
    held.go.set()
    held.finish()
    held.go.clear()
    held.press("refine")
    assert len(running(held)) == 1


def test_nodes_refine_beside_each_other_and_closing_the_script_cancels_all(held):
    from videomama_nuke import buttons

    held.nuke.nodes.VideoMaMa(inputs=[held.node("PlateRead"), held.node("MaskRead")], name="VideoMaMa2")
    held.press("refine")
    held.press("refine", "VideoMaMa2")
    both = running(held)
    assert len(both) == 2
    buttons.cancel_all()
    assert [job.cancelled() for job in both] == [True, True]


def test_cancel_stops_the_nodes_own_refine(held):
    held.press("refine")
    (job,) = running(held)
    assert not job.cancelled()
    held.press("cancel")
    assert job.cancelled()
    assert held.status() == "cancelling"


def test_cancel_without_a_refine_looks_again(offline_comp):
    offline_comp.show_alphas([1001, 1002])
    from videomama_nuke import node_state

    node_state.say(offline_comp.node(), "something else")
    offline_comp.press("cancel")
    assert offline_comp.status() == "1003-1020 not refined"


def test_refine_this_frame_takes_the_current_one(held):
    held.nuke.root()["frame"].setValue(1007)
    held.press("refine_frame")
    (job,) = running(held)
    assert job._order.wanted == (1007,)


def test_a_refine_claims_the_nodes_folder(held):
    held.press("refine")
    (claim,) = (held.folder / "videomama").glob("*/script.txt")
    assert claim.read_text() == "../../comp.nk"


def forgotten(comp, *frames: int) -> None:
    """Leave alphas and their record on disk, and a node that knows nothing of them."""
    from videomama_nuke import result

    comp.show_alphas(frames or None)
    result.forget(comp.node())


def test_refine_takes_what_lies_on_disk_and_begins_nothing(held):
    forgotten(held)
    held.press("refine")
    assert held.status() == "refined 1001-1020"
    assert not running(held)


def test_of_a_part_on_disk_the_rest_is_refined(held):
    forgotten(held, 1001, 1002)
    held.press("refine")
    assert len(running(held)) == 1


def test_what_the_node_shows_already_is_refined_again(held):
    held.show_alphas()
    held.press("refine")
    assert len(running(held)) == 1


def test_without_a_window_the_refine_is_over_when_the_press_returns(start_nuke, tmp_path, monkeypatch):
    comps.write_clip(tmp_path)
    comp = start_nuke(gui=False)
    comp.open(comps.plain_script(tmp_path))
    from videomama_nuke import job

    ran = []
    monkeypatch.setattr(job.Refine, "run", lambda self: ran.append(threading.current_thread()))
    comp.press("refine")
    assert ran == [threading.main_thread()]
    assert not running(comp)


def test_take_from_disk_needs_something_to_take(offline_comp):
    offline_comp.press("take_from_disk")
    assert offline_comp.status() == "there are no alphas on disk that fit VideoMaMa1. Press Refine."
    forgotten(offline_comp, 1003)
    offline_comp.press("take_from_disk")
    assert offline_comp.status() == "1001-1002,1004-1020 not refined"


def test_clear_removes_the_nodes_files_and_the_node_says_so(comp):
    comp.refine()
    comp.agree()
    comp.press("clear")
    assert comp.status().startswith("not refined; ")
    assert not [path for path in (comp.folder / "videomama").rglob("*") if path.is_file()]


def test_a_no_removes_nothing(offline_comp):
    offline_comp.show_alphas()
    offline_comp.agree(False)
    offline_comp.press("clear")
    assert offline_comp.status() == "refined 1001-1020"
    offline_comp.render(1001)


def test_clearing_old_results_forgets_nothing(offline_comp):
    offline_comp.show_alphas()
    offline_comp.press("clear_old")
    assert offline_comp.status() == "refined 1001-1020; 0 files removed, 0 B"
    assert offline_comp.node()["refined"].value()


def test_an_error_of_a_button_is_said_in_the_status_and_to_nuke(offline_comp):
    from nuke_standin import session

    offline_comp.node().setInput(0, None)
    offline_comp.press("refine")
    said = "VideoMaMa1 has no plate. Connect the shot to the input 'plate'."
    assert offline_comp.status() == said
    assert ("error", f"VideoMaMa1: {said}") in session.current().messages


def state(comp) -> str:
    return str(comp.node()["server_state"].value())


def test_asking_the_server_names_what_was_set_here_otherwise(comp, server, monkeypatch):
    monkeypatch.setenv("VIDEOMAMA_CACHE_DIR", "/mine")
    comp.press("server_ask")
    comp.pump(lambda: "version" in state(comp), "the server has answered")
    said = state(comp)
    assert f"cache_dir: the running server uses {server.cache_dir}, but $VIDEOMAMA_CACHE_DIR sets /mine" in said
    assert "videomama stop" in said


class Answering:
    """A client of a server that is as the test says."""

    endpoint = "tcp://here:1"

    def __init__(self, engine: str | None = None, jobs: int = 0, device: str = "") -> None:
        facts = ("0.1.0", 1, 1.0, "/cache", "/log", None, None)
        self.reported = StatusReported(
            "r", *facts, engine, jobs, 0, 0, [LoadedEngine(engine, device, "fp16", 1)] if device else []
        )
        self.stopped = 0

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def status(self) -> StatusReported:
        return self.reported

    def stop_server(self) -> None:
        self.stopped += 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "tcp://here:1: version 0.1.0, no engine loaded, no job"),
        (
            {"engine": "videomama", "device": "cuda:0", "jobs": 1},
            "tcp://here:1: version 0.1.0, videomama on cuda:0, fp16, 1 job",
        ),
        ({"engine": "classic", "jobs": 3}, "tcp://here:1: version 0.1.0, classic, 3 jobs"),
    ],
)
def test_how_the_server_is(offline_comp, monkeypatch, changes, said):
    from videomama_nuke import buttons

    asked = []
    monkeypatch.setattr(
        buttons.launch,
        "connect",
        lambda file, start: asked.append((file, start, threading.current_thread().daemon)) or Answering(**changes),
    )
    offline_comp.press("server_ask")
    offline_comp.pump(lambda: state(offline_comp) == said, "it is said")
    offline_comp.press("server_start")
    assert state(offline_comp) == "starting ..."
    offline_comp.pump(lambda: state(offline_comp) == said, "it is said again")
    assert asked == [(None, False, True), (None, True, True)]


def test_stopping_the_server(offline_comp, monkeypatch):
    from videomama_nuke import buttons

    client = Answering()
    asked = []
    monkeypatch.setattr(buttons.launch, "connect", lambda file, start: asked.append((file, start)) or client)
    offline_comp.nuke.root().setModified(False)
    offline_comp.press("server_stop")
    assert state(offline_comp) == "stopping ..."
    offline_comp.pump(lambda: state(offline_comp) == "ended", "it is stopped")
    assert client.stopped == 1
    assert asked == [(None, False)]
    assert not offline_comp.nuke.root().modified()


def test_a_server_that_is_not_there_is_said_so(offline_comp):
    offline_comp.press("server_ask")
    assert state(offline_comp) == "asking ..."
    offline_comp.pump(lambda: state(offline_comp) != "asking ...", "an answer")
    assert "videomama serve" in state(offline_comp)


def test_when_nuke_ends_a_refine_is_waited_for_a_moment_only(held):
    from videomama_nuke import buttons

    held.press("refine")
    (job,) = running(held)
    begun = time.monotonic()
    buttons.close()
    assert job.cancelled()
    assert time.monotonic() - begun >= buttons._END_S
    held.go.set()
    buttons.close()
    assert not running(held)


def test_kinds_of_errors_alone_are_said(offline_comp):
    from videomama_nuke import buttons

    for error in (BadInput("wrong", "Do this."), ServerUnreachable("gone")):
        buttons._guarded(offline_comp.node(), lambda error=error: (_ for _ in ()).throw(error))
        assert offline_comp.status().startswith(error.message)
    with pytest.raises(ZeroDivisionError):
        buttons._guarded(offline_comp.node(), lambda: 1 / 0)


def test_reload_reads_the_alphas_and_looks_again(offline_comp, monkeypatch):
    from videomama_nuke import buttons, disk_use

    shown, read = [], []
    monkeypatch.setattr(disk_use, "show", lambda: shown.append(1))
    monkeypatch.setattr(buttons.result, "reload", lambda node: read.append(node.name()))
    offline_comp.show_alphas([1001])
    read.clear()
    offline_comp.node()["frame_range"].setValue("custom")
    offline_comp.node()["frames"].setValue("1001")
    offline_comp.press("reload")
    assert offline_comp.status() == "refined 1001"
    assert (shown, read) == ([1], ["VideoMaMa1"])


def test_a_node_that_was_not_refined_is_not_baked_and_the_status_says_so(offline_comp):
    offline_comp.press("bake")
    assert offline_comp.status() == "VideoMaMa1 has not been refined. Press Refine first."
