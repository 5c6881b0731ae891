"""Every fault that is planted is flagged, on its frames and by its name; what is right is not."""

import cv2
import numpy as np
import pytest
from videomama_client.messages import QcFlag
from videomama_server.qc.flags import flags_by_frame, judge, sentence
from videomama_server.qc.scores import FrameScores, Gauge, with_seams
from videomama_server.synthetic.demo_clip import ClipShape, render_frame


@pytest.mark.parametrize("speed", [0.0, 2.0, 6.0])
def test_a_right_clip_has_no_flag(make_clip, speed):
    assert make_clip(speed=speed).flags() == {}


@pytest.mark.parametrize("seed", range(3, 12, 2))
def test_nor_has_another(make_clip, seed):
    assert make_clip(seed=seed).flags() == {}


def test_hair_veil_and_rough_masks_have_no_flag():
    shape, gauge = ClipShape(width=480, height=270, frames=10), Gauge()
    scores = []
    for number in shape.numbers:
        frame = render_frame(shape, number)
        plate = np.clip(frame.plate, 0, 1) ** np.float32(1 / 2.2)
        scores.append(gauge.add(number, plate, frame.mask, frame.alpha))
    assert judge(with_seams(scores)) == []


def test_single_frames_and_empty_clips(make_clip):
    assert make_clip(count=1).flags() == {}
    clip = make_clip(count=4)
    for number in clip.numbers:
        clip.mask[number][:] = clip.alpha[number][:] = 0
    assert clip.flags() == {}


def test_alpha_dropped(clip):
    for number in (1005, 1006, 1011):
        clip.alpha[number] = np.zeros_like(clip.alpha[number])
    assert clip.flags() == {"alpha dropped": [1005, 1006, 1011]}


def test_alpha_dropped_for_good(clip):
    for number in range(1012, 1017):
        clip.alpha[number] = np.zeros_like(clip.alpha[number])
    assert clip.flags() == {"alpha dropped": [1012, 1013, 1014, 1015, 1016]}


def test_most_of_the_alpha_dropped(clip):
    clip.alpha[1009] = clip.alpha[1009].copy()
    clip.alpha[1009][110:] = 0
    flags = clip.flags()
    assert flags.pop("mismatch") == [1009]
    assert flags.keys() <= {"see-through", "hole", "flicker"}


def test_a_subject_that_walks_out_is_not_lost(make_clip):
    clip = make_clip(count=24, speed=14.0)
    assert not {"mask missed", "alpha dropped"} & clip.flags().keys()


def test_mask_missed(clip):
    """With the alpha gone too, as engines leave it, and with one that holds on to the subject."""
    for number in (1004, 1009, 1010):
        clip.mask[number] = np.zeros_like(clip.mask[number])
    clip.alpha[1004] = np.zeros_like(clip.alpha[1004])
    assert clip.flags() == {"mask missed": [1004, 1009, 1010]}


def test_a_mask_in_the_wrong_place(clip):
    clip.mask[1007] = np.roll(clip.mask[1007], 90, axis=1)
    assert clip.flags()["mismatch"] == [1007]


def test_a_hole(clip):
    for number in range(1006, 1010):
        clip.alpha[number] = cv2.circle(clip.alpha[number].copy(), (120 + 2 * (number - 1001), 150), 12, 0, -1)
    flags = clip.flags()
    assert flags.pop("hole") == [1006, 1007, 1008, 1009]
    assert flags.keys() <= {"flicker", "seam"}  # it comes and goes at once


def test_a_hole_on_all_frames(clip):
    for number in clip.numbers:
        clip.alpha[number] = cv2.circle(clip.alpha[number].copy(), (120 + 2 * (number - 1001), 150), 12, 0, -1)
    assert clip.flags() == {"hole": clip.numbers}


def test_background_inside_a_mask_that_is_too_large_is_no_hole(clip):
    for number in clip.numbers:
        clip.mask[number] = cv2.dilate(clip.mask[number], np.ones((25, 25), np.uint8))
    assert clip.flags() == {}


def test_soft_inside(clip):
    for number in (1008, 1009):
        clip.alpha[number] = clip.alpha[number] * np.float32(0.8)
    assert clip.flags()["see-through"] == [1008, 1009]


