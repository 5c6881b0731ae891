import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.metrics import foreground_mad, foreground_mse, mad, mse, sad


def flat(value, shape=(6, 8)):
    return np.full(shape, value, np.float32)


def noise(seed, shape=(23, 31)):
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def test_mad_and_mse_of_hand_values():
    pred = np.array([[0.0, 0.5], [1.0, 0.25]], np.float32)
    truth = np.array([[0.0, 0.0], [1.0, 1.0]], np.float32)
    assert mad(pred, truth) == pytest.approx(1e3 * (0.5 + 0.75) / 4)
    assert mse(pred, truth) == pytest.approx(1e3 * (0.25 + 0.5625) / 4)


def test_sad_is_the_sum_in_thousands():
    pred, truth = noise(1), noise(2)
    assert sad(pred, truth) == pytest.approx(mad(pred, truth) * pred.size / 1e6)
    assert sad(flat(1.0, (100, 40)), flat(0.0, (100, 40))) == pytest.approx(4)


def test_differences_smaller_than_8_bits_count():
    assert mad(flat(0.5001), flat(0.5)) == pytest.approx(0.1, rel=1e-3)


def test_foreground_counts_only_where_there_is_some():
    alpha = np.array([[0.0, 0.01], [1.0, 0.0]], np.float32)
    truth = np.zeros((2, 2, 3), np.float32)
    pred = np.full((2, 2, 3), 9.0, np.float32)
    pred[0, 1], pred[1, 0] = (0.1, 0.2, 0.3), (0.0, 0.0, 0.6)
    assert foreground_mad(pred, truth, alpha) == pytest.approx(1e3 * 1.2 / 6)
    assert foreground_mse(pred, truth, alpha) == pytest.approx(1e3 * 0.5 / 6)


def test_foreground_of_nothing_has_no_figure():
    colour = np.zeros((4, 4, 3), np.float32)
    assert foreground_mad(colour, colour, flat(0.0, (4, 4))) is None
    assert foreground_mse(colour, colour, flat(0.0, (4, 4))) is None


@pytest.mark.parametrize("shape", [(4, 5, 3), (4, 4, 4), (4, 4)])
def test_foreground_of_another_shape_is_bad_input(shape):
    truth = np.zeros((4, 4, 3), np.float32)
    with pytest.raises(BadInput, match="foreground of shape"):
        foreground_mad(np.zeros(shape, np.float32), truth, flat(1.0, (4, 4)))


def test_foreground_of_integers_is_bad_input():
    colour = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(BadInput, match="uint8"):
        foreground_mad(colour, colour, flat(1.0, (4, 4)))
