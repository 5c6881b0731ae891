"""How MaGGIe's figures follow from ours."""

import math

import numpy as np
import pytest
from videomama_server.metrics import Scorer, conn, dtssd, grad, mad, mad_t, messddt, mse, sad


@pytest.fixture(params=[(48, 64), (72, 128)], ids=str)
def clip(request, blob):
    """Two frames; the alphas to judge have nothing within 1/255 of 0 or 1 but what is there."""

    def sure(alpha):
        return np.where(alpha < 0.01, 0, np.where(alpha > 0.99, 1, alpha)).astype(np.float32)

    return [(sure(blob(seed, request.param)), blob(seed + 10, request.param)) for seed in (1, 2)]


@pytest.fixture
def second(clip):
    scorer = Scorer("maggie")
    return [scorer.add(*frame) for frame in clip][1]


def test_area_is_divided_by_twice(clip, second):
    pred, truth = clip[1]
    factor = 1e7 / truth.size
    assert second.mad == pytest.approx(mad(pred, truth) * factor, rel=1e-6)
    assert second.mse == pytest.approx(mse(pred, truth) * factor, rel=1e-6)
    assert second.mad_t == pytest.approx(mad_t(pred, truth) * factor, rel=1e-6)


def test_mad_agrees_with_the_script_s_own_arithmetic(clip, second):
    pred, truth = (alpha.astype(np.float64) for alpha in clip[1])
    assert second.mad == pytest.approx(np.abs(pred - truth).mean() / truth.size * 1e10, rel=1e-6)


def test_dtssd_grows_with_the_picture(clip, second):
    (p0, g0), (p1, g1) = clip
    assert second.dtssd == pytest.approx(dtssd(p1, g1, p0, g0) * math.sqrt(g1.size) / 1e3, rel=1e-6)
    change = (p1.astype(np.float64) - p0) - (g1.astype(np.float64) - g0)
    assert second.dtssd == pytest.approx(0.1 * math.sqrt((change**2).sum()), rel=1e-5)


def test_what_is_the_same(clip, second):
    (p0, g0), (p1, g1) = clip
    assert second.sad == pytest.approx(sad(p1, g1), rel=1e-6)
    assert second.conn == pytest.approx(conn(p1, g1), rel=1e-6)
    assert second.messddt == pytest.approx(messddt(p1, g1, p0, g0), rel=1e-6)


def test_grad_is_the_same_of_alphas_that_reach_0_and_1_and_end_before_the_border(clip):
    pred, truth = (np.pad(alpha, 8) for alpha in clip[1])
    assert (pred.min(), pred.max(), truth.min(), truth.max()) == (0, 1, 0, 1)
    assert Scorer("maggie").add(pred, truth).grad == pytest.approx(grad(pred, truth), rel=1e-6)


def test_grad_stretches_and_sees_an_edge_at_the_border():
    truth = np.tile(np.linspace(0, 1, 40, dtype=np.float32), (30, 1))
    halved = Scorer("maggie").add(truth * 0.5 + 0.2, truth)
    assert halved.grad == pytest.approx(0, abs=1e-9)
    bottom = np.zeros((30, 40), np.float32)
    bottom[-3:] = 1
    assert Scorer("maggie").add(np.roll(bottom, -3, axis=0), bottom).grad != pytest.approx(
        grad(np.roll(bottom, -3, axis=0), bottom)
    )


def test_the_alpha_to_judge_is_put_to_0_or_1_when_it_is_nearly_there():
    truth = np.zeros((16, 16), np.float32)
    truth[4:8] = 1
    near = np.where(truth == 1, np.float32(0.997), np.float32(0.003))
    assert Scorer("maggie").add(near, truth).mad == 0
    assert Scorer("rvm").add(near, truth).mad == pytest.approx(3, rel=1e-4)
    assert Scorer("maggie").add(truth, near).mad > 0  # the truth is taken as it is
