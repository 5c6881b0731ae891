import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.metrics import ClipMetrics, dtssd, grad, mad, mse


def flat(value, shape=(6, 8)):
    return np.full(shape, value, np.float32)


def noise(seed, shape=(23, 31)):
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def test_equal_alphas_score_zero():
    alpha = noise(1)
    assert mad(alpha, alpha) == mse(alpha, alpha) == grad(alpha, alpha) == 0
    assert dtssd(alpha, alpha, noise(2), noise(2)) == 0


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


def test_size_change_within_a_clip_is_bad_input():
    clip = ClipMetrics()
    clip.add(flat(0), flat(0))
    with pytest.raises(BadInput):
        clip.add(flat(0, (4, 4)), flat(0, (4, 4)))
