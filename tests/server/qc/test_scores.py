"""The scores of single frames, where they can be told beforehand."""

from dataclasses import fields

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from videomama_client.errors import BadInput
from videomama_server.qc.scores import VERSION, FrameScores, Gauge, runs, with_seams
from videomama_server.qc.sights import WORKING

SIZE = (180, 320)
NAMES = [field.name for field in fields(FrameScores) if field.name != "frame"]


def rectangle(top, bottom, left, right, value=1.0, size=SIZE):
    picture = np.zeros(size, np.float32)
    picture[top:bottom, left:right] = value
    return picture


def scores_of(mask, alpha):
    return Gauge().add(1, np.zeros((*mask.shape, 3), np.float32), mask, alpha)


def test_a_mask_that_is_the_alpha():
    solid = rectangle(40, 140, 60, 260)
    found = scores_of(solid, solid)
    assert (found.iou, found.outside, found.softness, found.hole) == (1, 0, 0, 0)
    assert found.mask == found.coverage == pytest.approx(100 * 200 / (180 * 320))
    assert (found.flicker, found.seam) == (None, None)


def test_nothing_to_measure():
    nothing = np.zeros(SIZE, np.float32)
    found = scores_of(nothing, nothing)
    assert (found.iou, found.coverage) == (1, 0)
    assert (found.outside, found.softness, found.hole) == (None, None, None)
    assert scores_of(rectangle(80, 84, 0, 320), rectangle(80, 84, 0, 320)).softness is None


def test_what_lies_near_the_mask_is_not_outside():
    mask = rectangle(40, 140, 60, 160)
    near, far = rectangle(40, 140, 60, 168), rectangle(40, 140, 60, 160) + rectangle(0, 20, 250, 300, 0.5)
    assert scores_of(mask, near).outside == 0
    assert scores_of(mask, far).outside == pytest.approx(500 / 10_500)


def test_softness_and_holes():
    mask = rectangle(20, 160, 40, 280)
    assert scores_of(mask, mask * np.float32(0.6)).softness == pytest.approx(0.4, abs=1e-6)
    holed = mask - rectangle(80, 100, 100, 140)
    assert scores_of(mask, holed).hole == pytest.approx(20 * 40 / (140 * 240))
    open_ = mask - rectangle(80, 180, 100, 140) * mask
    assert scores_of(mask, open_).hole == 0
    assert scores_of(mask, open_).softness == 0


def test_a_subject_that_the_frame_cuts_goes_on_beyond_it():
    everywhere = np.ones(SIZE, np.float32)
    assert scores_of(everywhere, everywhere * np.float32(0.5)).softness == pytest.approx(0.5)


def test_the_size_of_the_frame_does_not_matter():
    mask = rectangle(20, 160, 40, 280) - rectangle(80, 100, 100, 140)
    alpha = cv2.GaussianBlur(mask, (0, 0), 2)
    small = scores_of(rectangle(20, 160, 40, 280), alpha)
    size = (4 * SIZE[1], 4 * SIZE[0])
    assert size[0] > WORKING
    large = scores_of(*(cv2.resize(one, size) for one in (rectangle(20, 160, 40, 280), alpha)))
    for name in ("iou", "coverage", "hole"):
        assert getattr(large, name) == pytest.approx(getattr(small, name), abs=0.01)


def test_flicker_is_the_change_beside_the_plate_per_pixel_of_the_subject():
    plate = np.repeat(np.random.default_rng(1).random((*SIZE, 1), dtype=np.float32), 3, axis=2)
    plate = cv2.GaussianBlur(plate, (0, 0), 2)
    solid, gauge = rectangle(40, 140, 60, 160), Gauge()
    gauge.add(1, plate, solid, solid)
    assert gauge.add(2, plate, solid, solid).flicker == pytest.approx(0, abs=1e-4)
    assert gauge.add(3, plate, solid, solid * np.float32(0.8)).flicker == pytest.approx(0.2, rel=0.05)


def test_a_plate_that_changes_with_the_alpha_excuses_it():
    dark, solid, gauge = np.zeros((*SIZE, 3), np.float32), rectangle(40, 140, 60, 160), Gauge()
    gauge.add(1, dark, solid, solid)
    lit = dark + np.repeat(rectangle(40, 140, 60, 160, 0.5)[..., None], 3, axis=2)
    assert gauge.add(2, lit, solid, solid * np.float32(0.5)).flicker == pytest.approx(0, abs=0.01)


def test_seams_need_frames_on_both_sides(clip):
    found = with_seams(clip.scores())
    assert found[0].seam is None
    assert all(0 < one.seam < 3 for one in found[2:])
    assert all(one.seam is None for one in with_seams(clip.scores()[:4]))


