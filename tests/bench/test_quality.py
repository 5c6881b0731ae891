from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from videomama_server.synthetic.degrade import parse
from videomama_server.synthetic.render import ClipSpec
from videomama_server.synthetic.suite import write_clip

BENCH = str(Path(__file__).parents[2] / "bench")


@pytest.fixture
def quality(load_bench, monkeypatch):
    monkeypatch.syspath_prepend(BENCH)
    return load_bench("quality")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    spec = ClipSpec("hair", "wall", 160, 90, 3)
    return write_clip(tmp_path_factory.mktemp("clips") / spec.name, spec, parse("down8", 1))


def test_every_method_is_measured_against_the_masks(quality, clip):
    with quality.private_server() as (client, _):
        found = quality.ratios(clip, client)
    assert set(found) == {"closed_form", "guided", "classic"}
    for of in found.values():
        assert set(of) == set(quality.MEASURES)
        assert 0 < of["mad"] < 1
    assert found["classic"]["grad"] < found["guided"]["grad"]


def test_masks_themselves_have_a_ratio_of_one(quality, clip):
    masks = [quality.cover(clip.at("mask", number)) for number in clip.spec.numbers]
    exact = [quality.cover(clip.at("alpha", number)) for number in clip.spec.numbers]
    assert quality.scores(clip, exact).mad == 0
    assert quality.scores(clip, masks).mad == pytest.approx(
        1e3 * np.mean([np.abs(mask - alpha).mean() for mask, alpha in zip(masks, exact, strict=True)]), rel=1e-5
    )


def test_a_summary_has_the_mean_and_the_worst(quality):
    clips = [{"classic": {"mad": 0.4, "grad": 0.2, "dtssd": 0.6}}, {"classic": {"mad": 0.8, "grad": 0.6, "dtssd": 0.4}}]
    found = quality.summary(clips, "classic", 1.5)
    assert (found["mad_ratio"], found["worst_mad_ratio"], found["grad_ratio"]) == (0.6, 0.8, 0.4)
    assert found["seconds_per_frame_1080p"] == 1.5


def test_a_folder_of_clips_is_read(quality, clip, tmp_path):
    assert [found.spec for found in quality.suite(clip.folder.parent, tmp_path)] == [clip.spec]
