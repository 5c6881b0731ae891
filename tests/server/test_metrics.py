import math

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.metrics import ClipMetrics, dtssd, grad, mad, mse


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


def test_mad_and_mse_of_hand_values():
    pred = np.array([[0.0, 0.5], [1.0, 0.25]], np.float32)
    truth = np.array([[0.0, 0.0], [1.0, 1.0]], np.float32)
    assert mad(pred, truth) == pytest.approx(1e3 * (0.5 + 0.75) / 4)
    assert mse(pred, truth) == pytest.approx(1e3 * (0.25 + 0.5625) / 4)


def test_equal_alphas_score_zero():
    alpha = noise(1)
    assert mad(alpha, alpha) == mse(alpha, alpha) == grad(alpha, alpha) == 0
    assert dtssd(alpha, alpha, noise(2), noise(2)) == 0


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


def test_dtssd_ignores_an_error_that_stays_and_counts_one_that_moves():
    assert dtssd(flat(0.75), flat(0.5), flat(0.25), flat(0.0)) == pytest.approx(0, abs=1e-6)
    assert dtssd(flat(0.75), flat(0.5), flat(0.0), flat(0.0)) == pytest.approx(25)


def test_dtssd_agrees_with_the_naive_definition():
    p1, g1, p0, g0 = (noise(seed).astype(np.float64) for seed in range(4))
    expected = 100 * np.sqrt((((p1 - p0) - (g1 - g0)) ** 2).mean())
    assert dtssd(p1, g1, p0, g0) == pytest.approx(expected, rel=1e-5)


def test_clip_is_the_mean_over_frames_and_over_pairs():
    clip = ClipMetrics()
    preds, truths = [noise(i) for i in range(4)], [noise(i + 10) for i in range(4)]
    for pred, truth in zip(preds, truths, strict=True):
        clip.add(pred, truth)
    result = clip.result()
    assert result.frames == 4
    assert result.mad == pytest.approx(np.mean([mad(p, g) for p, g in zip(preds, truths, strict=True)]))
    assert result.mse == pytest.approx(np.mean([mse(p, g) for p, g in zip(preds, truths, strict=True)]))
    assert result.grad == pytest.approx(np.mean([grad(p, g) for p, g in zip(preds, truths, strict=True)]))
    pairs = [dtssd(preds[i], truths[i], preds[i - 1], truths[i - 1]) for i in (1, 2, 3)]
    assert result.dtssd == pytest.approx(np.mean(pairs))


def test_clip_survives_a_caller_that_reuses_its_buffers():
    clip, pred, truth = ClipMetrics(), flat(0.5), flat(0.5)
    clip.add(pred, truth)
    pred[:] = 1.0
    clip.add(pred, truth)
    assert clip.result().dtssd == pytest.approx(50)


def test_single_frame_has_no_dtssd():
    clip = ClipMetrics()
    clip.add(flat(1.0), flat(0.0))
    assert clip.result().dtssd is None
    assert clip.result().mad == pytest.approx(1000)


def test_no_frames_is_bad_input():
    with pytest.raises(BadInput, match="No frame"):
        ClipMetrics().result()


@pytest.mark.parametrize("measure", [mad, mse, grad])
def test_shape_mismatch_is_bad_input(measure):
    with pytest.raises(BadInput, match=r"\(6, 8\).*\(6, 9\)"):
        measure(flat(0), flat(0, (6, 9)))


def test_size_change_within_a_clip_is_bad_input():
    clip = ClipMetrics()
    clip.add(flat(0), flat(0))
    with pytest.raises(BadInput):
        clip.add(flat(0, (4, 4)), flat(0, (4, 4)))


@pytest.mark.parametrize("pixels", [np.zeros((6, 8), np.uint8), np.zeros((6, 8, 1), np.float32)])
def test_integers_and_extra_channels_are_bad_input(pixels):
    with pytest.raises(BadInput):
        mad(pixels, pixels)
