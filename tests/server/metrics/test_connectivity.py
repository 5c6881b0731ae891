import numpy as np
import pytest
from scipy import ndimage
from videomama_client.errors import BadInput
from videomama_server.metrics import conn


def flat(value, shape=(20, 30)):
    return np.full(shape, value, np.float32)


def two_islands(second):
    """A large island at 1 and a small one beside it, apart."""
    alpha = flat(0.0)
    alpha[2:12, 2:12] = 1
    alpha[5:8, 20:24] = second
    return alpha


def test_equal_alphas_are_equally_connected(blob):
    assert conn(blob(1), blob(1)) == 0


def test_an_island_is_not_connected_above_level_0():
    # The large island is the largest part at every level, so the small one's level is 0 and all of it is lacking.
    assert conn(two_islands(0.9), two_islands(0.6)) == pytest.approx(12 * 0.3 / 1e3, rel=1e-5)


def test_distances_below_015_count_as_none():
    assert conn(two_islands(0.15), two_islands(0.1)) == pytest.approx(12 * 0.15 / 1e3, rel=1e-5)
    assert conn(two_islands(0.14), two_islands(0.1)) == 0
    assert conn(two_islands(0.16), two_islands(0.1)) == pytest.approx(12 * 0.16 / 1e3, rel=1e-5)


def test_corners_do_not_connect():
    alpha = flat(0.0)
    alpha[2:12, 2:12] = 1
    alpha[12:14, 12:14] = 1  # touches by a corner
    less = alpha.copy()
    less[12:14, 12:14] = 0.5
    assert conn(less, alpha) == pytest.approx(4 * 0.5 / 1e3)


def test_nothing_in_common_is_all_lacking():
    assert conn(flat(1.0), flat(0.0)) == pytest.approx(600 / 1e3)


def test_a_value_exactly_at_a_level_reaches_it():
    levels = np.float32(77) / np.float32(255), np.float32(0.3), np.float32(0.6), np.float32(0.7), np.float32(0.9)
    for value in levels:
        alpha = flat(0.0)
        alpha[2:12, 2:12] = value
        assert conn(alpha, alpha.copy()) == 0
        other = alpha.copy()
        other[2:12, 2:12] = 1
        held = np.floor(round(float(value) * 10, 4)) / 10
        lacks = [max(0, top - held) * (top - held >= 0.15) for top in (float(value), 1.0)]
        assert conn(alpha, other) == pytest.approx(100 * (lacks[1] - lacks[0]) / 1e3, rel=1e-4)


def test_shapes_must_agree():
    with pytest.raises(BadInput):
        conn(flat(0.0), flat(0.0, (20, 31)))


def naive_conn(pred, truth):
    """The definition in float64 of alphas that no threshold meets, with another labelling."""
    level = np.ones(truth.shape)
    left = np.zeros(truth.shape, bool)
    for step in range(1, 11):
        labels, count = ndimage.label(np.minimum(pred, truth) >= step / 10)
        sizes = ndimage.sum_labels(np.ones(truth.shape), labels, range(1, count + 1))
        part = labels == 1 + np.argmax(sizes) if count else np.zeros(truth.shape, bool)
        level[~part & ~left] = (step - 1) / 10
        left |= ~part
    connected = [1 - np.where(alpha - level >= 0.15, alpha - level, 0) for alpha in (pred, truth)]
    return np.abs(connected[0] - connected[1]).sum() / 1e3


def test_conn_agrees_with_the_naive_definition(blob):
    for seed in range(6):
        pred, truth = blob(seed), blob(seed + 20)
        assert conn(pred, truth) == pytest.approx(naive_conn(pred.astype(float), truth.astype(float)), rel=1e-5)
