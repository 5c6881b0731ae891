"""Both conventions measure the same things by name, and differ where MaGGIe's evaluation does."""

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server import metrics
from videomama_server.metrics.conventions import CONVENTIONS

DIFFERENT = {"mad", "mse", "grad", "mad_t", "dtssd"}  # by counts of pixels and by 8 bits


def test_both_have_the_same_measures():
    one, other = CONVENTIONS["rvm"], CONVENTIONS["maggie"]
    assert one.of_frame.keys() == other.of_frame.keys()
    assert one.of_pair.keys() == other.of_pair.keys()
    of_colour = {"foreground_mad", "foreground_mse"}
    assert one.of_frame.keys() | one.of_pair.keys() == set(metrics.MEASURES) - of_colour


@pytest.mark.parametrize("name", ["mad", "mse", "sad", "grad", "conn", "mad_t", "j", "f"])
def test_a_name_of_ours_stands_for_the_measure_of_that_name(blob, name):
    measure = {"j": metrics.jaccard, "f": metrics.boundary_f}.get(name) or getattr(metrics, name)
    pair = blob(1), blob(2)
    assert CONVENTIONS["rvm"].of_frame[name](*pair) == pytest.approx(measure(*pair))


def test_they_differ_in_the_measures_that_are_known_to():
    for part in ("of_frame", "of_pair"):
        ours, theirs = (getattr(CONVENTIONS[name], part) for name in ("rvm", "maggie"))
        assert {name for name in ours if ours[name] is not theirs[name]} == DIFFERENT & ours.keys()


def test_ours_leaves_an_alpha_as_it_is_and_theirs_does_not():
    alpha = np.float32([[0.0, 0.0001, 0.5, 1.0]])
    assert CONVENTIONS["rvm"].prepare(alpha) is alpha
    assert not np.array_equal(CONVENTIONS["maggie"].prepare(alpha), alpha)
    with pytest.raises(BadInput):
        CONVENTIONS["rvm"].prepare(alpha.astype(np.uint8))
