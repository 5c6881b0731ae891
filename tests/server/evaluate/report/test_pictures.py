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
