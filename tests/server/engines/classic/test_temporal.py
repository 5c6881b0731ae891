from __future__ import annotations

import numpy as np
import pytest
from videomama_server.engines.classic.temporal import SolvedFrame
from videomama_server.engines.classic.temporal import steadied as steadied_at
from videomama_server.engines.classic.trimap import Trimap, trimap_of


def all_unknown(shape):
    return Trimap(np.zeros(shape, bool), np.zeros(shape, bool))


def steadied(frames):
    return np.stack(steadied_at(dict(enumerate(frames)), range(len(frames))))


def flickering(scene, count=6, seed=0):
    rng = np.random.default_rng(seed)
    shape = scene.mask.shape
    alphas = [np.clip(scene.alpha + rng.normal(0, 0.1), 0, 1).astype(np.float32) for _ in range(count)]
    return [SolvedFrame(alpha, all_unknown(shape), scene.plate) for alpha in alphas]


def flicker(alphas):
    return np.abs(np.diff(np.stack(alphas), axis=0)).mean()


def test_flicker_over_a_still_plate_is_calmed(scene):
    frames = flickering(scene)
    result = steadied(frames)
    assert result.shape == (6, *scene.mask.shape)
    assert result.dtype == np.float32
    assert flicker(result) < 0.6 * flicker([frame.alpha for frame in frames])


def test_alpha_is_followed_as_it_moves(scene):
    """The whole picture pans: without motion, blending would smear the spokes."""
    step = 4
    plate, alpha = (np.concatenate([p, p[:, ::-1]], axis=1) for p in (scene.plate, scene.alpha))
    views = [np.ascontiguousarray(plate[:, n * step : n * step + 160]) for n in range(5)]
    truth = [np.ascontiguousarray(alpha[:, n * step : n * step + 160]) for n in range(5)]
    result = steadied([SolvedFrame(a, all_unknown(a.shape), v) for a, v in zip(truth, views, strict=True)])
    assert np.abs(result - np.stack(truth)).mean() < 0.01


def test_nothing_is_carried_across_a_cut(scene, scene_maker):
    other = scene_maker(seed=5)
    turned = 1 - other.plate
    frames = [
        SolvedFrame(np.full_like(scene.alpha, value), all_unknown(scene.mask.shape), view)
        for value, view in ((0.2, scene.plate), (0.9, turned))
    ]
    result = steadied(frames)
    assert abs(result[0].mean() - 0.2) < 0.02
    assert abs(result[1].mean() - 0.9) < 0.02


def test_a_frame_is_the_same_in_every_window_that_holds_its_neighbours(scene):
    frames = flickering(scene, 8)
    whole = steadied(frames)
    assert np.array_equal(whole[3], steadied(frames[1:6])[2])
    assert np.array_equal(whole[5], steadied(frames[3:])[2])
    assert not np.array_equal(whole[3], steadied(frames[3:])[0])
    assert np.array_equal(whole[3], steadied_at({n: frames[n] for n in range(1, 6)}, [3])[0])


def test_what_is_certain_does_not_change(scene):
    frames = flickering(scene, 3)
    trimap = trimap_of(scene.mask > 0.5, 5, 10)
    frames[1] = SolvedFrame(trimap.hold(frames[1].alpha), trimap, scene.plate)
    result = steadied(frames)[1]
    assert (result[trimap.foreground] == 1).all()
    assert (result[trimap.background] == 0).all()


def test_a_frame_without_a_view_neither_gives_nor_takes(scene):
    frames = flickering(scene, 3)
    empty = np.zeros_like(scene.mask)
    frames[1] = SolvedFrame(empty, trimap_of(empty > 0, 5, 5), None)
    result = steadied(frames)
    for number in range(3):
        assert np.array_equal(result[number], frames[number].alpha)


def test_a_single_frame_passes(scene):
    frames = flickering(scene, 1)
    assert np.array_equal(steadied(frames)[0], frames[0].alpha)


@pytest.mark.parametrize("shape", [(1, 1), (17, 200), (31, 300), (300, 16), (32, 400)])
def test_pictures_too_small_for_the_search_are_taken_as_still(shape):
    rng = np.random.default_rng(0)
    view = rng.random((*shape, 3)).astype(np.float32)
    frames = [SolvedFrame(rng.random(shape).astype(np.float32), all_unknown(shape), view) for _ in range(3)]
    result = steadied(frames)
    assert np.isfinite(result).all()
    assert flicker(result) < flicker([frame.alpha for frame in frames])


def test_a_reduced_view_serves_a_larger_alpha(scene):
    big = np.kron(scene.alpha, np.ones((3, 3), np.float32))
    frames = [SolvedFrame(big, all_unknown(big.shape), scene.plate) for _ in range(3)]
    np.testing.assert_allclose(steadied(frames)[1], big, atol=0.02)


def test_a_frame_counts_less_the_further_away_it_is_and_not_at_all_beyond_two(scene):
    alphas = [np.zeros_like(scene.alpha) for _ in range(7)]
    alphas[3] += 1
    result = steadied([SolvedFrame(alpha, all_unknown(alpha.shape), scene.plate) for alpha in alphas])
    means = [float(alpha.mean()) for alpha in result]
    assert means[0] == means[6] == 0
    assert means[2] == pytest.approx(means[4], abs=0.01)
    assert means[3] >= means[2] - 0.01 > 1.5 * means[1] > 0.05


def test_blends_are_what_they_always_were(scene, unchanged):
    """Views are half as large, as for large plates."""
    frames = {}
    for time in range(5):
        turned = [np.roll(part, (time, -time), axis=(0, 1)) for part in (scene.alpha, scene.mask, scene.plate)]
        view = turned[2][::2, ::2].copy()
        frames[time] = SolvedFrame(turned[0] * (1 - 0.1 * time), trimap_of(turned[1] >= 0.5, 5, 9), view)
    found = steadied_at(frames, (0, 2))
    unchanged(np.dstack(found), [1763555, 1352271], within=2000)
