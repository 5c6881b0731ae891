"""What clients are told of one object: its stages, its region, and what was computed."""

import numpy as np
import pytest
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.pipeline import object_report

ROI = [8, 8, 48, 32]


class Painting(PassthroughEngine):
    """A maker of masks: what is bright in the plate."""

    name = fingerprint = "painting"
    role = "maker"

    def prepare(self, frame, settings):
        return (frame.plate[..., 0] > 0.5).astype(np.float32)

    def describe(self, settings):
        return f"paints at {settings.exposure:g}"


@pytest.mark.parametrize(
    ("engines", "expected"),
    [
        ([Painting()], ROI),
        ([Painting(), PassthroughEngine()], ROI),
        ([PassthroughEngine(), PassthroughEngine()], ROI),
        ([Painting(), Painting()], [0, 0, 64, 48]),
    ],
    ids=["one maker", "a maker and another", "no maker", "makers alone"],
)
def test_the_region_is_that_of_the_first_stage_after_the_makers(object_work, shot, engines, expected):
    """A maker that another stage follows sees the whole plate, whatever region is asked for."""
    first, *then = engines
    work = object_work(shot, first, then=then, roi="8,8,48,32")
    assert object_report.region(work) == expected


def test_before_it_is_computed_its_engines_its_file_and_its_plan_are_told(object_work, shot, bench):
    work = object_work(shot, Painting(), then=[PassthroughEngine()], exposure=2.0)
    planned = object_report.planned(work)
    assert (planned.name, planned.engine, planned.stages) == ("", "painting", ["painting", "passthrough"])
    assert planned.out == str(bench.folder / "out1" / "alpha.####.exr")
    assert planned.plan == "paints at 2"


def test_at_the_end_the_frames_of_the_last_stage_are_counted(object_work, shot, take):
    asked = {"then": [PassthroughEngine()], "exposure": 2.0}
    told = []
    for wanted in ("1001-1003", "1001-1005"):
        work = object_work(shot, Painting(), frame_ranges=wanted, **asked)
        take(work.compute())
        take(work.finish())
        told.append(object_report.done(work, 2))
    assert [(one.computed, one.cached, one.judged, one.engine) for one in told] == [
        (3, 0, 2, "painting"),
        (2, 3, 2, "painting"),
    ]
    assert [(stage.engine, stage.computed) for stage in told[1].stages] == [("painting", 2), ("passthrough", 2)]
    assert told[1].plan == "paints at 2"
