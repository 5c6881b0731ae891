from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from videomama_server.engines.classic import correction
from videomama_server.engines.classic.correction import corrected, likelihood, small_frame, small_size
from videomama_server.media.srgb import to_display, to_light

SLACK = 32.0


def wrong(mask, alpha):
    return np.count_nonzero((mask >= 0.5) != (alpha >= 0.5))


def run(plates, masks, long_side, slack=SLACK):
    views = [small_frame(plate, mask >= 0.5, long_side) for plate, mask in zip(plates, masks, strict=True)]
    found = likelihood(views, slack)
    return [
        mask if view is None else corrected(mask, 0.5, view, likely, slack)
        for mask, view, likely in zip(masks, views, found, strict=True)
    ]


def shifted(alpha, by):
    return (np.roll(alpha, by, axis=(0, 1)) >= 0.5).astype(np.float32)


def test_a_mask_that_is_off_moves_to_where_the_colours_are(scene):
    rough = shifted(scene.alpha, (5, -6))
    result = run([scene.plate] * 3, [rough] * 3, 480)[1]
    assert wrong(result, scene.alpha) < 0.4 * wrong(rough, scene.alpha)


def test_what_one_mask_misses_its_neighbours_know(scene):
    exact = (scene.alpha >= 0.5).astype(np.float32)
    bitten = exact.copy()
    bitten[50:75, 55:80] = 0
    result = run([scene.plate] * 5, [exact, exact, bitten, exact, exact], 480)[2]
    assert wrong(result, scene.alpha) < 0.2 * wrong(bitten, scene.alpha)


def test_where_colours_tell_nothing_the_mask_stands(scene):
    grey = np.full_like(scene.plate, 0.4)
    rough = shifted(scene.alpha, (5, -6))
    assert np.array_equal(run([grey] * 3, [rough] * 3, 480)[1], rough)


def test_an_exact_mask_stays_nearly_as_it_is(scene):
    exact = (scene.alpha >= 0.5).astype(np.float32)
    result = run([scene.plate] * 3, [exact] * 3, 480)[1]
    assert wrong(result, scene.alpha) < 0.02 * exact.sum()


def test_a_good_mask_stays_where_it_is_in_texture_that_is_the_same_on_both_sides(gravel):
    stone = np.array([gravel.plate, np.roll(gravel.plate, 40, axis=1)])
    masks = [np.roll(gravel.mask, by, axis=1) for by in (0, 40)]
    assert np.array_equal(run(stone, masks, 480, 8.0)[0], masks[0])
    assert not np.array_equal(run(stone, masks, 480)[0], masks[0])


@pytest.mark.parametrize(("grain", "stands"), [(0.0, False), (0.06, True)])
def test_little_contrast_moves_a_good_mask_only_where_no_texture_leads_astray(scene, monkeypatch, grain, stands):
    monkeypatch.setattr(correction, "told_colours", lambda colour, *_: np.zeros(colour.shape[:2], np.float32))
    noise = np.random.default_rng(2).normal(0, grain, (2, *scene.plate.shape)).astype(np.float32)
    flat = [(0.4 + 0.1 * (scene.alpha[..., None] >= 0.5) + one).astype(np.float32) for one in noise]
    rough = shifted(scene.alpha, (2, -2))
    assert np.array_equal(run(flat, [rough] * 2, 480, 8.0)[0], rough) == stands


def test_less_slack_moves_less(scene):
    rough = shifted(scene.alpha, (5, -6))
    moved = [np.count_nonzero(run([scene.plate] * 3, [rough] * 3, 480, slack)[1] != rough) for slack in (2.0, SLACK)]
    assert moved[0] < 0.7 * moved[1]


