from __future__ import annotations

import numpy as np
import pytest
from videomama_client.engine_settings import TrimapSettings
from videomama_server.engines.edges.trimap import BACKGROUND, FOREGROUND, UNKNOWN, Widths, has_edge, trimap_of

GREY = 0.4


def ramp(width=200, height=60, at=100.0, soft=1.0):
    """Return an alpha with an upright edge `soft` pixels wide: subject is on the left."""
    x = np.arange(width, dtype=np.float32) + 0.5
    row = np.clip((at - x) / np.float32(soft) + 0.5, 0, 1).astype(np.float32)
    return np.tile(row, (height, 1))


def flat(alpha):
    return np.full((*alpha.shape, 3), GREY, np.float32)


def made(alpha, plate=None, scale=1.0, side=1024, **options):
    widths = Widths.of(TrimapSettings(**options), scale)
    return trimap_of(alpha, flat(alpha) if plate is None else plate, widths, side)


def row(trimap):
    unknown = np.flatnonzero(trimap[30] == UNKNOWN)
    return (int(unknown[0]), int(unknown[-1])) if unknown.size else None


def test_by_distance_the_band_reaches_as_far_as_said_on_both_sides():
    alpha = ramp()
    trimap = made(alpha, trimap_mode="distance", trimap_inside=5.0, trimap_outside=9.0, trimap_widen=0.0)
    assert row(trimap) == (95, 108)
    assert (trimap[:, :95] == FOREGROUND).all()
    assert (trimap[:, 109:] == BACKGROUND).all()
    assert trimap.dtype == np.uint8


def test_distances_grow_with_the_plate():
    alpha = ramp()
    trimap = made(alpha, scale=2.0, trimap_mode="distance", trimap_inside=5.0, trimap_outside=9.0, trimap_widen=0.0)
    assert row(trimap) == (90, 117)


def test_on_a_small_plate_the_band_is_a_pixel_wide_at_least_where_it_has_a_width():
    hard = (ramp() > 0.5).astype(np.float32)
    assert row(made(hard, scale=0.05, trimap_widen=0.0)) == (99, 100)
    assert row(made(hard, scale=0.05, trimap_widen=0.0, trimap_inside=0.0)) == (100, 100)
    assert row(made(hard, scale=0.05, trimap_widen=0.0, trimap_inside=0.0, trimap_outside=0.0)) is None


def test_by_probability_the_band_is_what_lies_between_the_thresholds():
    alpha = ramp(soft=40.0)
    options = {"trimap_mode": "probability", "trimap_widen": 0.0}
    for preset, low, high in [("balanced", 0.1, 0.9), ("wide", 0.06, 0.94), ("wider", 0.03, 0.97)]:
        trimap = made(alpha, trimap_preset=preset, **options)
        assert np.array_equal(trimap == UNKNOWN, (alpha > np.float32(low)) & (alpha < np.float32(high)))
    exact = made(alpha, trimap_foreground=0.6, trimap_background=0.4, **options)
    assert np.array_equal(exact == UNKNOWN, (alpha > np.float32(0.4)) & (alpha < np.float32(0.6)))


def test_both_is_either_of_them():
    alpha, options = ramp(soft=60.0), {"trimap_widen": 0.0, "trimap_outside": 40.0}
    both, *parts = (made(alpha, trimap_mode=mode, **options) for mode in ("both", "distance", "probability"))
    assert np.array_equal(both == UNKNOWN, (parts[0] == UNKNOWN) | (parts[1] == UNKNOWN))
    assert row(parts[0]) != row(both) != row(parts[1])


def test_the_band_widens_where_the_alpha_is_soft():
    alpha = np.concatenate([ramp(), ramp(soft=30.0)])
    trimap = made(alpha, trimap_widen=20.0)
    still = made(alpha, trimap_widen=0.0)
    assert np.array_equal(trimap[20], still[20])
    assert (trimap[90] == UNKNOWN).sum() >= (still[90] == UNKNOWN).sum() + 16


def test_the_band_widens_where_the_plate_is_busy_along_the_edge_and_not_at_a_single_clean_edge():
    alpha = ramp(height=300)
    plate = np.repeat(0.2 + 0.6 * (alpha[..., None] > 0.5), 3, axis=2).astype(np.float32)
    stripes = (np.arange(200) // 3 % 2).astype(np.float32)
    plate[200:] = 0.2 + 0.6 * stripes[None, :, None]
    trimap, still = (made(alpha, plate, trimap_widen=widen) for widen in (20.0, 0.0))
    assert np.array_equal(trimap[50], still[50])
    assert (trimap[260] == UNKNOWN).sum() >= (still[260] == UNKNOWN).sum() + 30


@pytest.mark.parametrize("mode", ["both", "distance", "probability"])
def test_blocks_give_the_trimap_of_the_whole(mode):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:260, :340].astype(np.float32)
    alpha = np.clip((70 - np.hypot(x - 170, y - 120)) / np.float32(20) + 0.5, 0, 1)
    plate = rng.random((260, 340, 3)).astype(np.float32)
    whole, parts = (made(alpha, plate, side=side, trimap_mode=mode) for side in (1024, 64))
    assert np.array_equal(whole, parts)


def test_an_alpha_without_an_edge_has_no_band():
    for value, expected in [(0.0, BACKGROUND), (1.0, FOREGROUND)]:
        alpha = np.full((40, 50), value, np.float32)
        assert (made(alpha) == expected).all()
        assert not has_edge(alpha, Widths.of(TrimapSettings(), 1.0))
    assert has_edge(ramp(), Widths.of(TrimapSettings(), 1.0))
    assert has_edge(np.full((40, 50), 0.3, np.float32), Widths.of(TrimapSettings(), 1.0))


def test_a_faint_subject_is_unknown_by_probability_and_invisible_by_distance():
    alpha = np.full((40, 50), 0.3, np.float32)
    assert (made(alpha, trimap_mode="probability") == UNKNOWN).all()
    assert (made(alpha, trimap_mode="distance", trimap_widen=0.0) == BACKGROUND).all()