def test_spill(clip):
    """A patch, which comes and goes, and a haze so faint that nobody sees it over grey."""
    clip.alpha[1003] = cv2.circle(clip.alpha[1003].copy(), (280, 40), 18, 0.9, -1)
    clip.alpha[1012] = np.maximum(clip.alpha[1012], np.float32(0.03))
    flags = clip.flags()
    assert flags.pop("spill") == [1012]
    assert flags.pop("patch") == [1003, 1012]
    assert flags.pop("haze") == [1012]
    assert flags.keys() <= {"flicker"}


def test_flicker(clip):
    for number in range(1006, 1012):
        clip.alpha[number] = clip.alpha[number] * np.float32(0.75 if number % 2 else 1.0)
    assert clip.flags()["flicker"] == list(range(1007, 1013))


def test_flicker_from_end_to_end(clip):
    for number in clip.numbers[::2]:
        clip.alpha[number] = clip.alpha[number] * np.float32(0.7)
    assert clip.flags()["flicker"] == clip.numbers[1:]


def test_a_seam(clip):
    """The alpha is wider from one frame on."""
    for number in range(1009, 1017):
        clip.alpha[number] = cv2.dilate(clip.alpha[number], np.ones((9, 9), np.uint8))
    assert clip.flags() == {"seam": [1009]}


def test_a_flag_names_the_worst_frame_and_says_why(clip):
    clip.alpha[1005] = cv2.circle(clip.alpha[1005].copy(), (128, 150), 12, 0, -1)
    clip.alpha[1006] = cv2.circle(clip.alpha[1006].copy(), (130, 150), 16, 0, -1)
    hole = next(flag for flag in judge(clip.scores()) if flag.kind == "hole")
    assert (hole.frame_numbers, hole.worst) == ([1005, 1006], 1006)
    assert sentence(hole) == "hole on 1005-1006: the alpha is near 0 inside the subject"


def see_through(alpha, seed, count=3):
    """Make soft patches well inside half transparent."""
    rng, made = np.random.default_rng(seed), alpha.copy()
    places = np.argwhere(cv2.distanceTransform((alpha > 0.99).astype(np.uint8), cv2.DIST_L2, 5) > 8)
    rows, columns = np.indices(alpha.shape)
    for y, x in places[rng.integers(len(places), size=count)]:
        made *= 1 - 0.4 * np.clip((14 - np.hypot(rows - y, columns - x)) / 5, 0, 1).astype(np.float32)
    return made


def test_a_see_through_patch_that_comes_and_goes(clip):
    for number in (1006, 1007, 1012):
        clip.alpha[number] = see_through(clip.alpha[number], 5, count=1)
    flags = clip.flags()
    assert flags.pop("see-through") == [1006, 1007, 1012]
    assert flags.keys() <= {"flicker", "seam"}


def test_a_subject_that_is_see_through_here_and_there_on_all_frames(clip):
    """As an engine makes it that moves the outline of a mask that is right already."""
    for number in clip.numbers:
        clip.alpha[number] = see_through(clip.alpha[number], number)
    assert clip.flags()["see-through"] == clip.numbers


def test_glass_is_see_through_and_no_fault(clip):
    for number in clip.numbers:
        clip.alpha[number] = clip.alpha[number] * np.float32(0.5)
    assert "see-through" not in clip.flags()


def outlying(clip, number, least, most):
    """Return where nothing is, between two distances from the subject, pixels at 1920."""
    away = cv2.distanceTransform((clip.alpha[number] < 0.02).astype(np.uint8), cv2.DIST_L2, 5) * 6
    return (away > least) & (away < most) & (clip.mask[number] == 0)


def test_haze_on_some_frames(clip):
    for number in (1004, 1010):
        clip.alpha[number] = np.maximum(clip.alpha[number], 0.06 * outlying(clip, number, 0, 80)).astype(np.float32)
    assert clip.flags()["haze"] == [1004, 1010]


