"""The plot shades what is flagged, and draws no line where there is no score."""

from types import SimpleNamespace

import numpy as np
import pytest
from videomama_client.messages import QcFlag
from videomama_server.qc import plot as drawing
from videomama_server.qc.flags import judge
from videomama_server.qc.plot import plot
from videomama_server.qc.scores import FrameScores


def scored(frame, level):
    """Scores that rise from frame to frame, each from and to another height."""
    values = {
        "iou": 1 - level / 2,
        "mask": level / 3,
        "coverage": level / 4,
        "outside": level / 5,
        "softness": level / 6,
    }
    return FrameScores(frame, **values, hole=level / 90, alike=0.9, flicker=level / 8, gain=level / 70, loss=level / 60)


def test_the_plot_shades_what_is_flagged(clip):
    right = plot(clip.scores(), [])
    clip.alpha[1008] = np.zeros_like(clip.alpha[1008])
    scores = clip.scores()
    wrong = plot(scores, judge(scores))
    assert right.shape == wrong.shape
    shade = (wrong == (70, 34, 28)).all(axis=-1)
    assert shade.any()
    assert not (right == (70, 34, 28)).all(axis=-1).any()


def test_a_plot_of_one_frame(make_clip):
    one, many = (plot(make_clip(count=count).scores(), []) for count in (1, 16))
    assert one.shape == many.shape
    assert one.dtype == np.uint8
    ink = [int((picture > 90).any(axis=-1).sum()) for picture in (one, many)]
    assert 0 < ink[0] < ink[1]


def test_the_shade_lies_where_the_frame_is(clip):
    def shaded(frame):
        flag = QcFlag("alpha dropped", [frame], frame, "")
        columns = np.flatnonzero((plot(clip.scores(), [flag]) == (70, 34, 28)).all(axis=-1).any(axis=0))
        return columns[0], columns[-1]

    first, middle, last = (shaded(frame) for frame in (1001, 1008, 1016))
    assert first[0] < first[1] < middle[0] < middle[1] < last[0] < last[1]
    assert (first[0] + last[1]) / 2 - (middle[0] + middle[1]) / 2 == pytest.approx((last[1] - first[0]) / 30, rel=0.2)


def test_it_is_the_plot_that_it_always_was(clip):
    """Panels, scales and curves in one figure: where ink lies, row by row of each."""
    scores = [scored(1001 + index, index / 15) for index in range(16)]
    picture = plot(scores, [QcFlag("hole", [1003], 1003, "")]).astype(float).mean(axis=-1)
    known = [29079, 30441, 29390, 29234, 28671, 29907, 29556, 29503, 30924, 30657, 29814, 29386]
    found = [int(part.mean() * 1000) for part in np.array_split(picture, 12)]
    np.testing.assert_allclose(found, known, rtol=2e-4, err_msg=str(found))


@pytest.mark.parametrize("numbers", [[7], [7, 8], [7, 9, 17]])
def test_the_first_frame_stands_at_the_left_and_the_last_at_the_right(numbers):
    scores = [SimpleNamespace(frame=number) for number in numbers]
    left, right = drawing._LEFT, drawing._WIDTH - drawing._RIGHT
    places = [drawing._across(scores, number) for number in numbers]
    shares = [(number - 7) / max(1, numbers[-1] - 7) for number in numbers]
    assert places == [left + round(share * (right - left)) for share in shares]
    assert places[0] == left
    assert len(numbers) == 1 or places[-1] == right


def test_curves_thresholds_and_shades_are_where_they_always_were(unchanged):
    levels = [*np.linspace(0, 1, 12), None, 0.4, 3.0, 0.0]
    scores = [
        FrameScores(
            1001 + index,
            iou=1 - (level or 0) / 4,
            mask=(level or 0) / 3,
            coverage=(level or 0) / 4,
            outside=None if level is None else level / 20,
            softness=level,
            hole=level,
            alike=0.9,
            flicker=level,
            gain=level,
            loss=0.01,
            ragged=(level or 0) / 9,
            veil=(level or 0) / 12,
            remains=0.02,
            strands=(level or 0) / 50,
            seam=level,
        )
        for index, level in enumerate(levels)
    ]
    kinds = [kind for panel in drawing.PANELS for kind in panel.kinds]
    flags = [QcFlag(kind, [1001 + at % 16, 1016], 1016, "") for at, kind in enumerate(kinds)]
    unchanged(plot(scores, flags).astype(np.float32) / 255, [-38261, -24140, -25618])
    unchanged(plot(scores[:5] * 6, []).astype(np.float32) / 255, [-26958, -44359, -55339])
