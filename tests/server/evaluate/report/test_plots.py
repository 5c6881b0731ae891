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


def test_places_on_the_axes_are_reckoned_from_the_rims():
    assert [plots._along(frame, [5, 7, 9]) for frame in (5, 7, 9)] == [40, 217, 394]
    assert plots._along(5, [5]) == 40
    assert [plots._up(value, 4.0) for value in (0, 2, 4)] == [112, 60, 8]


@pytest.mark.parametrize(("most", "ticks"), [(4.0, ["0", "1", "2", "3", "4"]), (9.0, ["0", "2.5", "5", "7.5", "10"])])
def test_ticks_go_from_nothing_to_the_top(most, ticks):
    (plot,) = plots.plots([UnitScores("a", "given", "mask", [1, 2], {"mad": [most, 0.0]})])
    assert [tick.text for tick in plot.up] == ticks
    assert (plot.up[0].at, plot.up[-1].at) == (112, 8)
    (empty,) = plots.plots([UnitScores("a", "given", "mask", [1, 2], {"mad": [0.0, None]})])
    assert [tick.text for tick in empty.up] == ["0", "0.5", "1"]
