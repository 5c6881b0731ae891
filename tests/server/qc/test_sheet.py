"""The contact sheet shows what was flagged."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from videomama_client.messages import QcFlag
from videomama_server.media.srgb import to_display, to_light
from videomama_server.qc import sheet
from videomama_server.qc.files import Loaded
from videomama_server.qc.flags import judge


def rows_of(clip, numbers):
    return [Loaded(number, clip.plate[number], clip.mask[number], clip.alpha[number]) for number in numbers]


def count(picture, like):
    """How many pixels of the column that shows the alpha are of a colour."""
    alpha = picture[:, 496:976]
    return int(np.count_nonzero(like(*(alpha[..., channel].astype(int) for channel in range(3)))))


def column(picture, number):
    """One column of cells, from 0."""
    return picture[:, 8 + 488 * number :][:, :480]


def is_red(r, g, b):
    return (r > 100) & (g < r // 3) & (b < r // 3)


def is_blue(r, g, b):
    return (b > 200) & (r < 80)


def test_worst_frames_come_first():
    flags = [QcFlag("hole", [1, 2, 3, 4, 5, 6, 7], 4, ""), QcFlag("spill", [20, 21], 21, "")]
    assert sheet.chosen(range(30), flags, 4) == [1, 4, 20, 21]
    assert sheet.chosen(range(30), flags, 1) == [4]


def test_without_flags_frames_are_spread():
    assert sheet.chosen(range(1, 12), [], 3) == [1, 6, 11]
    assert sheet.chosen([7], [], 6) == [7]


def test_spill_and_holes_are_marked(clip):
    right = sheet.contact_sheet(rows_of(clip, [1005]), [])
    assert right.dtype == np.uint8
    assert count(right, is_red) == count(right, is_blue) == 0
    clip.alpha[1005] = cv2.circle(clip.alpha[1005].copy(), (128, 150), 12, 0, -1)
    clip.alpha[1005] = cv2.circle(clip.alpha[1005], (290, 30), 12, 0.8, -1)
    wrong = sheet.contact_sheet(rows_of(clip, [1005]), judge(clip.scores()))
    assert count(wrong, is_red) > 300
    assert count(wrong, is_blue) > 300
    assert wrong.shape == right.shape


def test_the_checkerboard_shows_through_where_the_alpha_is_not(clip):
    clip.alpha[1001] = np.zeros_like(clip.alpha[1001])
    picture = sheet.contact_sheet(rows_of(clip, [1001]), [])
    last = column(picture, 2)[-100:-20, 80:460]
    assert len(np.unique(last.reshape(-1, 3), axis=0)) == 2


def test_the_comp_is_mixed_in_the_light_of_the_srgb_curve():
    size = (270, 480)
    plate, alpha = np.full((*size, 3), 0.1, np.float32), np.full(size, 0.9, np.float32)
    picture = sheet.contact_sheet([Loaded(1, plate, alpha, alpha)], [])
    seen = np.unique(column(picture, 2)[-100:-20, 80:460, 0])
    light = 0.9 * to_light(np.float32(0.1)) + 0.1 * np.float32((0.18, 0.35))
    np.testing.assert_allclose(seen, 255 * to_display(light), atol=1)


def test_holes_show_over_a_bright_plate_and_haze_over_a_dark_one(clip):
    """Over mid-grey neither does."""
    clip.plate[1001] = np.full_like(clip.plate[1001], 0.5)
    right = sheet.contact_sheet(rows_of(clip, [1001]), [])
    holed = np.where(clip.alpha[1001] > 0.9, np.float32(0.6), clip.alpha[1001])
    hazy = np.maximum(clip.alpha[1001], np.float32(0.05))
    for number, alpha in ((3, holed), (4, hazy)):
        clip.alpha[1001] = alpha
        wrong = sheet.contact_sheet(rows_of(clip, [1001]), [])
        changed = [np.abs(column(wrong, at).astype(int) - column(right, at)).mean() for at in (2, 3, 4)]
        assert int(np.argmax(changed)) + 2 == number


def test_a_small_subject_is_shown_nearer(clip):
    for cover in (clip.mask, clip.alpha):
        cover[1001] = cv2.circle(np.zeros_like(cover[1001]), (300, 20), 10, 1, -1)
    clip.plate[1001] = np.full_like(clip.plate[1001], 0.1)
    picture = sheet.contact_sheet(rows_of(clip, [1001]), [])
    bright, checked = (column(picture, at)[-278:-8] for at in (3, 2))
    assert (bright < 60).all(axis=2).sum() > 8 * (checked < 60).all(axis=2).sum()


def test_rows_are_the_pictures_that_they_always_were(clip, unchanged):
    clip.alpha[1005] = cv2.circle(clip.alpha[1005].copy(), (128, 150), 12, 0, -1)
    clip.alpha[1005] = cv2.circle(clip.alpha[1005], (290, 30), 12, 0.8, -1)
    clip.alpha[1005][0:12, 0:12] = 0.021
    clip.alpha[1005][20:30, 0:12] = 0.019
    flags = [QcFlag("hole", [1005], 1005, ""), QcFlag("spill", [1005, 1006], 1006, "")]
    picture = sheet.contact_sheet(rows_of(clip, [1005, 1007]), flags)
    unchanged(picture.astype(np.float32) / 255, [78674, 99006, 122147], within=100)


def test_trimaps_have_a_column_of_their_own_with_the_unknown_band_in_orange(clip):
    numbers = [1005, 1006]
    plain = sheet.contact_sheet(rows_of(clip, numbers), [])
    trimap = np.float32(clip.mask[1005] >= 0.5)
    trimap[100:140, 100:200] = 0.5
    rows = rows_of(clip, numbers)
    picture = sheet.contact_sheet([replace(rows[0], trimap=trimap), rows[1]], [])
    assert picture.shape[1] == plain.shape[1] + 488
    assert np.array_equal(picture[40:, : plain.shape[1]], plain[40:])
    shown = column(picture, 5)
    orange = (shown[..., 0] > 125) & (shown[..., 2] < 130) & (shown[..., 0].astype(int) > shown[..., 2] + 40)
    assert orange.sum() == pytest.approx(40 * 100 * 1.5**2, rel=0.05)


@pytest.mark.parametrize(
    ("rows", "columns", "window"),
    [
        ((0, 0), (0, 0), ((0, 100), (0, 200))),  # nothing there
        ((40, 60), (90, 110), ((36, 64), (72, 128))),  # a fifth and twice a twenty-fifth of the height
        ((0, 10), (0, 20), ((0, 18), (0, 36))),
        ((95, 100), (190, 200), ((87, 100), (174, 200))),
        ((0, 100), (0, 5), ((0, 100), (0, 200))),
        ((50, 51), (100, 101), ((46, 55), (91, 109))),
    ],
)
def test_the_window_has_the_frame_s_proportions_and_room_on_each_side(rows, columns, window):
    subject = np.zeros((100, 200), bool)
    subject[slice(*rows), slice(*columns)] = True
    found = sheet._window(subject)
    assert tuple((span.start, span.stop) for span in found) == window


def test_frames_of_all_flags_come_in_turn():
    flags = [QcFlag("hole", [1, 2, 3], 2, ""), QcFlag("spill", [20, 21, 22], 20, "")]
    assert sheet.chosen(range(30), flags, 5) == [1, 2, 3, 20, 21]
    assert sheet.ROWS == 6
    assert len(sheet.chosen(range(100), [QcFlag("hole", list(range(50)), 3, "")])) == 6