def test_ghosts_of_what_is_behind_on_all_frames(clip):
    for number in clip.numbers:
        rng, places = np.random.default_rng(number), np.argwhere(outlying(clip, number, 40, 70))
        for y, x in places[rng.integers(len(places), size=8)]:
            clip.alpha[number][y : y + 3, x : x + 6] = np.maximum(clip.alpha[number][y : y + 3, x : x + 6], 0.08)
    assert clip.flags()["haze"] == clip.numbers


def test_false_strands_on_some_frames(clip):
    for number in (1005, 1011):
        rng, places = np.random.default_rng(number), np.argwhere(outlying(clip, number, 0, 10))
        for y, x in places[rng.integers(len(places), size=30)]:
            line = cv2.line(np.zeros_like(clip.alpha[number]), (int(x), int(y)), (int(x) + 14, int(y) + 4), 0.4, 1)
            clip.alpha[number] = np.maximum(clip.alpha[number], line)
    flags = clip.flags()
    assert flags.pop("false strands") == [1005, 1011]
    assert flags.keys() <= {"flicker", "seam"}


def test_a_mask_that_is_inverted(clip):
    for number in clip.numbers:
        clip.mask[number], clip.alpha[number] = 1 - clip.mask[number], 1 - clip.alpha[number]
    assert clip.flags() == {"inverted": clip.numbers}


def test_an_alpha_that_is_inverted_on_some_frames(clip):
    for number in (1003, 1004):
        clip.alpha[number] = 1 - clip.alpha[number]
    flags = judge(clip.scores())
    assert [(flag.kind, flag.frame_numbers) for flag in flags] == [("inverted", [1003, 1004])]
    assert flags[0].reason.startswith("the alpha covers what the mask leaves out")


def test_plate_and_mask_that_are_swapped(clip):
    for number in clip.numbers:
        mask, picture = clip.mask[number], clip.plate[number][..., 0]
        clip.plate[number] = np.repeat(mask[..., None], 3, axis=2)
        clip.mask[number] = clip.alpha[number] = picture
    assert clip.flags() == {"swapped": clip.numbers}


def test_a_mask_that_ends_a_row_before_the_frame(clip):
    for number in (1004, 1005):
        clip.mask[number][-1:] = clip.alpha[number][-1:] = 0
    flags = clip.flags()
    assert flags.pop("mask ends early") == [1004, 1005]
    assert flags == {}


def test_an_alpha_that_goes_to_the_edge_although_its_mask_does_not_has_no_flag(clip):
    for number in clip.numbers:
        clip.mask[number][-1:] = 0
    assert clip.flags() == {}


def test_a_ball_that_the_mask_has_too_is_no_patch(clip):
    for number in (1006, 1007):
        for cover in (clip.mask, clip.alpha):
            cover[number] = cv2.circle(cover[number].copy(), (280, 30), 18, 1, -1)
    assert clip.flags() == {}


def test_what_enters_the_mask_at_once_is_no_seam(clip):
    """A racket, say, that a tracker holds to from one frame on."""
    noise = np.random.default_rng(8)
    for number in clip.numbers:
        clip.plate[number] = noise.random(clip.plate[number].shape, dtype=np.float32)
        if number >= 1009:
            for cover in (clip.mask, clip.alpha):
                cover[number] = cv2.dilate(cover[number], np.ones((13, 13), np.uint8))
    assert clip.flags() == {}


def scored(frame, **values):
    usual = {"iou": 0.9, "mask": 0.2, "coverage": 0.2, "outside": 0.0, "softness": 0.0, "hole": 0.0}
    usual.update(alike=0.9, flicker=0.01, gain=0.0, loss=0.0)
    return FrameScores(frame, **{**usual, **values})


def test_where_masks_differ_much_no_single_one_stands_out():
    levels = (0.95, 0.72, 0.88, 0.66, 0.93, 0.7, 0.9, 0.68)
    assert judge([scored(frame, iou=level) for frame, level in enumerate(levels)]) == []
    steady = [scored(frame) for frame in range(8)]
    assert [flag.kind for flag in judge([*steady, scored(8, iou=0.66)])] == ["mismatch"]


def test_by_a_poor_mask_no_alpha_is_judged():
    """The smoke of a clip lies outside its mask on all frames, and on some masks are worse."""
    levels = (0.7, 0.5, 0.65, 0.58, 0.7, 0.52)
    poor = [scored(frame, iou=level, hole=0.1 if level < 0.6 else 0.0) for frame, level in enumerate(levels)]
    assert judge(poor) == []


