"""What is wrong with plates and masks themselves, from scores alone."""

import pytest
from videomama_server.qc import given
from videomama_server.qc.scores import FrameScores
from videomama_server.qc.thresholds import Thresholds

LIMITS = Thresholds()


def frame(**scores):
    usual = {"iou": 0.9, "mask": 0.3, "coverage": 0.3, "outside": 0.0, "softness": 0.0, "hole": 0.0}
    usual |= {"alike": 0.9, "flicker": 0.01, "gain": 0.0, "loss": 0.0}
    return FrameScores(1001, **{**usual, **scores})


@pytest.mark.parametrize(
    ("find", "scores", "flagged"),
    [
        (given.inverted_masks, {"edge": 0.95, "mask": 0.97}, True),
        (given.inverted_masks, {"edge": 0.94, "mask": 0.5}, False),  # a subject that is cut by two sides
        (given.inverted_masks, {"edge": 1.0, "mask": 0.98}, False),  # all of the frame is subject
        (given.inverted_alphas, {"inverse": 0.61, "iou": 0.39}, True),
        (given.inverted_alphas, {"inverse": 0.6, "iou": 0.1}, False),
        (given.inverted_alphas, {"inverse": 0.61, "iou": 0.4}, False),
        (given.swapped, {"grey": 0.51}, True),
        (given.swapped, {"grey": 0.5, "plain": 0.5}, False),  # a soft mask
        (given.swapped, {"grey": 0.16, "plain": 0.96}, True),
        (given.swapped, {"grey": 0.16, "plain": 0.95}, False),
        (given.swapped, {"grey": 0.15, "plain": 1.0}, False),  # a plate of two shades, and its mask
        (given.short_masks, {"uncovered": 0.021}, True),
        (given.short_masks, {"uncovered": 0.02}, False),
    ],
)
def test_frames_beyond_the_limits_are_found_and_no_others(find, scores, flagged):
    assert find([frame(**scores)], LIMITS) == ({1001} if flagged else set())
    assert find([frame()], LIMITS) == set()
