import cv2
import numpy as np
import pytest
from videomama_server.engines.adjust import deflicker
from videomama_server.engines.adjust.deflicker import View, steadied
from videomama_server.metrics import dtssd

SIZE = (90, 160)


def textured(seed):
    noise = np.random.default_rng(seed).random((*SIZE, 3), dtype=np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), 2)
    return (blurred - blurred.min()) / (blurred.max() - blurred.min())


def exact(x):
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    return np.clip((26 - np.hypot(columns - x, rows - 45)) / 5 + 0.5, 0, 1).astype(np.float32)


class Shot:
    """A textured disc that moves over a textured wall, and its alpha with flicker: each frame is off by its own."""

    def __init__(self, count=9, step=3, flicker=0.25):
        wall, cloth = textured(1), textured(2)
        self.truth = [exact(50 + step * index) for index in range(count)]
        plates = [
            wall + (np.roll(cloth, step * index, axis=1) * 0.6 + 0.4 - wall) * alpha[..., None]
            for index, alpha in enumerate(self.truth)
        ]
        rng = np.random.default_rng(3)
        off = flicker * rng.choice([-1.0, 1.0], count)
        self.alphas = [
            np.clip(alpha + np.float32(by) * 4 * alpha * (1 - alpha), 0, 1).astype(np.float32)
            for alpha, by in zip(self.truth, off, strict=True)
        ]
        self.views = [View.of(1001 + index, np.asarray(plate, np.float32)) for index, plate in enumerate(plates)]

    def steadied(self, strength=1.0, radius=2):
        return [steadied(self.alphas, self.views, at, strength, radius) for at in range(len(self.alphas))]


@pytest.fixture(scope="module")
def shot():
    return Shot()


def mean_dtssd(alphas, truth):
    pairs = range(1, len(alphas))
    return np.mean([dtssd(alphas[at], truth[at], alphas[at - 1], truth[at - 1]) for at in pairs])


def mean_error(alphas, truth):
    return np.mean([np.abs(alpha - true).mean() for alpha, true in zip(alphas, truth, strict=True)])


def test_flicker_of_a_moving_alpha_falls_and_its_edge_stays_in_place(shot):
    steady = shot.steadied()
    assert mean_dtssd(steady, shot.truth) < 0.65 * mean_dtssd(shot.alphas, shot.truth)
    assert mean_error(steady, shot.truth) < 0.7 * mean_error(shot.alphas, shot.truth)


def test_a_longer_radius_and_a_greater_strength_steady_more(shot):
    found = [mean_dtssd(shot.steadied(*asked), shot.truth) for asked in ((0.3, 2), (1.0, 1), (1.0, 2), (1.0, 4))]
    assert found == sorted(found, reverse=True)


def test_an_alpha_that_moves_without_flicker_stays_sharp():
    shot = Shot(flicker=0)
    worst = max(np.abs(one - true).max() for one, true in zip(shot.steadied(), shot.truth, strict=True))
    assert worst < 0.15  # without motion it would be 0.4
    assert mean_error(shot.steadied(), shot.truth) < 0.002


def test_no_strength_keeps_the_bits(shot):
    for found, alpha in zip(shot.steadied(0.0), shot.alphas, strict=True):
        np.testing.assert_array_equal(found, alpha)


@pytest.mark.parametrize("radius", [1, 2, 3])
def test_frames_beyond_the_radius_change_no_bit(radius):
    whole = Shot()
    for at in range(9):
        first, last = max(0, at - radius), min(8, at + radius)
        part = Shot()  # with no flow that was kept
        alphas, views = part.alphas[first : last + 1], part.views[first : last + 1]
        found = steadied(alphas, views, at - first, 0.8, radius)
        np.testing.assert_array_equal(found, steadied(whole.alphas, whole.views, at, 0.8, radius))


def test_the_ends_of_a_clip_and_a_clip_of_one_frame_are_done(shot):
    for at in (0, 8):
        assert np.isfinite(steadied(shot.alphas, shot.views, at, 1.0, 4)).all()
    np.testing.assert_array_equal(steadied(shot.alphas[:1], shot.views[:1], 0, 1.0, 4), shot.alphas[0])


def test_across_a_cut_nothing_is_mixed(shot):
    other = View.of(1002, 1 - textured(9))
    found = steadied([shot.alphas[0], np.zeros(SIZE, np.float32)], [shot.views[0], other], 0, 1.0, 1)
    assert np.abs(found - shot.alphas[0]).mean() < 0.01


def test_what_is_solid_or_empty_in_all_frames_stays_so_to_the_bit(shot):
    for value in (0, 1):
        same = [np.full(SIZE, value, np.float32)] * 9
        np.testing.assert_array_equal(steadied(same, shot.views, 4, 1.0, 4), same[0])


def test_each_flow_is_searched_once(monkeypatch):
    searched = []
    real = deflicker.flow_between
    monkeypatch.setattr(deflicker, "flow_between", lambda *views: (searched.append(1), real(*views))[1])
    Shot(count=5).steadied(radius=3)
    assert len(searched) == 2 * 4


def test_a_large_plate_is_followed_in_a_small_view_and_a_tiny_one_is_no_error():
    assert View.of(1, np.zeros((1080, 1920, 3), np.float32)).pixels.shape == (540, 960, 3)
    tiny = [View.of(n, np.full((6, 8, 3), 0.5, np.float32)) for n in (1, 2)]
    found = steadied([np.zeros((6, 8), np.float32), np.ones((6, 8), np.float32)], tiny, 0, 1.0, 1)
    np.testing.assert_allclose(found, 1 / 3, atol=1e-5)  # half the weight of the frame itself
