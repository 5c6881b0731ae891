import cv2
import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.metrics import change, flicker
from videomama_server.metrics.flicker import _halves, _inside, _returns, change_along, motion_view

SHAPE = (96, 128)


def texture(seed=0):
    """Something whose motion can be followed, (H, W, 3), wider than the picture."""
    grain = np.random.default_rng(seed).random((SHAPE[0] + 32, SHAPE[1] + 32), dtype=np.float32)
    smooth = cv2.GaussianBlur(grain, (0, 0), 2.5)
    return np.repeat(cv2.normalize(smooth, None, 0, 1, cv2.NORM_MINMAX)[..., None], 3, axis=2)


def view(wide, across):
    """What is seen of something that has moved to the right by `across` pixels."""
    return np.ascontiguousarray(wide[16:-16, 16 - across : 16 - across + SHAPE[1]])


@pytest.fixture
def wide(blob):
    return blob(1, (SHAPE[0] + 32, SHAPE[1] + 32))


def test_an_alpha_that_moves_with_the_plate_does_not_flicker(wide):
    plate = texture()
    alphas, plates = [view(wide, move) for move in (0, 5)], [view(plate, move) for move in (0, 5)]
    found = flicker(alphas[1], alphas[0], plates[1], plates[0])
    assert found < 0.2 * change(alphas[1], alphas[0])


def test_one_that_pulses_does(wide):
    plate = texture()
    alphas, plates = [view(wide, move) for move in (0, 5)], [view(plate, move) for move in (0, 5)]
    steady = flicker(alphas[1], alphas[0], plates[1], plates[0])
    pulsing = flicker(alphas[1] * np.float32(0.8), alphas[0], plates[1], plates[0])
    assert pulsing > 3 * steady


def test_one_that_moves_where_the_plate_stands_still_does(wide):
    plate = view(texture(), 0)
    found = flicker(view(wide, 5), view(wide, 0), plate, plate)
    assert found == pytest.approx(change(view(wide, 5), view(wide, 0)), rel=0.01)


def test_a_still_clip_is_steady(wide):
    plate, alpha = view(texture(), 0), view(wide, 0)
    assert flicker(alpha, alpha, plate, plate) == pytest.approx(0, abs=1e-3)


def test_what_comes_from_outside_the_picture_does_not_count():
    plate = texture()
    alpha = np.zeros(SHAPE, np.float32)
    alpha[:, :4] = 1  # has just come in from the left
    found = flicker(alpha, np.zeros_like(alpha), view(plate, 6), view(plate, 0))
    assert found < 0.5 * change(alpha, np.zeros_like(alpha))


def test_in_the_same_picture_the_search_finds_no_motion_and_is_left_out(monkeypatch):
    still = motion_view(view(texture(), 0))
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    assert not search.calc(still, still, np.zeros((*still.shape, 2), np.float32)).any()
    monkeypatch.delattr(cv2, "DISOpticalFlow")
    alpha = np.full(SHAPE, 0.5, np.float32)
    found = change_along(alpha, alpha * np.float32(0.5), still, still.copy())
    assert found.trusted.all()
    assert (found.alpha == 0.25).all()
    assert not found.grey.any()


def test_tiny_pictures_are_measured():
    plate = texture()[:9, :7]
    alpha = np.full((9, 7), 0.5, np.float32)
    assert flicker(alpha, alpha * np.float32(0.5), plate, plate) == pytest.approx(250, rel=1e-3)


@pytest.mark.parametrize("shape", [(96, 128), (96, 127, 3), (96, 128, 4)])
def test_a_plate_of_another_size_is_bad_input(shape):
    alpha = np.zeros(SHAPE, np.float32)
    with pytest.raises(BadInput, match="does not go with"):
        flicker(alpha, alpha, np.zeros(shape, np.float32), np.zeros((*SHAPE, 3), np.float32))


def test_only_what_stays_alike_in_the_plate_counts(wide):
    plate, alpha = view(texture(), 0), view(wide, 0)
    lit, changed = plate.copy(), alpha.copy()
    lit[:, :64] = np.minimum(lit[:, :64] + np.float32(0.3), 1)
    changed[:, :64] *= np.float32(0.5)
    assert flicker(changed, alpha, lit, plate, alike=0.05) < 0.2 * flicker(changed, alpha, lit, plate)
    assert flicker(changed, alpha, plate, plate, alike=0.05) == flicker(changed, alpha, plate, plate)


def test_the_view_that_motion_is_followed_in_is_grey_and_whole():
    plate = np.float32([[[0, 0, 0], [1, 1, 1], [1, 0, 0], [0.5, 0.5, 0.5], [2, 2, 2], [-1, 0, 0]]])
    assert motion_view(plate).tolist() == [[0, 255, 85, 128, 255, 0]]
    assert motion_view(plate).dtype == np.uint8


def test_a_place_is_inside_up_to_the_middle_of_the_outermost_pixels():
    sides = [-0.1, 0, 2, 4, 4.1]  # of a picture of 5 x 5
    found = _inside(np.meshgrid(sides, sides))
    assert found.tolist() == [[False] * 5, *[[False, True, True, True, False]] * 3, [False] * 5]


def test_there_and_back_may_lie_apart_by_a_hundredth_of_the_motion_and_half_a_square_pixel():
    there = np.zeros((1, 4, 2), np.float32)
    back = there.copy()
    back[0, :, 0] = [0.70, 0.72, 0, 0]  # squared 0.49 and 0.52
    there[0, 2:, 1], back[0, 2:, 1] = 20, [-22.9, -23.3]  # 8.4 and 10.9 of 9.7 and 9.9 that are allowed
    assert _returns(_halves(there), _halves(back)).tolist() == [[True, False, True, False]]


def test_changes_are_what_they_always_were(wide, unchanged):
    plates, alphas = [view(texture(), move) for move in (0, 5)], [view(wide, move) for move in (0, 5)]
    found = change_along(alphas[1], alphas[0], motion_view(plates[1]), motion_view(plates[0]))
    unchanged(np.dstack([found.alpha, found.grey, found.trusted]), [-26833, -1071, 1299867], within=500)


def test_no_pixel_that_counts_gives_no_figure():
    plate, alpha = view(texture(), 0), np.zeros(SHAPE, np.float32)
    assert flicker(alpha, alpha, plate, np.clip(plate + 0.2, 0, 1), alike=-1.0) is None


def test_a_bound_on_the_plate_s_change_counts_what_lies_on_it(wide):
    plate = texture()
    alphas, still = [view(wide, move) for move in (0, 5)], view(plate, 0)
    assert flicker(*alphas, still, still, alike=0.0) == pytest.approx(flicker(*alphas, still, still))