def test_sizes_that_differ_are_refused():
    solid, plate = np.ones(SIZE, np.float32), np.zeros((*SIZE, 3), np.float32)
    gauge = Gauge()
    with pytest.raises(BadInput, match="plate and mask are 320x180, the alpha 310x180"):
        gauge.add(1, plate, solid, solid[:, :310])
    gauge.add(1, plate, solid, solid)
    with pytest.raises(BadInput, match="from the one before"):
        gauge.add(2, plate[:90], solid[:90], solid[:90])


def test_places_that_come_and_go_are_measured_without_their_thin_parts():
    plate = np.repeat(
        cv2.GaussianBlur(np.random.default_rng(4).random((*SIZE, 1), np.float32), (0, 0), 2)[..., None], 3, 2
    )
    solid, gauge = rectangle(40, 140, 60, 160), Gauge()
    gauge.add(1, plate, solid, solid)
    line = solid + rectangle(20, 22, 200, 300)
    assert gauge.add(2, plate, solid, line).gain == 0
    two = line + rectangle(60, 80, 200, 230) + rectangle(100, 105, 200, 205)
    found = gauge.add(3, plate, solid, two)
    assert (found.gain, found.loss) == (pytest.approx(600 / 10_825, abs=1e-3), 0)
    assert gauge.add(4, plate, solid, line).loss == pytest.approx(600 / 10_825, abs=1e-3)


def test_how_much_of_the_plate_looks_as_before(clip):
    gauge, solid = Gauge(), rectangle(40, 140, 60, 160)
    assert gauge.add(1, clip.plate[1001], solid, solid).alike is None
    assert gauge.add(2, clip.plate[1002], solid, solid).alike > 0.9
    assert gauge.add(3, clip.plate[1002][::-1, ::-1].copy(), solid, solid).alike < 0.7
    assert gauge.add(4, np.zeros_like(clip.plate[1001]), solid, solid).alike < 0.1


