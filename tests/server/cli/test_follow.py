"""How a job is followed: its bar, and Ctrl-C."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from videomama_client.errors import Cancelled, ServerUnreachable
from videomama_client.messages import (
    FrameDone,
    MatteDone,
    MattePlanned,
    Phase,
    PhaseChanged,
    SideFrameDone,
    StageBegun,
    StageFrameDone,
)
from videomama_client.objects import MaskObject
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage
from videomama_server.cli import follow as following
from videomama_server.submission import Submission


def test_the_bar_counts_computed_and_cached_frames_apart(capsys):
    bar = following.Progress()
    events = [
        MattePlanned("j", "classic", [0, 0, 8, 8], 3, "/a.####.exr", warnings=["look"]),
        FrameDone("j", 1001, False, "/a.1001.exr"),
        FrameDone("j", 1002, True, "/a.1002.exr"),
        FrameDone("j", 1003, True, "/a.1003.exr"),
        MatteDone("j", 3, 1, 2, 0.5, "classic", [0, 0, 8, 8], []),
    ]
    assert following._watch(events, bar, {"": 0}) == events[-1]
    (task,) = bar.tasks
    assert (task.description, task.completed, task.total, task.visible) == ("classic", 3, 3, True)
    assert task.fields == {"of": "3/3", "note": "1 computed, 2 cached"}
    assert capsys.readouterr().err == "Warning: look\n"


def test_the_bar_shows_one_stage_after_the_other():
    bar = following.Progress()
    shown = []
    stages = [StageBegun("j", 0, "classic", 3), StageBegun("j", 1, "passthrough", 4)]
    events = [
        MattePlanned("j", "classic", [0, 0, 8, 8], 4, "/a.####.exr", stages=["classic", "passthrough"]),
        FrameDone("j", 1004, True, "/a.1004.exr"),  # cached frames of the last stage come first
        stages[0],
        *(StageFrameDone("j", 0, frame, frame == 1001) for frame in (1001, 1002, 1003)),
        stages[1],
        *(FrameDone("j", frame, False, f"/a.{frame}.exr") for frame in (1001, 1002, 1003)),
        MatteDone("j", 4, 3, 1, 0.5, "classic", [0, 0, 8, 8], []),
    ]

    def told():
        assert not bar.tasks[0].visible  # nothing is known of the job yet
        assert bar.tasks[0].fields == {"of": "", "note": ""}
        for event in events:
            yield event
            (task,) = bar.tasks
            shown.append((task.description, task.completed, task.total, task.fields["note"]))

    following._watch(told(), bar, {"": 1})
    assert shown[1] == ("classic", 1, 4, "0 computed, 1 cached")
    assert shown[5] == ("stage 1 of 2, classic", 3, 3, "2 computed, 1 cached")
    assert shown[6] == ("stage 2 of 2, passthrough", 1, 4, "0 computed, 1 cached")
    assert shown[-1] == ("stage 2 of 2, passthrough", 4, 4, "3 computed, 1 cached")


def test_what_is_being_done_is_shown_until_the_first_alpha_and_when_it_is_not_computing():
    bar = following.Progress()
    shown = []
    events = [
        PhaseChanged("j", Phase("queued", 1)),
        PhaseChanged("j", Phase("reading-masks", 12, 40)),
        MattePlanned("j", "classic", [0, 0, 8, 8], 2, "/a.####.exr"),
        PhaseChanged("j", Phase("computing", subject="1-2")),
        FrameDone("j", 1, False, "/a.1.exr"),
        FrameDone("j", 2, False, "/a.2.exr"),
        PhaseChanged("j", Phase("checking", 1, 2)),
        MatteDone("j", 2, 2, 0, 0.5, "classic", [0, 0, 8, 8], []),
    ]

    def told():
        for event in events:
            yield event
            (task,) = bar.tasks
            assert task.visible
            shown.append((task.description, task.fields["of"], task.fields["note"]))

    following._watch(told(), bar, {"": 0})
    assert shown == [
        ("", "", "waiting behind 1 job"),
        ("", "", "reading 40 masks, 12/40"),
        ("classic", "0/2", "reading 40 masks, 12/40"),
        ("classic", "0/2", "computing 1-2"),
        ("classic", "1/2", "1 computed, 0 cached"),
        ("classic", "2/2", "2 computed, 0 cached"),
        ("classic", "2/2", "checking cached alphas, 1/2"),
    ]
    (task,) = bar.tasks
    assert task.fields["note"] == "2 computed, 0 cached"


class Interrupted:
    job = "j"

    def events(self):
        raise KeyboardInterrupt


class Told:
    """A client whose job is in these states, one after the other."""

    def __init__(self, *states):
        self.said = []
        self.states = list(states)

    def cancel(self, job):
        self.said.append(("cancel", job))

    def jobs(self):
        return [SimpleNamespace(job="other", state="running"), SimpleNamespace(job="j", state=self.states.pop(0))]

    def next_event(self, job, timeout):
        self.said.append(("event", job))


@pytest.mark.parametrize(
    ("states", "waits"), [(("running", "running", "cancelled"), 2), (("waiting", "cancelled"), 1), (("done",), 0)]
)
def test_ctrl_c_cancels_the_job_and_waits_only_while_it_has_not_ended(monkeypatch, states, waits):
    client = Told(*states)
    monkeypatch.setattr(following, "submit", lambda client, order: Interrupted())
    with pytest.raises(Cancelled, match=r"^cancelled$"):
        following.follow(client, None)
    assert client.said == [("cancel", "j"), *[("event", "j")] * waits]


def test_side_results_have_bars_of_their_own_that_count_computed_and_cached_frames():
    bar = following.Progress()
    events = [
        MattePlanned("j", "classic", [0, 0, 8, 8], 3, "/a.####.exr"),
        SideFrameDone("j", "foreground", 1, False, "/f.1.exr"),
        SideFrameDone("j", "foreground", 2, True, "/f.2.exr"),
        SideFrameDone("j", "foreground", 3, True, "/f.3.exr"),
        MatteDone("j", 3, 3, 0, 0.5, "classic", [0, 0, 8, 8], []),
    ]
    following._watch(events, bar, {"": 0})
    alphas, sides = bar.tasks
    assert (alphas.completed, sides.description, sides.completed, sides.total) == (0, "foreground", 3, 3)
    assert sides.fields == {"of": "3/3", "note": "1 computed, 2 cached"}


def test_ctrl_c_on_a_server_that_is_gone_ends_all_the_same(monkeypatch):
    client = Told("running")

    def gone():
        raise ServerUnreachable("it is gone")

    client.jobs = gone
    monkeypatch.setattr(following, "submit", lambda client, order: Interrupted())
    with pytest.raises(Cancelled):
        following.follow(client, None)
    assert client.said == [("cancel", "j")]


def test_the_last_stage_of_each_object_is_counted_from_0(make_clip):
    clip = make_clip(count=1)
    order = Submission(plate=clip.plate, mask=clip.mask, out=clip.out, settings=MatteSettings())
    assert following._lasts(order) == {"": 0}
    pair = (MaskObject("hero", "h"), MaskObject("dog", "d", stages=(Stage("a"), Stage("b"), Stage("c"))))
    assert following._lasts(replace(order, mask="", objects=pair, then=(Stage("b"),))) == {"hero": 1, "dog": 2}
