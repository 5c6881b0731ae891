"""One clip with one kind of masks as a unit of work: its outcome, and that it can be sent to another machine."""

import pickle
from functools import partial

from videomama_client import launch
from videomama_client.errors import InternalError
from videomama_server.config import Config
from videomama_server.evaluate.asked import MASK, MeasureChoice, parse_engine, parse_masks
from videomama_server.evaluate.one_clip import evaluate_clip
from videomama_server.evaluate.plan import EvaluationPlan
from videomama_server.evaluate.run import Runner
from videomama_server.many_jobs import LastingClient


class Quiet:
    stepped = 0

    def begin(self, steps):
        self.steps = steps

    def unit(self, name):
        pass

    def step(self, count=1):
        self.stepped += count

    def say(self, text):
        pass


def plan_of(clip, folder):
    return EvaluationPlan(
        [clip], [parse_engine("passthrough", Config())], [parse_masks("box")], MeasureChoice(), folder / "out"
    )


def test_what_was_sent_away_and_back_is_what_is_done_here(server, clip, tmp_path):
    plan = plan_of(clip, tmp_path)
    sent, one = pickle.loads(pickle.dumps((partial(evaluate_clip, plan), (clip, plan.masks[0]))))  # noqa: S301
    client = LastingClient(lambda: launch.connect(server.connection_file, start=False))
    made, kept = Quiet(), Quiet()
    found = pickle.loads(pickle.dumps(sent(one, client, made)))  # noqa: S301
    assert [(unit.engine, unit.again) for unit in found.units] == [(MASK, False), ("passthrough", False)]
    here = evaluate_clip(plan, (clip, plan.masks[0]), client, kept)
    client.drop()
    assert [unit.again for unit in here.units] == [True, True]
    assert [unit.result for unit in here.units] == [unit.result for unit in found.units]
    assert here.failures == []
    # Masks and one engine: a frame that is made and measured, or kept, is two steps of each.
    assert made.stepped == kept.stepped == 2 * 2 * len(clip.numbers)


def test_units_of_a_clip_that_was_lost_are_a_failure(clip, tmp_path):
    class Losing:
        def do(self, work, units, listener):
            yield 0, InternalError("its machine was lost", "Run again.")

    outcome = Runner(plan_of(clip, tmp_path), Losing(), Quiet()).run()
    assert outcome.units == []
    assert [(one.clip, one.masks, one.engine) for one in outcome.failures] == [(clip.name, "box", MASK)]
