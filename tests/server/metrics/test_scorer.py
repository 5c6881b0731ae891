from dataclasses import asdict

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server import metrics
from videomama_server.metrics import MEASURES, Scorer, Scores


def flat(value, shape=(20, 30)):
    return np.full(shape, value, np.float32)


def present(scores):
    return {name for name, value in asdict(scores).items() if value is not None}


def test_a_frame_has_every_measure(blob):
    scorer = Scorer()
    colour = np.zeros((40, 50, 3), np.float32)
    pairs = [(blob(seed, (40, 50)), blob(seed + 5, (40, 50))) for seed in (1, 2)]
    first, second = (scorer.add(*pair, (colour + np.float32(0.1), colour)) for pair in pairs)
    assert present(first) == set(MEASURES) - {"dtssd", "messddt"}
    assert present(second) == set(MEASURES)
    (p0, g0), (p1, g1) = pairs  # compared loosely: how a buffer lies in memory changes the last digits
    assert second.grad == pytest.approx(metrics.grad(p1, g1), rel=1e-6)
    assert second.conn == pytest.approx(metrics.conn(p1, g1), rel=1e-6)
    assert second.dtssd == pytest.approx(metrics.dtssd(p1, g1, p0, g0), rel=1e-6)
    assert second.messddt == pytest.approx(metrics.messddt(p1, g1, p0, g0), rel=1e-6)
    assert second.mad_t == pytest.approx(metrics.mad_t(p1, g1), rel=1e-6)
    assert second.j == pytest.approx(metrics.jaccard(p1, g1), rel=1e-6)
    assert second.f == pytest.approx(metrics.boundary_f(p1, g1), rel=1e-6)
    assert second.foreground_mad == pytest.approx(100)
    assert second.foreground_mse == pytest.approx(10)


def test_only_what_was_asked_for_is_measured():
    scorer = Scorer(only=("mad", "dtssd"))
    scorer.add(flat(0.5), flat(0.0))
    assert present(scorer.add(flat(0.5), flat(0.0))) == {"mad", "dtssd"}


def test_mean_and_worst():
    scorer = Scorer(only=("mad", "j", "dtssd"))
    for value in (1.0, 0.75, 1.0):
        scorer.add(flat(value), flat(1.0))
    scorer.add(flat(0.25), flat(1.0))
    assert scorer.mean() == Scores(
        mad=pytest.approx(250), j=pytest.approx(0.75), dtssd=pytest.approx((25 + 25 + 75) / 3)
    )
    assert scorer.worst() == Scores(mad=pytest.approx(750), j=0, dtssd=pytest.approx(75))


def test_frames_without_a_figure_do_not_count(blob):
    scorer = Scorer(only=("mad_t",))
    scorer.add(flat(1.0), flat(0.0))
    figure = scorer.add(blob(1, (20, 30)), blob(2, (20, 30))).mad_t
    assert scorer.frames[0].mad_t is None
    assert scorer.mean().mad_t == figure


def test_a_measure_that_no_frame_has_has_no_mean():
    scorer = Scorer(only=("dtssd",))
    scorer.add(flat(1.0), flat(0.0))
    assert scorer.mean() == scorer.worst() == Scores()


def test_nothing_measured_is_bad_input():
    for join in (Scorer().mean, Scorer().worst):
        with pytest.raises(BadInput, match="No frame"):
            join()


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_no_number_is_bad_input(wrong):
    broken = flat(0.5)
    broken[3, 4] = wrong
    for pair in ((broken, flat(0.5)), (flat(0.5), broken)):
        with pytest.raises(BadInput, match="NaN or infinite"):
            Scorer().add(*pair)


@pytest.mark.parametrize(("settings", "said"), [({"only": ("iou",)}, "iou"), ({"convention": "adobe"}, "adobe")])
def test_unknown_names_are_bad_input(settings, said):
    with pytest.raises(BadInput, match=said):
        Scorer(**settings)
