"""Changes over time, from scores alone: what is flagged begins and ends where the page says."""

import pytest
from videomama_server.qc import changes
from videomama_server.qc.scores import FrameScores
from videomama_server.qc.thresholds import Thresholds

LIMITS = Thresholds()


def clip(first=1001, **columns):
    """Scores of consecutive frames; a column is a list, what is not given is steady."""
    count = len(next(iter(columns.values())))
    usual = {"iou": 0.9, "mask": 0.2, "coverage": 0.2, "outside": 0.0, "softness": 0.0, "hole": 0.0}
    usual |= {"alike": 0.9, "flicker": 0.01, "gain": 0.0, "loss": 0.0}
    rows = [{**usual, **{name: values[index] for name, values in columns.items()}} for index in range(count)]
    seam = columns.get("seam", [None] * count)
    return [
        FrameScores(first + i, **{k: v for k, v in row.items() if k != "seam"}, seam=seam[i])
        for i, row in enumerate(rows)
    ]


@pytest.mark.parametrize(
    ("gains", "losses", "flagged"),
    [
        ({1003: 0.03}, {1004: 0.03}, {1003}),
        ({1003: 0.03}, {1006: 0.03}, {1003, 1004, 1005}),
        ({1003: 0.03}, {1007: 0.03}, set()),  # it stays for more than three frames
        ({1003: 0.02}, {1004: 0.03}, set()),  # neither is above its limit
        ({1003: 0.03}, {1004: 0.02}, set()),
        ({1003: 0.03}, {1003: 0.03}, set()),  # it must come first
    ],
)
def test_a_place_that_comes_must_go_again_soon(gains, losses, flagged):
    columns = {
        "gain": [gains.get(frame, 0.0) for frame in range(1001, 1013)],
        "loss": [losses.get(frame, 0.0) for frame in range(1001, 1013)],
    }
    came, went = changes.places(clip(**columns), LIMITS)
    assert came == flagged
    turned = changes.places(clip(gain=columns["loss"], loss=columns["gain"]), LIMITS)
    assert turned == (went, came)


@pytest.mark.parametrize(
    ("levels", "flagged"),
    [
        ([0.2] * 4 + [0.23] + [0.2] * 4, {1005}),
        ([0.2] * 4 + [0.23] * 3 + [0.2] * 4, {1005, 1006, 1007}),
        ([0.2] * 4 + [0.23] * 4 + [0.2] * 4, set()),
        ([0.2] * 4 + [0.209] + [0.2] * 4, set()),
        ([0.2] * 4 + [0.17] + [0.2] * 4, set()),  # lower, not higher
        ([0.2] * 4 + [0.23] * 5, set()),
        ([0.23] + [0.2] * 8, set()),  # nothing before it to compare with
        ([0.001] * 4 + [0.0015] + [0.001] * 4, set()),  # next to nothing was covered
        ([0.2, 0.22] * 6, set()),  # where it differs that much all the time
    ],
)
def test_a_bump_is_a_few_frames_above_both_sides(levels, flagged):
    assert changes.bumps(clip(coverage=levels), LIMITS) == flagged


@pytest.mark.parametrize(
    ("levels", "flagged"),
    [
        ([0.2, 0.2, 0.24, 0.2, 0.24, 0.2, 0.2], {1003, 1004, 1005, 1006}),
        ([0.2, 0.2, 0.24, 0.2, 0.2, 0.2], set()),  # up and down once
        ([0.2, 0.2, 0.215, 0.2, 0.215, 0.2, 0.2], set()),
        ([0.2, 0.22, 0.24, 0.26, 0.28, 0.3, 0.32], set()),
        ([0.001, 0.001, 0.0012, 0.001, 0.0012, 0.001, 0.001], set()),
    ],
)
def test_flutter_goes_up_and_down_at_least_three_times(levels, flagged):
    assert changes.flutter(clip(coverage=levels), LIMITS) == flagged


def test_flutter_begins_again_after_a_pause():
    levels = [0.2, 0.2, 0.24, 0.2, 0.24, 0.2, 0.2, 0.2, 0.2, 0.24, 0.2, 0.24, 0.2, 0.2]
    assert changes.flutter(clip(coverage=levels), LIMITS) == {*range(1003, 1007), *range(1010, 1014)}


@pytest.mark.parametrize(
    ("levels", "flagged"),
    [
        ([0.2] * 5 + [0.25] * 5, {1006}),
        ([0.25] * 5 + [0.2] * 5, {1006}),
        ([0.2] * 5 + [0.23] * 5, set()),  # e to the 0.14
        ([0.2] * 3 + [0.25] * 7, set()),  # too near the beginning
        ([0.2] * 4 + [0.25] * 6, {1005}),
        ([0.2] * 6 + [0.25] * 4, {1007}),
        ([0.2] * 7 + [0.25] * 3, set()),
        ([0.2 * 1.25**frame for frame in range(10)], set()),  # it grows like that all the time
        ([0.0001] * 5 + [0.0015] * 5, set()),
    ],
)
def test_a_step_stands_out_from_the_frames_around(levels, flagged):
    assert changes.steps(clip(coverage=levels), LIMITS) == flagged


