from __future__ import annotations

import cv2
import numpy as np
import pytest
from videomama_server.engines.classic import closed_form as module
from videomama_server.engines.classic.closed_form import closed_form
from videomama_server.engines.classic.trimap import Trimap, trimap_of


def test_alpha_that_is_affine_in_colour_is_found():
    """Two colours and a ramp between them: the case that the method is exact for."""
    truth = np.clip((np.arange(80, dtype=np.float32) - 30) / 20, 0, 1)[None].repeat(40, axis=0)
    plate = truth[..., None] * np.float32([0.8, 0.3, 0.2]) + (1 - truth[..., None]) * np.float32([0.1, 0.4, 0.6])
    trimap = Trimap(truth == 1, truth == 0)
    alpha = closed_form(plate.astype(np.float32), trimap, np.full_like(truth, 0.5), 0.01)
    assert np.abs(alpha - truth).mean() < 0.05


def test_a_soft_edge_is_better_than_the_mask(scene):
    trimap = trimap_of(scene.mask > 0.5, 5, 20)
    alpha = closed_form(scene.plate, trimap, scene.mask, 0.01)
    assert np.abs(alpha - scene.alpha).mean() < 0.8 * np.abs(scene.mask - scene.alpha).mean()
    assert np.array_equal(alpha, trimap.hold(alpha))
    assert alpha.dtype == np.float32


def test_the_prior_fills_a_hole_that_has_nothing_certain():
    """One colour within an unknown island says nothing about its alpha."""
    island = np.zeros((60, 60), bool)
    island[20:40, 20:40] = True
    trimap = Trimap(~island, np.zeros_like(island))
    plate = np.where(island[..., None], np.float32([0.1, 0.5, 0.1]), np.float32([0.6, 0.2, 0.2]))
    alpha = closed_form(plate, trimap, np.where(island, 0.0, 1.0).astype(np.float32), 0.01)
    assert alpha[24:36, 24:36].max() < 0.5


def test_alpha_leaks_less_into_the_wider_side_of_a_band_the_more_the_prior_weighs():
    """Texture leads alpha on, and of a band that reaches further outside most of it leads outwards."""
    rng = np.random.default_rng(5)
    texture = cv2.GaussianBlur(rng.random((90, 120, 3)).astype(np.float32), (0, 0), 2)
    truth = np.zeros((90, 120), np.float32)
    truth[:, :60] = 1
    plate = np.where(truth[..., None] > 0, texture * np.float32(0.8), texture)
    trimap = trimap_of(truth > 0.5, 3, 24)
    prior = cv2.GaussianBlur(truth, (0, 0), 2)
    leaked = [float((closed_form(plate, trimap, prior, pull) - truth)[trimap.unknown].mean()) for pull in (0.15, 0.01)]
    assert 0 < leaked[0] < 0.75 * leaked[1]


def test_pictures_smaller_than_a_window_keep_the_prior():
    trimap = Trimap(np.array([[True, False, False]]), np.array([[False, False, True]]))
    alpha = closed_form(np.full((1, 3, 3), 0.5, np.float32), trimap, np.float32([[1, 0.3, 0]]), 0.01)
    np.testing.assert_allclose(alpha, [[1, 0.3, 0]], atol=1e-6)


def test_a_plate_of_one_colour_does_not_upset_it(scene):
    trimap = trimap_of(scene.mask > 0.5, 5, 20)
    alpha = closed_form(np.zeros_like(scene.plate), trimap, scene.mask, 0.01)
    assert np.isfinite(alpha).all()


def laplacian(plate):
    """The matting Laplacian (H*W, H*W) as the paper defines it, window by window and pair by pair."""
    height, width = plate.shape[:2]
    total = np.zeros((height * width, height * width))
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            members = [(y + v) * width + x + u for v in (-1, 0, 1) for u in (-1, 0, 1)]
            colours = plate.reshape(-1, 3)[members].astype(np.float64)
            offset = colours - colours.mean(axis=0)
            inverse = np.linalg.inv(offset.T @ offset / 9 + np.eye(3) * 1e-6 / 9)
            total[np.ix_(members, members)] += np.eye(9) - (1 + offset @ inverse @ offset.T) / 9
    return total


@pytest.mark.parametrize("seed", range(4))
def test_it_solves_the_equations_of_the_paper(seed):
    rng = np.random.default_rng(seed)
    plate = cv2.GaussianBlur(rng.random((11, 14, 3)).astype(np.float32), (0, 0), 1)
    kind = rng.choice(3, (11, 14), p=(0.2, 0.2, 0.6))  # unknown pixels at the border of the picture, too
    trimap, prior = Trimap(kind == 0, kind == 1), rng.random((11, 14), dtype=np.float32)
    unknown, whole = trimap.unknown.ravel(), laplacian(plate)
    right = 0.01 * prior.ravel()[unknown] - whole[np.ix_(unknown, ~unknown)] @ trimap.foreground.ravel()[~unknown]
    exact = np.linalg.solve(whole[np.ix_(unknown, unknown)] + 0.01 * np.eye(unknown.sum()), right)
    found = closed_form(plate, trimap, prior, 0.01).ravel()[unknown]
    np.testing.assert_allclose(found, np.clip(exact, 0, 1), atol=0.005)


def test_alphas_are_what_they_always_were(scene_maker, unchanged):
    """A part of it is pinned in full precision: what is cached would be mixed with what is not."""
    scene = scene_maker(height=60, width=80)
    trimap = trimap_of(scene.mask >= 0.5, 4, 6)
    prior = cv2.GaussianBlur(scene.mask, (0, 0), 3)
    unchanged(closed_form(scene.plate, trimap, prior, 0.01), [-2032766], within=1000)
    flat = np.full_like(scene.plate, 0.5)
    unchanged(closed_form(flat, trimap, prior, 0.01), [-2399622], within=1000)


def test_a_window_s_affinities_are_those_of_the_paper(scene):
    unknown = np.zeros(scene.mask.shape, bool)
    unknown[50:60, 40:60] = True
    rows = module._laplacian_rows(scene.plate, module._band_of(unknown))
    assert rows.shape == (200, 25)
    np.testing.assert_allclose(rows.sum(axis=1), 0, atol=1e-4)
    assert (rows[:, 12] > 0).all()
    window = scene.plate[53:56, 43:46].reshape(9, 3).astype(np.float64)
    offset = window - window.mean(axis=0)
    inverse = np.linalg.inv(offset.T @ offset / 9 + 1e-6 / 9 * np.eye(3))
    corner = -(1 + offset[0] @ inverse @ offset[8]) / 9  # the only window that both corners are in
    assert rows[3 * 20 + 3, 24] == pytest.approx(corner, rel=1e-3)