def test_greys_are_kept_where_nothing_moves(scene):
    soft = cv2.GaussianBlur((scene.alpha >= 0.5).astype(np.float32), (0, 0), 2)
    result = run([scene.plate] * 3, [soft] * 3, 480)[1]
    same = (result > 0) & (result < 1)
    assert np.array_equal(result[same], soft[same])
    assert same.sum() > 0.5 * ((soft > 0) & (soft < 1)).sum()


def test_a_full_size_outline_is_as_fine_as_before_where_nothing_moves(scene):
    big = [np.kron(scene.plate, np.ones((4, 4, 1), np.float32)), np.kron(scene.alpha, np.ones((4, 4), np.float32))]
    exact = (big[1] >= 0.5).astype(np.float32)
    result = run([big[0]] * 2, [exact] * 2, 1920)[0]
    assert np.count_nonzero(result != exact) < 0.02 * exact.sum()
    rough = np.roll(exact, (20, -24), axis=(0, 1))
    moved = run([big[0]] * 2, [rough] * 2, 1920)[0]
    assert wrong(moved, big[1]) < 0.4 * wrong(rough, big[1])


def test_frames_without_an_outline_are_left_out(scene):
    exact = (scene.alpha >= 0.5).astype(np.float32)
    empty, full = np.zeros_like(exact), np.ones_like(exact)
    found = run([scene.plate] * 4, [exact, empty, full, exact], 480)
    assert np.array_equal(found[1], empty)
    assert np.array_equal(found[2], full)
    assert wrong(found[0], scene.alpha) < 0.02 * exact.sum()
    assert likelihood([None, None], SLACK) == [None, None]


@pytest.mark.parametrize(
    ("size", "long_side", "small"),
    [((1080, 1920), 1920, (270, 480)), ((300, 17), 3840, (38, 2)), ((20, 30), 40, (20, 30)), ((1, 16), 8000, (1, 1))],
)
def test_views_are_small_and_never_without_a_pixel(size, long_side, small):
    assert small_size(size, long_side) == small


