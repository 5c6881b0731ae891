import numpy as np
import pytest
from videomama_server.engines.segment.drift import drifts


def strip(begin, end):
    mask = np.zeros((4, 100), bool)
    mask[:, begin:end] = True
    return mask


@pytest.mark.parametrize(
    ("before", "after", "drifted"),
    [
        ((0, 50), (0, 50), False),
        ((0, 50), (0, 69), False),  # 38 percent more
        ((0, 50), (0, 71), True),  # 42 percent more
        ((0, 50), (0, 36), False),  # IoU 0.72
        ((0, 50), (0, 34), True),  # IoU 0.68
        ((0, 50), (8, 58), False),  # IoU 0.72
        ((0, 50), (10, 60), True),  # IoU 0.67
        ((0, 50), (0, 0), True),
        ((0, 0), (0, 50), False),
        ((0, 0), (0, 0), False),
    ],
)
def test_a_mask_drifts_by_its_area_or_its_place(before, after, drifted):
    assert drifts(strip(*before), strip(*after)) is drifted
