"""Units through a real server: what is done, what is not done again, and what fails alone."""

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from videomama_client import launch
from videomama_client.errors import ServerUnreachable
from videomama_server.config import Config
from videomama_server.datasets.layouts import read_data
from videomama_server.evaluate.asked import MASK, MeasureChoice, parse_engine, parse_masks
from videomama_server.evaluate.plan import WORK, EvaluationPlan
from videomama_server.evaluate.run import Runner
from videomama_server.many_jobs import OneByOne
from videomama_server.media import frames


class Heard:
    """What a runner told of its progress."""

    def __init__(self):
        self.steps, self.done, self.units, self.said = 0, 0, [], []

    def begin(self, steps):
        self.steps = steps

    def unit(self, name):
        self.units.append(name)

    def step(self, count=1):
        self.done += count

    def say(self, text):
        self.said.append(text)


@pytest.fixture
def evaluate(server, tmp_path):
    """Run a plan over clips: `evaluate(clips, engines=..., masks=...)` returns outcome and progress."""

    def run(clips, engines=("passthrough",), masks=(), measures=None, connect=None):
        asked = [parse_engine(name, Config()) for name in engines]
        kinds = [parse_masks(name) for name in masks]
        plan = EvaluationPlan(clips, asked, kinds, measures or MeasureChoice(), tmp_path / "out")
        heard = Heard()
        own = connect or (lambda: launch.connect(server.connection_file, start=False))
        return Runner(plan, OneByOne(own), heard).run(), heard

    return run


def nobody():
    raise AssertionError("the server is not needed")


_GUIDED = {"sam2": "every", "sam2+first": "first"}


def named(outcome):
    return [(unit.clip.name, unit.masks, unit.engine) for unit in outcome.units]


def test_masks_come_first_and_then_every_engine(evaluate, clip):
    fast = "classic:fast,mask_slack=0"  # the masks are exact ones
    outcome, heard = evaluate([clip], ["passthrough", fast], ["given", "box"])
    assert named(outcome) == [
        ("hair_wall", masks, engine) for masks in ("given", "box") for engine in (MASK, "passthrough", fast)
    ]
    assert outcome.failures == []
    assert heard.done == heard.steps == 36
    assert heard.units[:2] == ["hair_wall, given masks", "hair_wall, given masks, passthrough"]
    masks, same, better = outcome.units[:3]
    assert same.result.scores["mad"] == pytest.approx(masks.result.scores["mad"])
    assert np.mean(better.result.scores["grad"]) < np.mean(masks.result.scores["grad"])
    assert (same.result.engine, better.result.engine, masks.result.engine) == ("passthrough", "classic", "")
    assert masks.result.seconds_per_frame is None


@pytest.mark.parametrize(("layout", "masks"), [("rvm", "mixed"), ("rvm masks", "given"), ("vhim", "given")])
def test_every_published_layout_runs_by_default(evaluate, make, layout, masks):
    root = make.vhim() if layout == "vhim" else make.rvm(masks="masks" in layout)
    outcome, _ = evaluate(read_data(root).clips)
    assert outcome.failures == []
    assert {unit.masks for unit in outcome.units} == {masks}


def test_alphas_of_other_tools_are_measured_where_they_lie(evaluate, make):
    clips = read_data(make.footage(tools=("artist",))).clips
    outcome, heard = evaluate(clips, masks=["box"])  # which needs an exact alpha: there is none
    assert named(outcome) == [("shot", "given", engine) for engine in (MASK, "passthrough", "artist")]
    assert outcome.units[2].alphas == clips[0].others["artist"]
    assert heard.done == heard.steps
    again, heard = evaluate(clips, connect=nobody)
    assert [unit.again for unit in again.units] == [True] * 3
    assert heard.done == heard.steps


def test_a_tool_with_the_name_of_an_engine_fails_alone(evaluate, make):
    outcome, _ = evaluate(read_data(make.footage(tools=("passthrough", "artist"))).clips)
    assert [unit.engine for unit in outcome.units] == [MASK, "passthrough", "artist"]
    assert [failure.message for failure in outcome.failures] == ["the alphas in passthrough have the name of an engine"]


