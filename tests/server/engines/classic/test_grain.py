from __future__ import annotations

import cv2
import numpy as np
import pytest
from videomama_server.engines.classic.grain import GrainyPlate, grain_of, without_grain


def textured(seed=0, size=(200, 240)):
    """Return a plate full of grey texture over colours that change slowly."""
    rng = np.random.default_rng(seed)
    texture = cv2.GaussianBlur(rng.random(size).astype(np.float32), (0, 0), 1.2) - 0.5
    colour = cv2.resize(rng.random((4, 4, 3)).astype(np.float32), size[::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(0.25 + 0.5 * colour + texture[..., None], 0, 1)


def grainy(plate, grain, seed=1):
    noise = np.random.default_rng(seed).normal(0, grain, plate.shape)
    return (plate + noise).astype(np.float32)


@pytest.mark.parametrize("grain", [0.01, 0.02, 0.05])
def test_grain_is_measured_through_texture(grain):
    assert grain_of(grainy(textured(), grain)) == pytest.approx(grain, rel=0.15)


def test_texture_is_not_taken_for_grain():
    plate = textured()
    assert without_grain(plate, 1.0) is plate
    assert without_grain(grainy(plate, 0.004), 1.0).std() == pytest.approx(plate.std(), rel=0.01)


def test_heavy_grain_is_smoothed_and_edges_stay_where_they_are():
    plate = np.full((80, 120, 3), 0.2, np.float32)
    plate[:, 60:] = 0.7
    smooth = without_grain(grainy(plate, 0.03), 2.0)
    assert smooth[:, :50].std() < 0.01
    assert np.argmax(np.diff(smooth.mean(axis=(0, 2)))) == 59


def test_more_grain_is_smoothed_more():
    plate = textured()
    sharpness = [
        without_grain(grainy(plate, grain) - grainy(plate, 0) + plate, 2.0).std() for grain in (0, 0.012, 0.02)
    ]
    assert sharpness[0] > sharpness[1] > sharpness[2]


def test_a_grey_plate_is_left_alone():
    plate = np.repeat(grainy(textured(), 0.05)[..., :1], 3, axis=2)
    assert without_grain(plate, 1.0) is plate


def test_colourful_texture_beside_a_flat_wall_is_not_taken_for_grain():
    plate = np.full((200, 240, 3), 0.4, np.float32)
    plate[:, 80:] += np.random.default_rng(2).normal(0, 0.06, (200, 160, 3)).astype(np.float32)
    assert grain_of(plate) < 0.001
    assert without_grain(plate, 1.0) is plate


def test_grain_and_its_smoothing_are_what_they_always_were(scene_maker, unchanged):
    for grain, most, known in (
        (0.02, 1.0, [-1319392, -523209, -557026]),
        (0.01, 5.0, [-1314610, -541675, -532881]),
        (0.0095, 5.0, [-1310527, -543184, -529943]),
    ):
        unchanged(without_grain(scene_maker(grain=grain).plate, most), known)
    unchanged([grain_of(scene_maker(grain=grain).plate) for grain in (0.0, 0.01, 0.05)], [-4336460])
    unchanged(GrainyPlate(scene_maker(grain=0.03).plate).smooth, [-1306572, -529726, -560807])


def test_a_blur_too_small_to_matter_is_left_out(monkeypatch, scene):
    for grain, same in ((0.006 + 0.299 / 110, True), (0.006 + 0.301 / 110, False)):
        monkeypatch.setattr("videomama_server.engines.classic.grain.grain_of", lambda _, grain=grain: grain)
        assert (without_grain(scene.plate, 5.0) is scene.plate) is same
