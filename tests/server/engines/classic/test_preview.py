from __future__ import annotations

import cv2
import numpy as np
import pytest
from videomama_client.engine_settings import ClassicSettings
from videomama_server.engines.classic import preview
from videomama_server.engines.classic.matte import reduced
from videomama_server.engines.classic.trimap import trimap_of


@pytest.mark.parametrize(
    ("long_side", "solved", "corrected"),
    [(100, 100, 480), (480, 480, 480), (960, 480, 240), (1440, 720, 240), (1920, 960, 320), (3840, 960, 320)],
)
def test_large_plates_are_solved_and_corrected_smaller(long_side, solved, corrected):
    assert preview.side(long_side) == solved
    assert preview.working(long_side) == corrected


def test_the_plate_itself_is_solved_where_it_is_small_or_its_mask_would_be_lost(scene):
    settings = ClassicSettings()
    assert preview.small_plate(scene.plate, scene.mask, settings, 480) is None
    assert preview.small_plate(scene.plate, scene.mask, settings, 960).shape == (60, 80, 3)
    speck = np.eye(1, scene.mask.size, 61 * 160 + 61, dtype=np.float32).reshape(scene.mask.shape)
    assert preview.small_plate(scene.plate, speck, settings, 960) is None
    assert preview.small_plate(scene.plate, 1 - speck, settings, 960) is None


def test_an_alpha_that_is_lifted_is_nearer_than_one_that_is_enlarged_and_exact_where_that_is_certain(scene):
    small, alpha = reduced(scene.plate, 0.5), reduced(scene.alpha, 0.5)
    trimap = trimap_of(alpha > 0.5, 6, 15)
    found = preview.lifted(scene.plate.astype(np.float16), small, alpha, trimap)
    plain = alpha.repeat(2, axis=0).repeat(2, axis=1)
    assert np.abs(found - scene.alpha).mean() < 0.8 * np.abs(plain - scene.alpha).mean()
    inside, outside = (
        cv2.erode(part.astype(np.uint8).repeat(2, axis=0).repeat(2, axis=1), np.ones((5, 5))) > 0
        for part in (trimap.foreground, trimap.background)
    )
    assert inside.any()
    assert (found[inside] == 1).all()
    assert (found[outside] == 0).all()


@pytest.mark.parametrize(
    ("long_side", "solved", "corrected"),
    [
        (320, 320, 480),
        (480, 480, 480),
        (481, 480, 240),
        (961, 480, 240),
        (964, 482, 240),
        (1446, 723, 241),
        (1918, 959, 319),
        (1920, 960, 320),
        (4096, 960, 320),
    ],
)
def test_plates_are_solved_at_half_their_size_and_outlines_at_a_sixth_within_bounds(long_side, solved, corrected):
    assert (preview.side(long_side), preview.working(long_side)) == (solved, corrected)


def test_lifted_alphas_are_what_they_always_were(scene, unchanged):
    plate = cv2.resize(scene.plate, (320, 240), interpolation=cv2.INTER_CUBIC).astype(np.float16)
    trimap = trimap_of(scene.mask >= 0.5, 4, 6)
    unchanged(preview.lifted(plate, scene.plate, scene.alpha, trimap), [-361928], within=500)
    assert preview.VIEW == 480
