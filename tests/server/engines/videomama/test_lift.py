import cv2
import numpy as np
import pytest
from videomama_server.engines.guided_filter import lift_lines
from videomama_server.engines.videomama import lift
from videomama_server.engines.videomama.lift import Guide


def by_area(pixels, size):
    return cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA)


def in_one_piece(alpha, guide):
    """What `guided` says, without squares: maps of the whole picture, and a band of floats."""
    height, width = guide.plate.shape[:2]
    whole = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_LINEAR)
    lines = lift_lines(guide.small.astype(np.float32), alpha).resized(height, width)
    followed = lines.of(guide.plate.astype(np.float32))
    reach = max(1, round(0.004 * max(height, width)))
    size = (2 * reach + 1, 2 * reach + 1)
    band = cv2.dilate(((whole > 0.01) & (whole < 0.99)).astype(np.float32), np.ones(size, np.uint8))
    return np.clip(whole + cv2.blur(band, size, borderType=cv2.BORDER_REPLICATE) * (followed - whole), 0, 1)


def scene(height, width, scale, seed=0):
    """An alpha of strands and a disc, and the plate that it mixes; both also reduced."""
    rng = np.random.default_rng(seed)
    drawn = np.zeros((4 * height, 4 * width), np.uint8)
    for _ in range(30):
        start = rng.uniform((0, 0), (4 * width, 4 * height))
        points = rng.normal(0, 40, (8, 2)).cumsum(axis=0) + start
        cv2.polylines(drawn, [points.astype(np.int32)], False, 255, int(rng.integers(3, 9)), cv2.LINE_AA)
    cv2.circle(drawn, (2 * width, 2 * height), height, 255, -1)
    alpha = by_area(drawn.astype(np.float32) / 255, (height, width))
    front, back = (cv2.GaussianBlur(rng.random((height, width, 3), np.float32), (0, 0), 8) for _ in range(2))
    plate = alpha[..., None] * (0.5 + front / 2) + (1 - alpha[..., None]) * back / 2
    size = round(height * scale), round(width * scale)
    return alpha, by_area(alpha, size), Guide.of(plate.astype(np.float32), by_area(plate.astype(np.float32), size))


@pytest.mark.parametrize("size", [(200, 300), (64, 64), (63, 130), (129, 65), (7, 400)])
@pytest.mark.parametrize("scale", [0.97, 0.5, 0.21])
def test_squares_give_what_the_whole_picture_gives(size, scale):
    _, small, guide = scene(*size, scale)
    np.testing.assert_allclose(lift.guided(small, guide), in_one_piece(small, guide), atol=1e-3)


@pytest.mark.parametrize("scale", [0.97, 0.5, 0.3])
def test_strands_come_back_that_the_canvas_blurred(scale):
    alpha, small, guide = scene(200, 300, scale)
    off = np.abs(lift.guided(small, guide) - alpha).mean()
    assert off < 0.3 * np.abs(lift.plain(small, alpha.shape) - alpha).mean()


def test_what_is_not_in_transition_is_left_alone():
    alpha = np.zeros((64, 128), np.float32)
    alpha[:, 64:] = 1.0
    plate = np.random.default_rng(0).random((256, 512, 3)).astype(np.float32)
    lifted = lift.guided(alpha, Guide.of(plate, by_area(plate, (64, 128))))
    assert lifted[:, :200].max() == 0
    assert lifted[:, 312:].min() == 1
    assert 0 < lifted[:, 250:262].mean() < 1


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_alpha_without_transition_costs_no_square(value, monkeypatch):
    monkeypatch.setattr(lift, "lift_lines", None)
    plate = np.zeros((100, 100, 3), np.float32)
    lifted = lift.guided(np.full((50, 50), value, np.float32), Guide.of(plate, by_area(plate, (50, 50))))
    np.testing.assert_array_equal(lifted, np.full((100, 100), value))


def test_a_plain_alpha_is_of_the_size_asked_for_and_0_to_1():
    alpha = np.array([[-0.5, 0.25], [0.75, 1.5]], np.float32)
    np.testing.assert_array_equal(lift.plain(alpha, (2, 2)), [[0, 0.25], [0.75, 1]])
    assert lift.plain(alpha, (1, 1)) == np.float32(0.5)
    assert lift.plain(alpha, (5, 7)).shape == (5, 7)


def test_a_guide_keeps_half_floats():
    plate = np.random.default_rng(0).random((8, 8, 3)).astype(np.float32)
    guide = Guide.of(plate, plate[::2, ::2])
    assert guide.plate.dtype == guide.small.dtype == np.float16
    np.testing.assert_array_equal(guide.plate, plate.astype(np.float16))


def test_lifted_alphas_are_what_they_always_were(unchanged):
    for size, scale, known in (((90, 200), 0.5, [2196006]), ((150, 70), 0.3, [-293918])):
        _, small, guide = scene(*size, scale)
        unchanged(lift.guided(small, guide), known, within=500)


def test_the_band_is_where_alpha_is_neither_0_nor_1_within_a_hundredth():
    alpha = np.zeros((1, 9), np.float32)
    alpha[0, 2], alpha[0, 4], alpha[0, 6] = 0.0099, 0.0101, 0.9901
    alpha[0, 7:] = 1
    assert lift._band(alpha, 1).tolist() == [[0, 0, 0, 1, 1, 1, 0, 0, 0]]


@pytest.mark.parametrize(("side", "reach"), [(100, 1), (374, 1), (376, 2), (1000, 4)])
def test_edges_may_move_by_a_part_of_the_long_side(side, reach, monkeypatch):
    seen = []
    monkeypatch.setattr(lift, "_band", lambda alpha, reach: (seen.append(reach), np.zeros(alpha.shape, np.uint8))[1])
    plate = np.zeros((4, side, 3), np.float32)
    lift.guided(np.zeros((4, side), np.float32), Guide.of(plate, plate))
    assert seen == [reach]


def test_squares_hold_what_is_near_the_band_and_are_joined_along_rows():
    band = np.zeros((200, 300), np.uint8)
    band[10, 60:130] = band[150, 299] = band[62, 5] = 1
    found = [(rows.start, rows.stop, columns.start, columns.stop) for rows, columns in lift._squares(band, 2)]
    assert found == [(0, 64, 0, 192), (64, 128, 0, 64), (128, 192, 256, 300)]
