from __future__ import annotations

import cv2
import numpy as np
import pytest
from videomama_client.engine_settings import TrimapSettings
from videomama_server.engines.edges.refining import busy_tiles, refined
from videomama_server.engines.edges.tiles import laid
from videomama_server.engines.edges.trimap import UNKNOWN, Widths, trimap_of


@pytest.fixture(scope="module")
def picture():
    """A soft disc before a textured wall, 1024x768: alpha, plate, trimap."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:768, :1024].astype(np.float32)
    alpha = np.clip((260 - np.hypot(x - 500, y - 380)) / np.float32(6) + 0.5, 0, 1)
    coarse = rng.random((48, 64, 3)).astype(np.float32)
    plate = np.clip(cv2.resize(coarse, (1024, 768)) + rng.normal(0, 0.02, (768, 1024, 3)), 0, 1).astype(np.float32)
    return alpha, plate, trimap_of(alpha, plate, Widths.of(TrimapSettings(), 1.0))


def neighbourhood(reach):
    """Return a network that mixes what lies within `reach` pixels, of plate and trimap."""

    def estimate(plate, trimap):
        seen = plate.mean(axis=2) * 0.7 + trimap.astype(np.float32) / 255 * 0.3
        side = 2 * reach + 1
        return np.clip(cv2.GaussianBlur(cv2.blur(seen, (side, side)), (0, 0), 1.0), 0, 1)

    return estimate


def test_tiles_give_what_the_whole_frame_gives_inside_the_band_where_the_networks_reach_allows_it(picture):
    alpha, plate, trimap = picture
    estimate = neighbourhood(24)
    whole = refined(alpha, plate, trimap, estimate, 1024, 1.0)
    for side in (384, 512):
        tiles = refined(alpha, plate, trimap, estimate, side, 1.0)
        assert len(list(laid(alpha.shape, side))) > 1
        assert np.abs(tiles - whole).max() < 1e-5


def test_a_network_that_answers_otherwise_in_each_tile_leaves_no_joint(picture):
    """Each tile answers with a constant of its own: without the cross-fade it would end in a step."""
    alpha, plate, trimap = picture
    answers = iter(np.linspace(0.2, 0.8, 50))
    found = refined(alpha, plate, trimap, lambda p, t: np.full(t.shape, next(answers), np.float32), 384, 1.0)
    unknown = cv2.erode((trimap == UNKNOWN).astype(np.uint8), np.ones((11, 11))).astype(bool)
    steps = np.abs(np.diff(found, axis=1))[unknown[:, 1:] & unknown[:, :-1]]
    assert 0 < steps.max() < 0.03


def test_outside_the_band_the_alpha_before_stays_bit_for_bit(picture):
    alpha, plate, trimap = picture
    found = refined(alpha, plate, trimap, lambda p, t: np.full(t.shape, 0.5, np.float32), 384, 1.0)
    known = trimap != UNKNOWN
    assert found[known].tobytes() == alpha[known].tobytes()
    assert (found[~known] != alpha[~known]).mean() > 0.9
    assert found.dtype == np.float32


def test_the_joint_to_the_alpha_before_has_no_step(picture):
    alpha, plate, trimap = picture
    found = refined(alpha, plate, trimap, lambda p, t: np.ones(t.shape, np.float32), 1024, 2.0)
    known = trimap != UNKNOWN
    rim = cv2.dilate(known.astype(np.uint8), np.ones((3, 3))).astype(bool) & ~known
    assert np.abs(found - alpha)[rim].max() < 0.1
    assert np.abs(found - alpha)[~known].max() > 0.9


def test_tiles_without_unknown_pixels_are_skipped(picture):
    alpha, plate, trimap = picture
    corner = np.zeros_like(alpha)
    corner[:100, :100] = 1
    trimap = trimap_of(corner, plate, Widths.of(TrimapSettings(), 1.0))
    seen = []
    refined(corner, plate, trimap, lambda p, t: seen.append(t.shape) or np.zeros(t.shape, np.float32), 384, 1.0)
    assert len(seen) == len(busy_tiles(trimap == UNKNOWN, 384)) == 1
    assert busy_tiles(np.zeros(alpha.shape, bool), 384) == []


def test_the_plate_may_be_in_half_precision(picture):
    alpha, plate, trimap = picture
    seen = []
    refined(alpha, plate.astype(np.float16), trimap, lambda p, t: seen.append(p.dtype) or alpha * 0, 1024, 1.0)
    assert seen == [np.float32]


def test_a_frame_without_a_band_is_not_looked_at():
    alpha = np.ones((40, 50), np.float32)
    found = refined(alpha, np.zeros((40, 50, 3), np.float32), np.full((40, 50), 255, np.uint8), None, 384, 1.0)
    assert found.tobytes() == alpha.tobytes()
