"""Figures of a clip's frames."""

from dataclasses import replace

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server import metrics
from videomama_server.datasets.layouts import read_data
from videomama_server.evaluate.asked import ALWAYS, BLIND, MeasureChoice
from videomama_server.evaluate.measure import measure, read


def taken(clip, alphas, measures=None, is_mask=False):
    told = []
    size, scores = measure(clip, alphas, measures or MeasureChoice(), is_mask, lambda: told.append(1))
    assert len(told) == len(clip.numbers)
    assert size == (96, 64)
    return scores


def test_the_truth_has_no_error(clip):
    scores = taken(clip, clip.truth)
    assert tuple(scores) == ALWAYS
    assert scores["mad"] == [0, 0, 0]
    assert scores["grad"] == pytest.approx([0, 0, 0], abs=1e-9)
    assert scores["dtssd"] == [None, 0, 0]
    assert scores["flicker"][0] is None
    assert scores["flicker"][1] > 0  # it has some too


def test_figures_are_those_of_the_measures(clip, draw):
    scores = taken(clip, clip.mask)
    truths = [draw.disc(index) for index in range(3)]
    masks = [draw.mask_of(truth) for truth in truths]
    assert scores["mad"] == [metrics.mad(mask, truth) for mask, truth in zip(masks, truths, strict=True)]
    assert scores["conn"][2] == metrics.conn(masks[2], truths[2])
    assert scores["dtssd"][2] == metrics.dtssd(masks[2], truths[2], masks[1], truths[1])


def test_without_a_truth_alphas_are_held_against_the_masks(make):
    (clip,) = read_data(make.footage()).clips
    ours, theirs = taken(clip, clip.mask), taken(clip, clip.others["other"])
    assert tuple(ours) == tuple(theirs) == BLIND
    assert ours["inside_90"] == ours["inside_50"] == ours["haze"] == [0, 0, 0]
    assert theirs["inside_90"] == [100, 100, 100]
    assert theirs["inside_50"][0] == 0
    assert theirs["haze"][0] > 1000
    assert theirs["chatter"] == [None, 0, 0]


def test_a_mask_of_another_size_is_measured_as_the_server_takes_it(clip, draw, tmp_path):
    small = {
        number: draw.put(tmp_path / f"small.{number}.exr", draw.mask_of(draw.disc(index))[::2, ::2].copy())
        for index, number in enumerate(clip.numbers)
    }
    assert read(clip, small, 1001).alpha.shape == draw.size
    scores = taken(clip, small)
    assert all(figure > 0 for figure in scores["mad"])


def test_a_truth_of_another_size_names_the_frame(clip, draw):
    draw.put(clip.truth[1002], np.ones((32, 48), np.float32))
    with pytest.raises(BadInput, match="exact alpha frame 1002: it is 48x32, the plate is 96x64"):
        taken(clip, clip.mask)


def test_a_damaged_alpha_names_the_frame(clip, draw):
    broken = draw.disc(1)
    broken[3, 3] = np.nan
    draw.put(clip.mask[1002], broken)
    with pytest.raises(BadInput, match="frame 1002: An alpha holds NaN"):
        taken(clip, clip.mask)


@pytest.mark.parametrize("layout", ["suite", "videomatte"])
def test_foreground_is_measured_in_linear_light(make, layout):
    clip = read_data(make.plain("a") if layout == "suite" else make.rvm()).clips[0]
    measures = MeasureChoice(shape=True, foreground=True)
    own, estimated = (taken(clip, clip.truth, measures, is_mask)["foreground_mad"] for is_mask in (True, False))
    assert all(after < before / 2 for before, after in zip(own, estimated, strict=True))


def test_foreground_is_left_out_where_none_is_known(clip):
    assert "foreground_mad" not in taken(replace(clip, foreground=None), clip.truth, MeasureChoice(foreground=True))


def test_a_clip_of_one_frame_has_figures_but_none_over_time(clip):
    plate, truth, mask = ({1002: files[1002]} for files in (clip.plate, clip.truth, clip.mask))
    only = replace(clip, plate=plate, truth=truth, mask=mask, foreground=None)
    scores = taken(only, truth)
    assert (scores["mad"], scores["dtssd"], scores["flicker"]) == ([0], [None], [None])


def test_only_what_is_asked_for_is_taken_and_outer_frames_do_not_count(make):
    (clip,) = read_data(make.davis(clips=("bear",))).clips
    scores = taken(clip, clip.truth, MeasureChoice(only=("mad", "jf", "j", "f"), inner=True))
    assert scores == {name: [None, value, None] for name, value in {"mad": 0, "jf": 1, "j": 1, "f": 1}.items()}


def test_a_clip_of_two_frames_keeps_both(make):
    (clip,) = read_data(make.davis(clips=("bear",), count=2)).clips
    assert taken(clip, clip.truth, MeasureChoice(only=("j",), inner=True)) == {"j": [1, 1]}


def test_j_and_f_is_the_mean_of_both(make):
    first, _ = read_data(make.davis(clips=("bear", "two"), listed=("two",))).clips
    other = {n: path.parent.parent / "bear" / path.name for n, path in first.truth.items()}  # without the second
    scores = taken(first, other, MeasureChoice(only=("jf", "j", "f")))
    assert 0 < scores["j"][0] <= 1
    assert scores["jf"] == pytest.approx([(j + f) / 2 for j, f in zip(scores["j"], scores["f"], strict=True)])
    assert taken(first, other, MeasureChoice(only=("jf",))) == {"jf": scores["jf"]}
