import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.metrics import change, drift, overlap_disagreement, seam_test


def flat(value):
    return np.full((6, 8), value, np.float32)


def changes(alphas, first=1):
    return {first + index: change(alphas[index], alphas[index - 1]) for index in range(1, len(alphas))}


def test_a_jump_at_the_seam_is_flagged():
    alphas = [flat(0.5)] * 4 + [flat(0.6)] * 4
    alphas[2] = flat(0.51)
    found = seam_test(changes(alphas), {5})
    assert found.at_seams == pytest.approx(100)
    assert found.elsewhere == pytest.approx(20 / 6)
    assert found.flagged
    assert found.ratio == pytest.approx(30, rel=1e-5)


def test_a_jump_elsewhere_is_not_flagged():
    found = seam_test(changes([flat(0.5)] * 3 + [flat(0.7)] * 4), {5})
    assert not found.flagged
    assert found.ratio == 0


def test_a_clip_that_stands_still_has_no_ratio():
    found = seam_test(changes([flat(0.5)] * 6), [4])
    assert not found.flagged
    assert found.ratio is None


@pytest.mark.parametrize("seams", [[], [1], [99], [2, 3, 4]])
def test_without_seams_or_without_others_nothing_can_be_compared(seams):
    with pytest.raises(BadInput, match="nothing can be compared"):
        seam_test(changes([flat(0.5)] * 4), seams)


def test_overlap_disagreement_is_the_mean_over_pairs():
    pairs = [(flat(0.5), flat(0.6)), (flat(0.5), flat(0.5))]
    assert overlap_disagreement(pairs) == pytest.approx(50)


def test_no_overlap_is_bad_input():
    with pytest.raises(BadInput, match="No frame"):
        overlap_disagreement([])


def test_drift_is_the_share_by_which_the_error_grew():
    assert drift([2.0, 4.0], [4.0, 4.0]) == pytest.approx(1 / 3)
    assert drift([4.0], [2.0]) == pytest.approx(-0.5)
    assert drift([0.0], [2.0]) is None


@pytest.mark.parametrize("chunks", [([], [1.0]), ([1.0], [])])
def test_drift_needs_two_chunks(chunks):
    with pytest.raises(BadInput, match="two chunks"):
        drift(*chunks)
