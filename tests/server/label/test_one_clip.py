"""One clip as a unit of work: what it returns, and that it can be sent to another machine."""

import pickle
from functools import partial

import pytest
from videomama_client import launch
from videomama_client.errors import BadInput
from videomama_server.label.one_clip import label_clip
from videomama_server.label.run import Labeller
from videomama_server.many_jobs import LastingClient


class Heard:
    def __init__(self):
        self.told = []

    def unit(self, name):
        self.told.append(("unit", name))

    def step(self, count=1):
        self.told.append(("step", count))

    def say(self, text):
        self.told.append(("say", text))


def nobody():
    raise AssertionError("the server is not needed")


def test_a_clip_is_labelled_once_and_then_needs_no_server(server, plan_of, data, tmp_path):
    plan, heard = plan_of(data.plain(tmp_path / "set", objects=("a", "b"))), Heard()
    client = LastingClient(lambda: launch.connect(server.connection_file, start=False))
    first = label_clip(plan, "shot", client, heard)
    client.drop()
    assert [one.name for one in first.made] == ["shot_a", "shot_b"]
    assert (first.kept, first.failed) == ([], {})
    assert heard.told == [("unit", "shot"), *[("step", 1)] * 8]
    again = label_clip(plan, "shot", LastingClient(nobody), Heard())
    assert (again.made, again.kept) == ([], first.made)


@pytest.mark.parametrize("write", ["small_sav", "coloured", "plain"])
def test_the_work_and_its_outcome_can_be_sent_to_another_machine(server, plan_of, data, tmp_path, write):
    writer = getattr(data, write)
    folder = writer(tmp_path / "set", "clip") if write == "coloured" else writer(tmp_path / "set")
    work = partial(label_clip, plan_of(folder))
    sent = pickle.loads(pickle.dumps(work))  # noqa: S301 - our own, as Ray does it
    (name,) = sent.args[0].clips
    client = LastingClient(lambda: launch.connect(server.connection_file, start=False))
    outcome = sent(name, client, Heard())
    client.drop()
    assert outcome.made != []
    outcome.failed["x"] = BadInput("broken", "Copy it again.", frame=7)
    back = pickle.loads(pickle.dumps(outcome))  # noqa: S301
    assert back.made == outcome.made
    assert (str(back.failed["x"]), back.failed["x"].frame) == ("broken\nCopy it again.", 7)


def test_a_clip_that_was_lost_each_time_fails_and_stops_no_other(plan_of, data, tmp_path):
    class Losing:
        def do(self, work, units, listener):
            yield 0, BadInput("its machine was lost", "Run again.")

    class Progress(Heard):
        def begin(self, clips):
            pass

        def done(self):
            pass

    plan, heard = plan_of(data.plain(tmp_path / "set")), Progress()
    plan.folder.mkdir()
    outcome = Labeller(plan, Losing(), heard).run()
    assert list(outcome.failed) == ["shot"]
    assert outcome.statistics["failed"] == 1
    assert heard.told == [("say", "FAILED: shot: its machine was lost")]