def test_gaps_in_hair_are_as_ragged_on_every_frame_and_no_fault():
    steady, unsteady = (0.15, 0.16, 0.15, 0.14, 0.15), (0.15, 0.05, 0.2, 0.08, 0.12)
    found = [
        judge([scored(frame, ragged=level, see_through=0.1) for frame, level in enumerate(levels)])
        for levels in (steady, unsteady)
    ]
    assert [[flag.kind for flag in flags] for flags in found] == [[], ["see-through"]]


def small_disc(clip, number, place, value):
    clip.alpha[number] = cv2.circle(clip.alpha[number].copy(), place, 11, value, -1)


def test_a_patch_that_comes_and_goes(clip):
    """Near the subject, and too small for the share of the alpha that lies outside the mask."""
    for number in (1006, 1007):
        small_disc(clip, number, (200, 40), 1.0)
    assert clip.flags() == {"patch": [1006, 1007]}


def test_a_bite_out_of_the_outline_that_comes_and_goes(clip):
    for number in (1006, 1007):
        small_disc(clip, number, (120 + 2 * (number - 1001), 40), 0.0)
    assert clip.flags() == {"hole": [1006, 1007]}


def test_what_changes_once_is_neither(clip):
    for number in range(1008, 1017):
        small_disc(clip, number, (280, 40), 1.0)
    assert not {"patch", "hole"} & clip.flags().keys()


def test_flicker_of_the_whole_alpha_where_no_motion_can_be_followed(clip):
    """Without any texture only the coverage tells."""
    for number in clip.numbers:
        clip.plate[number] = np.full_like(clip.plate[number], 0.5)
        if number in (1006, 1008, 1010):
            clip.alpha[number] = clip.alpha[number] * np.float32(0.8)
    assert clip.flags()["flicker"] == list(range(1006, 1012))


def test_a_seam_where_no_motion_can_be_followed(clip):
    noise = np.random.default_rng(8)
    for number in clip.numbers:
        clip.plate[number] = noise.random(clip.plate[number].shape, dtype=np.float32)
        if number >= 1009:
            clip.alpha[number] = cv2.dilate(clip.alpha[number], np.ones((13, 13), np.uint8))
    assert clip.flags() == {"seam": [1009]}


def test_a_cut_is_no_fault(make_clip):
    """Another place, and a subject of a fifth of the size; the shots are judged for themselves."""
    first, second = make_clip(), make_clip(seed=20)
    for number in second.numbers[8:]:
        first.plate[number] = second.plate[number]
        small = cv2.resize(second.alpha[number], None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
        for cover in (first.mask, first.alpha):
            cover[number] = np.zeros_like(cover[number])
            cover[number][20 : 20 + small.shape[0], 30 : 30 + small.shape[1]] = small
    assert first.flags() == {}
    first.alpha[1013] = np.zeros_like(first.alpha[1013])
    assert first.flags() == {"alpha dropped": [1013]}


def test_a_flash_is_no_cut(clip):
    clip.plate[1008] = np.ones_like(clip.plate[1008])
    assert clip.flags() == {}
    clip.alpha[1008] = np.zeros_like(clip.alpha[1008])
    assert clip.flags() == {"alpha dropped": [1008]}


def test_a_mask_that_is_only_too_large_is_no_mismatch():
    large = [scored(frame, iou=0.33, mask=0.6, coverage=0.2) for frame in range(6)]
    assert judge(large) == []
    beside = [scored(frame, iou=0.2, mask=0.2, coverage=0.2) for frame in range(6)]
    assert [flag.kind for flag in judge(beside)] == ["mismatch"]


def test_flags_are_given_frame_numbers_again():
    flag = QcFlag("patch", [3, 4, 5], 4, "because")
    assert flags_by_frame([flag], {1001: 3, 1003: 4, 1005: 5}) == [QcFlag("patch", [1001, 1003, 1005], 1003, "because")]
    assert flags_by_frame([flag], {1001: 3, 1003: 4})[0].frame_numbers == [1001, 1003]  # 5 lies in a gap