def test_frames_that_do_not_follow_each_other_are_no_step():
    apart = clip(coverage=[0.2] * 5) + clip(first=1010, coverage=[0.3] * 5)
    assert changes.steps(apart, LIMITS) == changes.bumps(apart, LIMITS) == set()


@pytest.mark.parametrize(
    ("usual", "level", "flagged"),
    [
        (0.01, 0.11, True),  # above 0.1, and more than four times the usual
        (0.01, 0.1, False),
        (0.04, 0.15, False),
        (0.04, 0.17, True),
        (0.1, 0.21, True),  # above 0.2 whatever is usual
        (0.1, 0.2, False),
    ],
)
def test_flicker_is_measured_by_what_is_usual(usual, level, flagged):
    levels = [None, usual, usual, usual, level, usual, usual, usual]
    assert changes.flicker(clip(flicker=levels), LIMITS) == ({1005} if flagged else set())


@pytest.mark.parametrize(
    ("seam", "levels", "flagged"),
    [
        (3.0, (0.02, 0.3, 0.02), True),
        (2.9, (0.02, 0.3, 0.02), False),
        (None, (0.02, 0.3, 0.02), False),
        (3.0, (0.02, 0.3, 0.11), False),  # it changes again just after
        (3.0, (0.11, 0.3, 0.02), False),
        (3.0, (0.125, 0.375, 0.125), True),
        (3.0, (0.02, 0.1, 0.02), True),
        (3.0, (0.02, 0.09, 0.02), False),
        (3.0, (None, 0.3, None), True),
    ],
)
def test_a_jump_is_a_change_that_stands_alone(seam, levels, flagged):
    found = clip(flicker=[0.02, *levels, 0.02], seam=[None, None, seam, None, None])
    assert changes.jumps(found, LIMITS) == ({1003} if flagged else set())


@pytest.mark.parametrize("name", ["gain", "loss"])
def test_what_was_not_measured_is_no_change(name):
    columns = {"gain": [0.0] * 6, "loss": [0.0] * 6}
    columns["loss" if name == "gain" else "gain"][3] = 0.03
    columns[name][2] = columns[name][4] = None
    assert changes.places(clip(**columns), LIMITS) == (set(), set())
    assert changes.flicker(clip(flicker=[None] * 5), LIMITS) == set()
    assert changes.jumps(clip(flicker=[None] * 5, seam=[3.0] * 5), LIMITS) == set()


@pytest.mark.parametrize(("faded", "restored"), [({2: 0.5}, {4: None}), ({2: None}, {4: 0.5}), ({2: 0.5}, {6: 0.5})])
def test_a_place_that_fades_must_come_back_soon(faded, restored):
    columns = {"faded": [faded.get(at, 0.0) for at in range(8)], "restored": [restored.get(at, 0.0) for at in range(8)]}
    assert changes.faded(clip(**columns), LIMITS) == set()
    columns = {"faded": [0.0, 0.0, 0.5] + [0.0] * 5, "restored": [0.0] * 4 + [0.5] + [0.0] * 3}
    assert changes.faded(clip(**columns), LIMITS) == {1003, 1004}


def test_what_the_mask_rises_by_too_is_the_subjects_own():
    levels, masks = [0.2] * 4 + [0.23] + [0.2] * 4, [0.2] * 4 + [0.23] + [0.2] * 4
    assert changes.bumps(clip(coverage=levels, mask=masks), LIMITS) == set()
    assert changes.bumps(clip(coverage=levels, mask=[0.2] * 4 + [0.21] + [0.2] * 4), LIMITS) == {1005}
    levels = [0.2] * 5 + [0.25] * 5
    assert changes.steps(clip(coverage=levels, mask=levels), LIMITS) == set()
    assert changes.steps(clip(coverage=levels, mask=[0.25] * 5 + [0.2] * 5), LIMITS) == {1006}


def test_swings_are_shares_of_the_neighbours():
    assert changes._swings([0.2, 0.25, 0.2, 0.1, 0.4], 0.01) == pytest.approx([0, 0.25, 0, -0.5, 0])
    assert changes._swings([0.2, 0.25, 0.009], 0.01) == [0, 0, 0]
    assert changes._swings([0.01, 0.02, 0.01], 0.01) == pytest.approx([0, 1, 0])
    assert changes._moves([0.1, 0.2, 0.001], 0.05) == pytest.approx([0.6931, -1.3863], abs=1e-4)
