"""What is evaluated, with what."""

from dataclasses import replace

from videomama_server.config import Config
from videomama_server.evaluate.asked import GIVEN, AskedMasks, Maker, MeasureChoice, parse_engine, parse_masks
from videomama_server.evaluate.plan import EvaluationPlan


def test_clips_take_the_masks_that_were_asked_for_or_their_own_or_rough_ones(clip, tmp_path):
    plan = EvaluationPlan([clip], [], [], MeasureChoice(), tmp_path)
    assert [one.name for one in plan.masks_of(replace(clip, mask=clip.truth))] == [GIVEN]
    assert [one.name for one in plan.masks_of(replace(clip, mask=None))] == ["mixed"]
    asked = replace(plan, masks=[parse_masks("box")])
    assert [one.name for one in asked.masks_of(clip)] == ["box"]
    assert [one.name for one in asked.masks_of(replace(clip, truth=None, mask=clip.truth))] == [GIVEN]


def test_engines_that_make_masks_take_part_too(clip, tmp_path):
    masks = [parse_masks("box"), AskedMasks("sam2+first", maker=Maker("sam2", "s"))]
    engines = [parse_engine("classic:fast", Config())]
    assert EvaluationPlan([clip], engines, masks, MeasureChoice(), tmp_path).engine_names == ["sam2", "classic"]