def test_what_is_done_is_not_done_again(evaluate, clip):
    first, _ = evaluate([clip])
    again, heard = evaluate([clip], connect=nobody)
    assert [unit.again for unit in first.units] == [False, False]
    assert [unit.again for unit in again.units] == [True, True]
    assert [unit.result for unit in again.units] == [unit.result for unit in first.units]
    assert heard.done == heard.steps


def test_another_engine_needs_nothing_of_the_first(evaluate, clip):
    evaluate([clip])
    both, _ = evaluate([clip], ["passthrough", "classic:fast"])
    assert [unit.again for unit in both.units] == [True, True, False]


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ("plate", [False, False]),
        ("truth", [False, False]),
        ("mask", [False, False]),
        ("foreground", [True, True]),  # not asked for
        ("mask file", [False, True]),
        ("alpha file", [True, False]),
        ("mask result", [False, True]),
        ("alpha result", [True, False]),
    ],
)
def test_a_stale_record_is_done_again(evaluate, clip, tmp_path, change, again):
    evaluate([clip])
    what, _, kind = change.partition(" ")
    if kind:
        folder = tmp_path / "out" / WORK / "given" / (MASK if what == "mask" else "passthrough") / clip.name
        (folder / ("scores.json" if kind == "result" else f"{what}.1002.exr")).unlink()
    else:
        os.utime(getattr(clip, what)[1002], ns=(10**17, 10**17))
    outcome, _ = evaluate([clip])
    assert [unit.again for unit in outcome.units] == again
    assert outcome.failures == []


def test_other_measures_are_taken_anew(evaluate, clip):
    evaluate([clip])
    outcome, _ = evaluate([clip], measures=MeasureChoice(shape=True))
    assert [unit.again for unit in outcome.units] == [False, False]
    assert "j" in outcome.units[1].result.scores


def test_what_came_from_the_cache_is_no_speed(evaluate, clip, draw, tmp_path):
    for index, path in enumerate(clip.plate.values()):  # that no other test has, so that none is in the cache
        path.unlink()
        draw.put(path, draw.plate_of(draw.disc(index), seed=int.from_bytes(os.urandom(4), "big")))
    computed, _ = evaluate([clip])
    shutil.rmtree(tmp_path / "out")
    cached, _ = evaluate([clip])
    assert computed.units[1].result.seconds_per_frame > 0
    assert cached.units[1].result.seconds_per_frame is None


def test_a_clip_that_fails_does_not_lose_the_others(evaluate, make):
    make.plain("a_bad")
    make.plain("b_good")
    clips = read_data(make.plain("c_empty")).clips
    clips[0].plate[1002].write_bytes(b"no picture")
    outcome, heard = evaluate(clips)
    assert [failure.clip for failure in outcome.failures] == ["a_bad"]
    assert "1002" in outcome.failures[0].message
    assert outcome.failures[0].engine == MASK
    assert [name for name, _, _ in named(outcome)] == ["b_good"] * 2 + ["c_empty"] * 2
    assert "FAILED" in heard.said[0]


def test_an_engine_that_fails_does_not_lose_the_masks_nor_other_engines(evaluate, clip, draw):
    for number in clip.numbers:
        draw.put(clip.mask[number], np.zeros(draw.size, np.float32))  # nothing but empty masks is an error of a job
    outcome, _ = evaluate([clip], masks=["given", "exact"])
    assert [(failure.masks, failure.engine) for failure in outcome.failures] == [("given", "passthrough")]
    assert [unit.masks for unit in outcome.units] == ["given", "exact", "exact"]


def test_masks_that_a_clip_does_not_have_fail_for_that_clip(evaluate, make, clip):
    bare = read_data(make.rvm()).clips[0]
    outcome, _ = evaluate([bare, clip], masks=["given"])
    assert [failure.clip for failure in outcome.failures] == [bare.name]
    assert "no masks of its own" in outcome.failures[0].message
    assert len(outcome.units) == 2


def test_a_server_that_is_lost_is_looked_for_again(evaluate, make, server):
    make.plain("a")
    clips = read_data(make.plain("b")).clips
    asked = []

    def connect():
        asked.append(1)
        if len(asked) == 1:
            raise ServerUnreachable("gone", "start it")
        return launch.connect(server.connection_file, start=False)

    outcome, _ = evaluate(clips, connect=connect)
    assert [failure.clip for failure in outcome.failures] == ["a"]
    assert len(outcome.units) == 3