@pytest.mark.parametrize(("size", "long_side"), [((1080, 1920), 1920), ((300, 17), 3840), ((20, 30), 40)])
def test_a_view_shows_both_sides_of_an_outline(size, long_side):
    height, width = small_size(size, long_side)
    mask = np.zeros(size, bool)
    mask[:, : size[1] // 2] = True
    view = small_frame(np.zeros((*size, 3), np.float32), mask, long_side)
    assert view.subject.shape == view.colour.shape[:2] == (height, width)
    assert view.subject[:, : width // 2].all()
    assert not view.subject[:, width // 2 :].any()


@pytest.mark.parametrize(("rows", "long_side"), [(0, 64), (48, 64), (24, 30000)], ids=["none", "all", "one pixel"])
def test_a_mask_that_shows_no_outline_has_no_view(rows, long_side):
    mask = np.zeros((48, 64), bool)
    mask[:rows] = True
    assert small_frame(np.zeros((48, 64, 3), np.float32), mask, long_side) is None


def test_of_two_masks_that_disagree_a_frame_s_own_counts_a_little_more(scene):
    away = np.roll(scene.mask, 60, axis=1)
    views = {time: small_frame(scene.plate, mask >= 0.5, 160) for time, mask in enumerate((scene.mask, away))}
    own, other = correction._agreed(views, 4.0)
    only_own, only_other = ((one >= 0.5) & (two < 0.5) for one, two in ((scene.mask, away), (away, scene.mask)))
    assert 0.5 < np.median(own[only_own]) < 0.6
    assert 0.5 < np.median(other[only_other]) < 0.6


def test_likelihoods_and_corrections_are_what_they_always_were(scene_maker, unchanged):
    scene = scene_maker(grain=0.02)
    masks = [shifted(scene.alpha, (time, 2 * time - 4)) for time in range(4)]
    plates = [np.roll(scene.plate, (time, time), axis=(0, 1)) for time in range(4)]
    views = [small_frame(plate, mask >= 0.5, 640) for plate, mask in zip(plates, masks, strict=True)]
    found = likelihood([*views[:3], None, views[3]], 24.0)
    unchanged(
        np.dstack([likely for likely in found if likely is not None]),
        [-2231500, -2913458, -3229761, -3077404],
        within=2000,
    )
    unchanged(views[0].colour / 100, [2097675, 1504355, 242246], within=2000)
    assert views[0].scale == pytest.approx(0.75 * 640 / 1920)
    unchanged(correction._edges(views[0].colour) / 100, [1079982], within=5000)
    proposed = shifted(scene.alpha, (3, 3))[: views[0].subject.shape[0], : views[0].subject.shape[1]] >= 0.5
    unchanged(correction._on_edges(views[0], proposed, 24.0), [230752])
    mask = cv2.GaussianBlur(masks[0], (0, 0), 2)
    unchanged(corrected(mask, 0.4, views[0], found[0], 24.0), [1942074], within=100)


def striped(side, blur=0.0, grain=0.0):
    """Return the plate and the exact mask of a bright subject on the right of a dark ground, from column 80 on."""
    dark, bright = np.float32([0.05, 0.06, 0.08]), np.float32([0.9, 0.75, 0.6])
    edge = (np.arange(160, dtype=np.float32)[None].repeat(120, axis=0) >= side).astype(np.float32)
    alpha = cv2.GaussianBlur(edge, (0, 0), blur)[..., None] if blur else edge[..., None]
    noise = np.random.default_rng(3).normal(0, grain, (120, 160, 3)).astype(np.float32)
    return to_display((alpha * to_light(bright) + (1 - alpha) * to_light(dark)).astype(np.float32)) + noise


@pytest.mark.parametrize(("slack", "stands"), [(16.0, True), (17.0, False)])
def test_in_blur_an_outline_that_is_off_by_little_is_not_moved_to_the_darker_side(slack, stands):
    plate, exact, outwards = striped(80, blur=4.0), (np.arange(160) >= 80), (np.arange(160) >= 77)
    view = small_frame(plate, exact[None].repeat(120, axis=0), 480)
    assert correction._on_edges(view, outwards[None].repeat(120, axis=0), slack).any() != stands


@pytest.mark.parametrize(("grain", "slack", "moves"), [(0.0, 8.0, True), (1.0, 8.0, False), (1.0, 32.0, True)])
def test_in_grain_an_outline_that_is_off_by_little_moves_only_on_to_far_stronger_edges(grain, slack, moves):
    inside, exact = ((np.arange(160) >= side)[None].repeat(120, axis=0) for side in (84, 80))
    view = replace(small_frame(striped(80, grain=0.01), inside, 480), grain=grain)
    assert correction._on_edges(view, exact, slack).any() == moves


@pytest.mark.parametrize(("strength", "grainy"), [(0.0, False), (0.02, True)])
def test_a_view_knows_its_grain(strength, grainy):
    half = (np.arange(160) >= 80)[None].repeat(120, axis=0)
    assert (small_frame(striped(80, grain=strength), half, 480).grain > 0.005) == grainy


def test_a_pixel_is_judged_by_its_distance_in_pixels_at_1920():
    view = small_frame(np.zeros((40, 60, 3), np.float32), np.arange(60)[None].repeat(40, axis=0) >= 30, 960)
    likely = correction._by_distance(view, 8.0)[10]
    np.testing.assert_allclose(likely[[14, 15]], 1 / (1 + np.exp(np.array([0.5, -0.5]) * 2 / (8.0 * 0.25))), rtol=1e-3)


def test_neither_place_nor_colour_is_surer_than_a_fiftieth():
    found = correction._log_odds(np.float32([0, 0.02, 0.5, 0.98, 1]))
    np.testing.assert_allclose(found, [-np.log(49), -np.log(49), 0, np.log(49), np.log(49)], atol=1e-4)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(correction._edges) == {"sigma": 1.0}
