"""The means of published tables."""

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.metrics import Scorer, rvm_table_mean


def flat(value, shape=(20, 30)):
    return np.full(shape, value, np.float32)


def test_tables_average_frame_by_frame():
    # The first frames of both clips, then the rest of the longer one.
    assert rvm_table_mean([[2.0, 4.0, 9.0], [4.0]]) == pytest.approx((3 + 4 + 9) / 3)


def test_tables_count_a_first_frame_without_change_as_0():
    scorer = Scorer(only=("dtssd",))
    for value in (1.0, 0.75, 1.0):
        scorer.add(flat(value), flat(1.0))
    assert rvm_table_mean([[scores.dtssd for scores in scorer.frames]]) == pytest.approx(50 / 3)


def test_tables_end_at_700_frames():
    assert rvm_table_mean([[1.0] * 700 + [99.0]]) == 1


@pytest.mark.parametrize("clips", [[], [[]]])
def test_a_table_of_nothing_is_bad_input(clips):
    with pytest.raises(BadInput, match="No frame"):
        rvm_table_mean(clips)