def test_masks_depend_on_the_name_of_the_clip(evaluate, clip):
    evaluate([clip], masks=["mixed+missing"])
    outcome, _ = evaluate([replace(clip, name="other")], masks=["mixed+missing"])
    assert [unit.again for unit in outcome.units] == [False, False]


def test_a_clip_on_twos_is_refined_as_one(evaluate, make):
    part = make.rvm(count=7, masks=True) / "videomatte_96x64" / "videomatte_motion"
    for kind in ("com", "pha", "fgr", "mask"):
        for frame in (1, 3, 5):
            (part / "0000" / kind / f"{frame:04d}.png").unlink()
    outcome, _ = evaluate(read_data(part).clips, ["passthrough"], ["given"])
    assert outcome.failures == []
    assert outcome.units[1].result.frames == [0, 2, 4, 6]


def test_a_unit_that_fails_when_it_is_done_again_keeps_no_result_of_old(evaluate, clip, tmp_path):
    evaluate([clip])
    result = tmp_path / "out" / WORK / "given" / MASK / clip.name / "scores.json"
    assert result.is_file()
    clip.plate[1002].write_bytes(b"no picture")
    outcome, _ = evaluate([clip])
    assert [failure.engine for failure in outcome.failures] == [MASK]
    assert not result.exists()


def test_an_engine_follows_the_mask_of_the_first_frame(evaluate, clip, draw):
    outcome, heard = evaluate([clip], masks=["held+first"])
    assert outcome.failures == []
    assert named(outcome) == [("hair_wall", "held+first", engine) for engine in (MASK, "passthrough")]
    made = [frames.read_mask(path).pixels[..., 0] for path in outcome.units[0].alphas.values()]
    np.testing.assert_array_equal(np.stack(made), np.stack([draw.mask_of(draw.disc(0))] * 3))
    assert heard.done == heard.steps
    again, _ = evaluate([clip], masks=["held+first"], connect=nobody)
    assert [unit.again for unit in again.units] == [True, True]
    clip.plate[1002].touch()  # held never looks at it, but the masks are of this clip
    assert [unit.again for unit in evaluate([clip], masks=["held+first"])[0].units] == [False, False]


def test_masks_that_neither_lie_there_nor_can_be_made_fail_with_both_ways_out(evaluate, clip):
    outcome, _ = evaluate([clip], masks=["sam2+first", "given"])
    (failure,) = outcome.failures
    assert (failure.masks, failure.engine) == ("sam2+first", MASK)
    assert "hair_wall has no sam2 masks, and they cannot be made: " in failure.message
    assert "--with sam2" in failure.hint
    assert "put masks of sam2 beside the data" in failure.hint
    assert {unit.masks for unit in outcome.units} == {"given"}


def test_masks_beside_the_data_need_no_engine(evaluate, make):
    clips = read_data(make.davis(clips=("bear",), made="sam2")).clips
    outcome, _ = evaluate(clips, masks=["sam2"], measures=MeasureChoice(only=("mad", "j")))
    assert outcome.failures == []
    assert outcome.units[0].result.scores["j"] == [1, 1, 1]


@pytest.mark.slow
def test_sam2_makes_hard_masks_and_guides_by_the_first_or_by_every_frame(start_server, tiny_sam2, clip, tmp_path):
    config = Config(weights=tiny_sam2, device="cpu")
    running = start_server("--weights", str(tiny_sam2), "--device", "cpu")
    kinds = [replace(parse_masks(name, config=config), guidance=by) for name, by in _GUIDED.items()]
    engine = parse_engine("sam2matte", config)
    plan = EvaluationPlan([clip], [engine], kinds, MeasureChoice(only=("mad",)), tmp_path / "out")
    outcome = Runner(plan, OneByOne(lambda: launch.connect(running.connection_file, start=False)), Heard()).run()
    assert outcome.failures == []
    every, every_alphas, first, first_alphas = (pixels_of(unit.alphas) for unit in outcome.units)
    assert set(np.unique(every)) == {0.0, 1.0}
    np.testing.assert_array_equal(every, first)
    assert np.abs(every_alphas - first_alphas).max() > 0.01  # of the first frame alone, and of each its own


def pixels_of(files):
    return np.stack([frames.read_mask(path).pixels[..., 0] for _, path in sorted(files.items())])
