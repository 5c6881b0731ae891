import math

import cv2
import numpy as np
import pytest
from videomama_server.metrics import grad


def flat(value, shape=(6, 8)):
    return np.full(shape, value, np.float32)


def noise(seed, shape=(23, 31)):
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def naive_slope(alpha):
    """The definition, one pixel at a time in float64: full 2-D kernel, correlation, replicated border."""
    sigma, half = 1.4, 4

    def bell(x):
        return math.exp(-(x**2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))

    kernel = np.array([[bell(i - half) * -(j - half) * bell(j - half) / sigma**2 for j in range(9)] for i in range(9)])
    kernel /= math.sqrt((kernel**2).sum())
    padded = np.pad(alpha.astype(np.float64), half, mode="edge")
    out = np.empty(alpha.shape)
    for y, x in np.ndindex(alpha.shape):
        patch = padded[y : y + 9, x : x + 9]
        out[y, x] = math.hypot((patch * kernel).sum(), (patch * kernel.T).sum())
    return out


def test_kernel_size_follows_from_sigma_and_epsilon():
    sigma, epsilon = 1.4, 1e-2
    assert math.ceil(sigma * math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) * sigma * epsilon))) == 4


def test_grad_of_flat_alphas_is_zero_because_the_border_is_replicated():
    assert grad(flat(1.0), flat(0.0)) == pytest.approx(0, abs=1e-9)


def test_grad_is_not_normalised():
    ramp = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (32, 1))
    assert grad(ramp * 0.5, ramp) > 0


def test_grad_of_a_straight_edge_by_hand():
    edge = np.zeros((16, 32), np.float32)
    edge[:, 16:] = 1
    offset = np.arange(-4, 5)
    bell = np.exp(-(offset**2) / (2 * 1.4**2))
    ramp = offset * bell
    # The column filter sums the bell; the row filter sees the step, so it sums the tail of the ramp.
    down = bell.sum() / np.linalg.norm(bell)
    tails = [ramp[offset >= shift].sum() / np.linalg.norm(ramp) for shift in range(-3, 5)]
    expected = 16 * sum((down * tail) ** 2 for tail in tails) / 1e3
    assert grad(edge, np.zeros_like(edge)) == pytest.approx(expected, rel=1e-5)


def test_grad_agrees_with_the_naive_definition():
    pred, truth = noise(3), noise(4)
    expected = ((naive_slope(pred) - naive_slope(truth)) ** 2).sum() / 1e3
    assert grad(pred, truth) == pytest.approx(expected, rel=1e-5)


def test_stretched_alphas_differ_only_in_shape():
    ramp = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (32, 1))
    assert grad(ramp * 0.5 + 0.2, ramp, normalise=True) == pytest.approx(0, abs=1e-9)


def test_a_flat_alpha_is_stretched_to_0():
    assert grad(flat(1.0), flat(0.0), normalise=True, border=cv2.BORDER_CONSTANT) == 0


def test_a_border_of_0_is_an_edge():
    assert grad(flat(1.0), flat(0.0), border=cv2.BORDER_CONSTANT) > 0


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(grad) == {"border": cv2.BORDER_REPLICATE, "normalise": False}
