from __future__ import annotations

import numpy as np
from videomama_server.engines.classic.separability import blended, separability
from videomama_server.engines.classic.shared import SharedMatte


def matte(foreground, background):
    colours = [np.broadcast_to(np.float32(c), (20, 30, 3)).copy() for c in (foreground, background)]
    return SharedMatte(np.full((20, 30), 0.25, np.float32), *colours)


def blend(of, safe):
    return blended(of, safe, separability(of, np.ones((20, 30), bool), 0.5))


def test_where_colours_are_far_apart_the_matte_speaks():
    safe = np.ones((20, 30), np.float32)
    np.testing.assert_allclose(blend(matte((0.5, 0, 0), (0, 0.5, 0)), safe), 0.25, atol=1e-5)


def test_where_colours_are_alike_the_safe_alpha_does():
    safe = np.ones((20, 30), np.float32)
    np.testing.assert_allclose(blend(matte((0.2, 0.2, 0.2), (0.2, 0.2, 0.21)), safe), 1, atol=1e-5)


def test_one_passes_into_the_other_without_a_step():
    half = matte((0.5, 0, 0), (0, 0.5, 0))
    half.background[:, :15] = half.foreground[:, :15]
    result = blend(half, np.ones((20, 30), np.float32))
    assert result.dtype == np.float32
    assert np.abs(np.diff(result, axis=1)).max() < 0.15
    assert result[0, 0] > 0.99
    assert result[0, -1] < 0.26


def test_outside_the_band_nothing_is_told_apart():
    band = np.zeros((20, 30), bool)
    band[:, :4] = True
    clear = separability(matte((0.5, 0, 0), (0, 0.5, 0)), band, 0.5)
    assert (clear[:, 20:] == 0).all()
    assert clear[0, 0] > 0.5


def test_where_colours_tell_is_what_it_always_was(scene, unchanged):
    near = np.clip(scene.plate + np.random.default_rng(1).normal(0, 0.03, scene.plate.shape), 0, 1).astype(np.float32)
    matte = SharedMatte(scene.alpha, scene.plate, near)
    clear = separability(matte, scene.alpha > 0.1, 0.5)
    unchanged(clear, [268626])
    unchanged(blended(matte, scene.mask, clear), [2062965])
