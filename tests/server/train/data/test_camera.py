from dataclasses import replace

import numpy as np
import pytest
from videomama_server.train.data.camera import Camera, out_of_focus

PLAIN = Camera(shutter=0.0, defocus=0.0, behind=0.0, grain=0.0, quality=0)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_cameras_differ_and_each_fault_is_in_some_only():
    cameras = [Camera.draw(np.random.default_rng(seed), 100) for seed in range(60)]
    for fault in ("shutter", "defocus", "behind", "grain", "quality"):
        share = np.mean([getattr(camera, fault) > 0 for camera in cameras])
        assert 0.05 < share < 0.85, fault


def test_an_open_shutter_sees_instants_round_its_frame():
    instants = replace(PLAIN, shutter=0.5).instants(7)
    assert np.mean(instants) == pytest.approx(7)
    assert (min(instants), max(instants)) == (6.75, 7.25)
    assert PLAIN.instants(7) == [7]


def test_a_plain_camera_records_what_is_there(rng):
    picture = rng.random((16, 16, 3), dtype=np.float32)
    assert np.array_equal(PLAIN.recorded(picture, rng), picture)


def test_grain_has_the_deviation_that_it_is_named_by(rng):
    grey = np.full((128, 128, 3), 0.5, np.float32)
    recorded = replace(PLAIN, grain=0.02).recorded(grey, rng)
    assert recorded.std() == pytest.approx(0.02, rel=0.1)
    assert recorded.mean() == pytest.approx(0.5, abs=0.002)


def test_compression_changes_a_little_and_keeps_the_colours(rng):
    smooth = np.dstack([np.tile(np.linspace(0, 1, 64, dtype=np.float32), (64, 1)) * share for share in (1, 0.5, 0.1)])
    recorded = replace(PLAIN, quality=80).recorded(smooth, rng)
    assert 0 < np.abs(recorded - smooth).max() < 0.06
    assert np.allclose(recorded.mean(axis=(0, 1)), smooth.mean(axis=(0, 1)), atol=0.01)


def test_defocus_spreads_a_point_over_a_disc_of_its_radius():
    point = np.zeros((33, 33, 4), np.float32)
    point[16, 16] = 1
    spread = out_of_focus(point, 5.0)
    reached = spread[..., 3] > 0
    assert spread.sum() == pytest.approx(4, rel=1e-5)
    assert reached.any(axis=0).sum() == 11
    assert reached.sum() == pytest.approx(np.pi * 5.5**2, rel=0.05)
    assert out_of_focus(point, 0.2) is point
