import cv2
import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.metrics import dtssd, messddt


def flat(value, shape=(6, 8)):
    return np.full(shape, value, np.float32)


def noise(seed, shape=(23, 31)):
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def test_dtssd_ignores_an_error_that_stays_and_counts_one_that_moves():
    assert dtssd(flat(0.75), flat(0.5), flat(0.25), flat(0.0)) == pytest.approx(0, abs=1e-6)
    assert dtssd(flat(0.75), flat(0.5), flat(0.0), flat(0.0)) == pytest.approx(25)


def test_dtssd_agrees_with_the_naive_definition():
    p1, g1, p0, g0 = (noise(seed).astype(np.float64) for seed in range(4))
    expected = 100 * np.sqrt((((p1 - p0) - (g1 - g0)) ** 2).mean())
    assert dtssd(p1, g1, p0, g0) == pytest.approx(expected, rel=1e-5)


def naive_messddt(pred, truth, previous_pred, previous_truth):
    """The definition, one pixel at a time."""
    flow = cv2.calcOpticalFlowFarneback(
        previous_truth * 255, truth * 255, None, 0.5, 5, 10, 2, 7, 1.5, cv2.OPTFLOW_FARNEBACK_GAUSSIAN
    )
    height, width = truth.shape
    total = 0.0
    for y, x in np.ndindex(truth.shape):
        across, down = np.rint(flow[y, x]).astype(int)
        row, column = min(max(y + down, 0), height - 1), min(max(x + across, 0), width - 1)
        before = (float(previous_pred[y, x]) - float(previous_truth[y, x])) ** 2
        total += abs(before - (float(pred[row, column]) - float(truth[row, column])) ** 2)
    return 1e4 * total / (truth.size + 1)


def test_messddt_agrees_with_the_naive_definition(blob):
    alphas = blob(1, (70, 90)), blob(2, (70, 90)), blob(3, (70, 90)), blob(4, (70, 90))
    expected = naive_messddt(*alphas)
    assert expected > 1
    assert messddt(*alphas) == pytest.approx(expected, rel=1e-4)


def test_messddt_keeps_what_leaves_the_picture_at_its_edge():
    large = [cv2.resize(noise(seed, (6, 8)), (44, 34), interpolation=cv2.INTER_CUBIC) for seed in range(3)]
    truth, previous_truth = large[0][:30, :40], large[0][4:, 4:]  # moves to the lower right
    alphas = large[1][:30, :40], truth, large[2][4:, 4:], previous_truth
    assert messddt(*alphas) == pytest.approx(naive_messddt(*alphas), rel=1e-5)


def test_messddt_follows_an_error_that_moves_with_the_truth(blob):
    wide = np.pad(blob(1, (120, 160)), 16)
    truth, previous_truth = np.roll(wide, 4, axis=1), wide
    along = messddt(truth * 0.8, truth, previous_truth * 0.8, previous_truth)
    beside = messddt(truth * 0.8, truth, np.roll(previous_truth * 0.8, 4, axis=1), previous_truth)
    standing = np.square(0.2 * truth) - np.square(0.2 * previous_truth)
    assert along < 0.5 * 1e4 * np.abs(standing).mean()
    assert beside > along


def test_messddt_takes_differences_finer_than_8_bits():
    still = flat(0.5, (40, 50))
    assert messddt(still + np.float32(0.001), still, still, still) == pytest.approx(1e4 * 1e-6, rel=0.01)


def test_messddt_of_the_truth_itself_is_zero(blob):
    assert messddt(blob(1), blob(1), blob(2), blob(2)) == 0


@pytest.mark.parametrize("measure", [dtssd, messddt])
def test_frames_of_two_sizes_are_bad_input(measure):
    small, large = flat(0.0), flat(0.0, (9, 9))
    with pytest.raises(BadInput):
        measure(small, small, large, large)
