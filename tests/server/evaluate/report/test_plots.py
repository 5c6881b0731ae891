"""Plots of error over time: curves, gaps and scales."""

import pytest
from videomama_server.evaluate.report import plots
from videomama_server.evaluate.summary import UnitScores


def test_plots_hold_their_curves_and_leave_gaps():
    scores = {"mad": [0.0, 7.5, None, 3.0], "dtssd": [None, 1.0, 1.0, 1.0]}
    mad, dtssd = plots.plots([UnitScores("a", "given", "mask", [5, 6, 7, 8], scores)])
    (curve,) = mad.curves
    points = [[tuple(map(float, point.split(","))) for point in run.split()] for run in curve.runs]
    assert [len(run) for run in points] == [2, 2]  # the second is a dot
    assert points[1][0] == points[1][1]
    assert points[0][0] == (plots.LEFT, plots.HEIGHT - plots.BOTTOM)
    assert mad.up[-1].text == "8"
    assert plots.TOP <= points[0][1][1] <= plots.HEIGHT - plots.BOTTOM
    assert [tick.text for tick in mad.along] == ["5", "7", "8"]
    assert len(dtssd.curves[0].runs) == 1


@pytest.mark.parametrize("figures", [[0.0], [0.0, 0.0], [None, None], [1e-4, 3e5]])
def test_plots_of_odd_figures(figures):
    (plot,) = plots.plots([UnitScores("a", "given", "mask", list(range(len(figures))), {"mad": figures})])
    assert len({tick.at for tick in plot.up}) == len(plot.up) > 1


@pytest.mark.parametrize(
    ("most", "scale"),
    [
        (0.0, (1.0, 0.5)),
        (4.0, (4.0, 1.0)),
        (4.1, (6.0, 2.0)),
        (9.0, (10.0, 2.5)),
        (10.0, (10.0, 2.5)),
        (17.0, (20.0, 5.0)),
    ],
)
def test_scales_are_round(most, scale):
    assert plots._scale(most) == pytest.approx(scale)


def test_the_curve_of_the_masks_is_drawn_last_and_lies_on_top():
    scores = [UnitScores("a", "given", name, [1, 2], {"grad": [1.0, 2.0]}) for name in ("mask", "classic")]
    (plot,) = plots.plots(scores)
    assert [curve.engine for curve in plot.curves] == ["classic", "mask"]
    assert plot.curves[0].runs == [f"{plots.LEFT:.1f},60.0 {plots.WIDTH - plots.RIGHT:.1f},{plots.TOP:.1f}"]
    assert [tick.at for tick in plot.along] == [plots.LEFT, plots.WIDTH - plots.RIGHT]
