"""Pictures of the worst frames, small whatever the frames are."""

import base64
from dataclasses import replace

import cv2
import numpy as np
import pytest
from videomama_server.evaluate.report import pictures


def test_the_difference_tells_too_much_from_too_little():
    truth = np.array([[0.5, 0.5, 0.5, 0.0, 1.0]], np.float32)
    found = pictures.difference(np.array([[0.5, 0.75, 0.25, 1.0, 0.0]], np.float32), truth)
    assert found[0, 0].tolist() == [0, 0, 0]
    assert found[0, 1, 0] > found[0, 1, 2]
    assert found[0, 2, 2] > found[0, 2, 0]
    assert found[0, 3, 0] == found[0, 4, 2] == 1.0


def test_a_strip_shows_plate_mask_truth_and_what_an_engine_made(done, draw, tmp_path):
    mask, engine = done.units[0], done.units[1]
    files = {}
    for index, number in enumerate(mask.clip.numbers):
        alpha = draw.disc(index)
        if index == 1:
            alpha[50:60, 80:94] = 1
        files[number] = draw.put(tmp_path / f"alpha.{number}.exr", alpha)
    strip = pictures.strip([mask, replace(engine, alphas=files)], mask.clip.numbers[1], 1)
    assert strip.frame == mask.clip.numbers[1]
    assert [tile.title for tile in strip.tiles] == ["plate", "mask", "truth", "alpha", "difference"]


@pytest.mark.parametrize("shape", [(4000, 12), (2000, 1000), (12, 4000), (5, 5), (1080, 1920)], ids=str)
def test_pictures_of_any_shape_stay_small(shape):
    wrong = np.zeros(shape, np.float32)
    wrong[shape[0] // 2, shape[1] // 2] = 1
    spot = pictures._spot(wrong)
    left, top, width, height = spot
    assert left <= shape[1] // 2 < left + width <= shape[1]
    assert top <= shape[0] // 2 < top + height <= shape[0]
    tile = pictures._Maker(spot, 440).tile("difference", pictures.difference(wrong, 0 * wrong), marked=True)
    for uri in (tile.whole, tile.spot):
        data = np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert max(picture.shape[0] / 2, picture.shape[1]) <= 440 * 1.15


def test_over_grey_a_plate_shows_as_much_as_its_alpha_says():
    plate = np.float32([[[1.0, 0.5, 0.0]] * 3])
    comp = pictures.over(plate, np.float32([[0.0, 0.5, 1.0]]), 0.2)
    np.testing.assert_allclose(comp[0], [[0.2, 0.2, 0.2], [0.6, 0.35, 0.1], [1.0, 0.5, 0.0]], atol=1e-6)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(pictures.Tile) == {"is_difference": False}
    assert numbers_left_out(pictures.Strip) == {"blind": False}


def test_without_a_truth_a_strip_shows_comps_over_bright_and_dark(done):
    mask, engine = (replace(unit, clip=replace(unit.clip, truth=None)) for unit in done.units[:2])
    strip = pictures.strip([mask, engine], mask.clip.numbers[0], 1)
    titles = ["plate", "mask", "alpha", "difference", "over bright", "over dark"]
    assert [tile.title for tile in strip.tiles] == titles
    assert strip.blind


@pytest.mark.parametrize(
    ("mean", "gain"), [(0.5, 1.0), (0.1201, 1.0), (0.1199, 2.5), (0.05, 6.0), (0.031, 9.7), (0.02, 15.0), (0.001, 15.0)]
)
def test_a_dark_plate_is_brightened_to_three_tenths(mean, gain):
    shown, found = pictures.brightened(np.full((2, 2, 3), mean, np.float32))
    assert found == pytest.approx(gain)
    np.testing.assert_allclose(shown, np.float32(mean) * gain, rtol=1e-5)
    assert pictures.brightened(np.float32([[[0, 0, 0.3]]]))[0].max() <= 1


def test_too_much_is_orange_too_little_blue_and_half_of_an_alpha_ends_the_scale():
    found = pictures.difference(np.float32([[0.5, 0.25, 0.0, 0.0]]), np.float32([[0.0, 0.0, 0.25, 1.0]]))
    np.testing.assert_allclose(
        found[0], [[1, 0.42, 0.12], [0.5, 0.21, 0.06], [0.08, 0.31, 0.5], [0.16, 0.62, 1]], atol=1e-6
    )


@pytest.mark.parametrize(
    ("shape", "spot"),
    [
        ((1080, 1920), (110, 62)),
        ((1920, 1080), (110, 196)),
        ((4000, 100), (100, 200)),
        ((100, 4000), (110, 28)),
        ((20, 30), (30, 20)),
    ],
)
def test_a_spot_has_about_the_picture_s_shape(shape, spot):
    assert pictures._spot(np.zeros(shape, np.float32))[2:] == spot


@pytest.mark.parametrize(
    ("spot", "enlarged", "shape", "size"),
    [
        ((0, 0, 110, 62), 4, (1080, 1920), (248, 440)),
        ((0, 0, 30, 200), 4, (4000, 100), (880, 22)),
        ((0, 0, 500, 9), 1, (20, 30), (20, 30)),
    ],
)
def test_pictures_are_at_most_440_wide_and_twice_as_high(spot, enlarged, shape, size):
    maker = pictures._Maker(spot, 440)
    assert (maker.enlarged, maker.size(shape)) == (enlarged, size)


def test_where_there_are_many_strips_pictures_are_smaller(done):
    units = done.units[:2]
    number = units[0].clip.numbers[0]
    made = []
    for strips in (pictures.MANY, pictures.MANY + 1):
        one = pictures.strip(units, number, strips)
        made.append((one.width, one.height))
    width = read_width(units[0], number)
    assert [size[0] for size in made] == [min(width, 440), min(width, 320)]
    assert pictures.MOST == 72


def read_width(unit, number):
    return pictures.read(unit.clip, unit.alphas, number).alpha.shape[1]


def decoded(uri):
    return cv2.imdecode(np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def test_a_frame_marks_the_spot_that_is_enlarged_beside_it():
    picture = np.zeros((400, 880, 3), np.float32)
    picture[100:150, 200:310] = 1
    tile = pictures._Maker((200, 100, 110, 50), 440).tile("plate", picture, marked=True)
    whole, spot = decoded(tile.whole), decoded(tile.spot)
    assert spot.shape == (200, 440, 3)
    assert spot.min() > 240
    yellow = (whole[..., 0] > 150) & (whole[..., 2] < 120)
    rows, columns = np.nonzero(yellow)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == pytest.approx((50, 75, 100, 155), abs=3)
    plain = pictures._Maker((200, 100, 110, 50), 440).tile("plate", picture)
    assert decoded(plain.whole)[50, 100:155].min() > 100


def test_the_frame_is_drawn_yellow_on_black_round_the_spot(unchanged):
    picture = np.full((200, 300, 3), 0.5, np.float32)
    tile = pictures._Maker((50, 40, 110, 62), 440).tile("plate", picture, marked=True)
    whole = decoded(tile.whole)
    unchanged(whole.astype(np.float32) / 255, [-149468, -111629, -44423], within=20000)