@settings(max_examples=25)
@given(st.integers(1, 1300), st.integers(1, 1300))
@example(1556, 2048)
@example(1080, 1998)
@example(3112, 4096)
@example(576, 1050)
@example(16, 1025)
@example(1, 4200)
@example(4200, 1)
@example(1, 1)
def test_frames_of_every_size_are_measured_and_so_is_their_change(height, width):
    plate = np.full((height, width, 3), 0.5, np.float32)
    mask, gauge = np.zeros((height, width), np.float32), Gauge()
    mask[height // 4 :, width // 4 :] = 1
    gauge.add(1, plate, mask, mask)
    found = gauge.add(2, plate, mask, mask)
    assert found.iou == 1
    assert found.alike == 1
    assert found.flicker in (None, 0)


def test_frames_that_follow_each_other_are_one_run():
    scores = [FrameScores(frame, 1, 0, 0, *[None] * 7) for frame in (1001, 1002, 1003, 1005, 1007, 1008)]
    assert [[one.frame for one in run] for run in runs(scores)] == [[1001, 1002, 1003], [1005], [1007, 1008]]
    assert list(runs([])) == []


def test_the_scores_of_a_clip_are_what_they_always_were(clip, unchanged):
    """Reports hold them under a version: whoever changes these numbers raises it."""
    clip.alpha[1004] = np.clip(clip.alpha[1004] - 0.7 * rectangle(60, 76, 120, 140), 0, 1)
    clip.alpha[1006] = np.maximum(clip.alpha[1006], 0.8 * rectangle(20, 50, 250, 280))
    clip.alpha[1009] = np.clip(clip.alpha[1009] - 0.3 * rectangle(100, 130, 120, 160), 0, 1)
    clip.mask[1011] = rectangle(10, 180, 0, 290)
    rows = [[getattr(one, name) or 0.0 for name in NAMES] for one in clip.scores()]
    unchanged(
        np.array(rows)[:, None],
        [
            -41064564,
            -48480361,
            -16385753,
            -3472324,
            -3427153,
            0,
            -20381184,
            -2555889,
            -2730323,
            -1557937,
            -4420547,
            6619966,
            802480,
            2010816,
            208597,
            0,
            0,
            -32651078,
            0,
            0,
            -4528432,
            0,
            -22176881,
        ],
        within=2000,
    )
    assert VERSION == 2


def test_sides_that_the_mask_covers_count_but_for_the_least():
    mask = np.ones(SIZE, np.float32)
    assert scores_of(mask, mask).edge == 1
    mask[0] = 0
    assert scores_of(mask, mask).edge == pytest.approx(179 / 180)
    mask[:90, 0] = 0
    assert scores_of(mask, mask).edge == pytest.approx(0.5)
    mask[:, 0] = 0
    mask[:, 1:161] = 0
    assert scores_of(mask, mask).edge == 0
    assert scores_of(rectangle(0, 180, 100, 200), rectangle(0, 180, 0, 1)).edge == 0


def test_a_plate_of_two_shades_is_plain():
    for shades, plain in ((1, 1), (2, 1), (4, 0.5)):
        plate = np.repeat((np.arange(320) * shades // 320 / 8)[None, :, None], 3, axis=2).repeat(180, axis=0)
        found = Gauge().add(1, plate.astype(np.float32), rectangle(0, 9, 0, 9), rectangle(0, 9, 0, 9))
        assert found.plain == pytest.approx(plain, abs=0.01)


@pytest.mark.parametrize(("level", "said"), [(0.31, False), (0.33, True)])
def test_of_next_to_no_alpha_nothing_lies_outside(level, said):
    speck = np.zeros(SIZE, np.float32)
    speck[10, 10] = level
    assert (scores_of(rectangle(100, 140, 200, 260), speck).outside is not None) == said


def test_scores_by_themselves_have_none_that_need_another_frame(clip):
    found = with_seams(clip.scores())[6].by_itself
    assert [found.alike, found.flicker, found.gain, found.loss, found.faded, found.restored, found.seam] == [None] * 7


def steady(flickers):
    return [FrameScores(1001 + i, 1, 0, 0, *[None] * 4, value, None, None) for i, value in enumerate(flickers)]


@pytest.mark.parametrize(
    ("flickers", "seam"),
    [
        ([0.1, 0.1, 0.2, 0.2, 0.6, 0.2, 0.2, 0.1, 0.1], 0.6 / 0.15),
        ([9, 0.1, 0.1, 0.1, 0.1, 0.6, 0.1, 0.1, 0.1, 0.1, 9], None),
        ([None, None, None, None, 0.6, 0.1, 0.1, 0.1, 0.1], 6),
        ([None, None, None, None, 0.6, 0.1, 0.1, 0.1], None),
        ([0.0] * 4 + [0.02] + [0.0] * 4, 20),  # over what is still
        ([0.1] * 4 + [None] + [0.1] * 4, None),
    ],
)
def test_a_seam_is_measured_by_four_frames_on_either_side(flickers, seam):
    found = with_seams(steady(flickers))[4 if len(flickers) < 11 else 5].seam
    assert found == (pytest.approx(6) if len(flickers) == 11 else seam if seam is None else pytest.approx(seam))


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(FrameScores) == {
        "ragged": 0.0,
        "veil": 0.0,
        "strands": 0.0,
        "remains": 0.0,
        "inverse": 0.0,
        "edge": 0.0,
        "grey": 0.0,
        "plain": 0.0,
        "uncovered": 0.0,
    }


def changed_from(before, now):
    """Scores of a frame after another of a plate that stays as it is."""
    gauge, plate, mask = Gauge(), np.zeros((*SIZE, 3), np.float32), rectangle(40, 140, 60, 160)
    gauge.add(1, plate, mask, before)
    return gauge.add(2, plate, mask, now)


@pytest.mark.parametrize(("level", "share"), [(0.6, 0), (0.61, 600 / 10_600)])
def test_a_place_comes_or_goes_at_once_when_it_changes_by_more_than_six_tenths(level, share):
    solid = rectangle(40, 140, 60, 160)
    more = solid + rectangle(60, 80, 200, 230, level)
    assert (changed_from(solid, more).gain, changed_from(solid, more).loss) == (pytest.approx(share), 0)
    assert (changed_from(more, solid).loss, changed_from(more, solid).gain) == (pytest.approx(share), 0)


@pytest.mark.parametrize(("level", "share"), [(0.2, 0), (0.21, 600 / 10_000)])
def test_a_place_inside_fades_or_is_restored_when_it_changes_by_more_than_two_tenths(level, share):
    holed = rectangle(40, 140, 60, 160) - rectangle(80, 100, 100, 130)
    faint = holed + rectangle(80, 100, 100, 130, level)
    assert (changed_from(faint, holed).faded, changed_from(faint, holed).restored) == (pytest.approx(share), 0)
    assert (changed_from(holed, faint).restored, changed_from(holed, faint).faded) == (pytest.approx(share), 0)


@pytest.mark.parametrize(
    ("pixels", "level", "known"), [(16, 1.0, True), (15, 1.0, False), (16, 0.02, False), (16, 0.021, True)]
)
def test_a_change_is_measured_from_sixteen_pixels_of_some_alpha_on(pixels, level, known):
    some = rectangle(10, 11, 10, 10 + pixels, level)
    assert (changed_from(some, some).flicker is not None) == known
