from __future__ import annotations

import cv2
import numpy as np
from videomama_server.engines.guided_filter import fit_lines, guided_filter, lift_lines


def noise(height=60, width=80, seed=0):
    return np.random.default_rng(seed).random((height, width, 3)).astype(np.float32)


def test_a_target_that_is_affine_in_colour_is_reproduced():
    plate = noise()
    target = (plate @ np.float32([0.2, 0.5, 0.1]) + 0.1).astype(np.float32)
    np.testing.assert_allclose(guided_filter(plate, target, 3, 1e-6), target, atol=1e-3)


def test_a_flat_plate_gives_the_local_mean():
    target = (np.arange(80) < 40).astype(np.float32)[None].repeat(60, axis=0)
    result = guided_filter(np.full((60, 80, 3), 0.5, np.float32), target, 4, 1e-4)
    twice = cv2.blur(cv2.blur(target, (9, 9), borderType=cv2.BORDER_REFLECT), (9, 9), borderType=cv2.BORDER_REFLECT)
    np.testing.assert_allclose(result, twice, atol=1e-4)


def test_a_mask_moves_to_the_edge_of_the_plate():
    plate = np.full((60, 80, 3), 0.2, np.float32)
    plate[:, 40:] = (0.7, 0.5, 0.3)
    mask = (np.arange(80) >= 44).astype(np.float32)[None].repeat(60, axis=0)
    result = guided_filter(plate, mask, 10, 1e-5)
    at_plate_edge, at_mask_edge = (np.ptp(result[30, edge - 1 : edge + 1]) for edge in (40, 44))
    assert at_plate_edge > 5 * at_mask_edge


def test_a_grey_plate_is_no_harder_than_a_coloured_one():
    """Its three channels are one: the covariance has rank one but for epsilon."""
    grey = noise()[..., :1].repeat(3, axis=2)
    target = (0.8 * grey[..., 0] + 0.1).astype(np.float32)
    np.testing.assert_allclose(guided_filter(grey, target, 4, 1e-5), target, atol=1e-2)


def test_epsilon_matters_below_a_hundredth():
    """It does not in OpenCV's own filter, the reason for this one."""
    plate = noise() * 0.1
    target = (noise(seed=1)[..., 0] > 0.5).astype(np.float32)
    sharp, soft = (guided_filter(plate, target, 2, epsilon) for epsilon in (1e-5, 1e-2))
    assert np.abs(sharp - soft).mean() > 0.02


def test_lines_fitted_on_a_reduced_plate_carry_detail_to_the_full_one():
    plate = cv2.GaussianBlur(noise(120, 160), (0, 0), 1.5)
    alpha = np.clip(plate[..., 1] * 3 - 1, 0, 1)
    small = [cv2.resize(p, (80, 60), interpolation=cv2.INTER_AREA) for p in (plate, alpha)]
    lifted = fit_lines(*small, 2, 1e-5).resized(120, 160).of(plate)
    plain = cv2.resize(small[1], (160, 120), interpolation=cv2.INTER_LINEAR)
    assert lifted.shape == (120, 160)
    assert np.abs(lifted - alpha).mean() < 0.5 * np.abs(plain - alpha).mean()


def test_a_window_larger_than_the_picture_is_legal():
    result = guided_filter(noise(3, 2), np.ones((3, 2), np.float32), 40, 1e-4)
    np.testing.assert_allclose(result, 1, atol=1e-3)


def test_maps_that_lift_an_alpha_are_those_that_they_always_were():
    """Every engine's alphas go through them, so another radius or epsilon would mix with what is cached."""
    plate = noise() * 0.05
    lines = lift_lines(plate, (noise(seed=1)[..., 0] > 0.5).astype(np.float32))
    found = [lines.slope.std(), lines.offset.std(), np.abs(np.diff(lines.slope, axis=0)).mean()]
    np.testing.assert_allclose(found, [4.9491, 0.24213, 1.3314], rtol=1e-3, err_msg=str(found))


def test_some_pixels_alone_come_out_as_all_of_them_do():
    plate = noise()
    lines = fit_lines(plate, plate.mean(axis=2), 3, 1e-4)
    where = plate[..., 0] > 0.7
    np.testing.assert_allclose(lines.at(where, plate[where]), lines.of(plate)[where], atol=1e-6)


def test_filtered_masks_are_what_they_always_were(unchanged):
    plate, target = noise(), (noise(seed=1)[..., 0] > 0.5).astype(np.float32)
    unchanged(guided_filter(plate, target, 3, 1e-3), [-1849484], within=500)
    lines = fit_lines(plate, target, 2, 1e-2)
    unchanged(np.dstack([lines.slope, lines.offset]), [-2252399, 3107964, -1538676, -1284271], within=2000)
    unchanged(lines.resized(70, 100).of(cv2.resize(plate, (100, 70))), [1048473], within=500)
