"""The measures against an independent implementation, on alphas that 8 bits can hold."""

import numpy as np
import pytest
from videomama_server.metrics import conn, grad, mad, mse, sad

KINDS = ["blob", "noise", "levels", "empty"]


@pytest.fixture(params=KINDS)
def pair(request, of_kind):
    return of_kind(request.param)


def as_float(alphas):
    return [alpha.astype(np.float32) / 255 for alpha in alphas]


def whole(alpha):
    """The trimap that says all is unknown."""
    return np.full(alpha.shape, 128, np.uint8)


def test_sad_and_mad(oracle, pair):
    pred, truth = pair
    expected = oracle.sad(truth, whole(truth), pred)
    assert sad(*as_float(pair)) == pytest.approx(expected, rel=1e-5)
    assert mad(*as_float(pair)) == pytest.approx(expected * 1e6 / truth.size, rel=1e-5)


def test_mse(oracle, pair):
    pred, truth = pair
    assert mse(*as_float(pair)) == pytest.approx(1e3 * oracle.mse(truth, whole(truth), pred), rel=1e-5)


def test_grad(oracle, pair):
    pred, truth = pair
    expected = oracle.gradient_error(truth, whole(truth), pred)
    assert grad(*as_float(pair), normalise=True) == pytest.approx(expected, rel=1e-5)


def test_grad_needs_no_stretch_where_both_alphas_reach_0_and_1(oracle, of_kind):
    pred, truth = of_kind("blob")
    assert (pred.min(), pred.max(), truth.min(), truth.max()) == (0, 255, 0, 255)
    expected = oracle.gradient_error(truth, whole(truth), pred)
    assert grad(*as_float((pred, truth))) == pytest.approx(expected, rel=1e-5)


def test_conn(oracle, pair):
    pred, truth = pair
    expected = oracle.connectivity(truth, whole(truth), pred)
    assert conn(*as_float(pair)) == pytest.approx(expected, rel=1e-5)
