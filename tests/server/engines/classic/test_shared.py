from __future__ import annotations

import cv2
import numpy as np
from videomama_server.engines.classic.shared import _Mix, _shared, shared_matte
from videomama_server.engines.classic.trimap import trimap_of
from videomama_server.media.srgb import to_light


def solved(scene, scale=0.5):
    trimap = trimap_of(scene.mask > 0.5, 5, 20)
    return trimap, shared_matte(to_light(scene.plate), trimap, scene.mask, scale)


def test_alpha_of_a_soft_edge_is_found(scene):
    trimap, matte = solved(scene)
    band = trimap.unknown
    error, rough = (np.abs(a - scene.alpha)[band].mean() for a in (matte.alpha, scene.mask))
    assert error < 0.05
    assert error < 0.5 * rough


def test_the_two_colours_explain_the_plate(scene):
    trimap, matte = solved(scene)
    alpha = matte.alpha[..., None]
    mixed = matte.foreground * alpha + matte.background * (1 - alpha)
    assert np.abs(mixed - to_light(scene.plate))[trimap.unknown].mean() < 0.02


def test_what_is_certain_is_kept(scene):
    trimap, matte = solved(scene)
    assert (matte.alpha[trimap.foreground] == 1).all()
    assert (matte.alpha[trimap.background] == 0).all()
    assert matte.alpha.dtype == np.float32
    assert matte.alpha.min() >= 0
    assert matte.alpha.max() <= 1


def test_the_prior_settles_what_colour_leaves_open():
    """Stripes run through subject and background alike: every pixel is as well explained by either."""
    stripes = (np.arange(80) // 4 % 2).astype(np.float32) * 0.5 + 0.2
    plate = np.repeat(stripes[:, None, None], 3, axis=2).repeat(100, axis=1)
    subject = np.arange(100)[None].repeat(80, axis=0) < 50
    trimap = trimap_of(subject, 10, 10)
    inside, outside = (np.zeros((80, 100), bool) for _ in range(2))
    inside[10:-10, 42:46], outside[10:-10, 54:58] = True, True
    alpha = shared_matte(plate, trimap, subject.astype(np.float32), 1.0).alpha
    assert alpha[outside].mean() < 0.2
    assert alpha[inside].mean() > alpha[outside].mean() + 0.3


def test_mattes_are_what_they_always_were(scene, unchanged):
    light = to_light(scene.plate)
    trimap = trimap_of(scene.mask >= 0.5, 8, 14)
    prior = cv2.GaussianBlur(scene.mask, (0, 0), 4)
    found = shared_matte(light, trimap, prior, 0.25)
    unchanged(
        np.dstack([found.alpha, found.foreground, found.background]),
        [1678982, -670388, -325915, -219381, -1472936, -396617, -396760],
        within=20_000,
    )


def test_a_mix_is_explained_by_its_share_of_both():
    mix = _Mix(np.float32([[1.0, 0.5], [0.0, 0.5], [0.0, 0.5]]), np.float32([[0.0, 0.5], [1.0, 0.5], [0.0, 0.5]]))
    alpha, rest = mix.explain(np.float32([[0.25, 0.9], [0.75, 0.5], [0.1, 0.5]]))
    np.testing.assert_allclose(alpha, [0.25, 0], atol=1e-4)
    np.testing.assert_allclose(rest, [0.01, 0.16], atol=1e-4)
    np.testing.assert_allclose(mix.contrast(), [2**0.5, 0])
    alpha, rest = mix.explain(np.float32([[2.0, 0.5], [-1.0, 0.5], [0.0, 0.5]]))
    np.testing.assert_allclose(alpha, [1, 0])
    np.testing.assert_allclose(rest, [2, 0], atol=1e-4)


def test_an_explanation_is_shared_with_pixels_two_and_five_away_along_either_axis():
    """The pixel in the middle is explained, all others are not, and adopt what explains them where they see it."""
    band = np.ones((13, 13), bool)
    fronts, backs = np.full((3, 169), 9, np.float32), np.full((3, 169), 9, np.float32)
    fronts[:, 6 * 13 + 6], backs[:, 6 * 13 + 6] = 1, 0
    shared = _shared(np.full((3, 169), 0.5, np.float32), _Mix(fronts, backs), band)
    down, across = np.nonzero(shared.foreground[0].reshape(13, 13) < 2)
    steps = (-5, -2, 0, 2, 5)
    assert set(zip(down - 6, across - 6, strict=True)) == {(y, x) for y in steps for x in steps}
    np.testing.assert_allclose(shared.background[:, 6 * 13 + 1], 0, atol=1e-4)
