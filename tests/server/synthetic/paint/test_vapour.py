"""The smoke and the glass."""

import numpy as np
import pytest
from videomama_server.synthetic.paint import vapour as smoke
from videomama_server.synthetic.paint.vapour import vapour

KNOWN = [
    (
        0.0,
        [
            35536,
            34652,
            31345,
            75681,
            -2085,
            -2313,
            -835,
            -6146,
            5036,
            3748,
            1962,
            13179,
            125469,
            120956,
            108577,
            225952,
        ],
    ),
    (
        7.3,
        [
            35120,
            34095,
            30948,
            74245,
            -2283,
            -2383,
            -1030,
            -6166,
            5012,
            3706,
            1968,
            13040,
            125047,
            120606,
            108325,
            224902,
        ],
    ),
]


@pytest.mark.parametrize(("time", "known"), KNOWN)
def test_it_looks_as_it_always_did(stage, looks_like, time, known):
    looks_like(vapour(stage, time), known)


def test_its_details_are_what_they_always_were(large, unchanged):
    unchanged(vapour(large, 7.3), [-17780, -8013, -5541, -52087])


@pytest.mark.parametrize("key", [0, 1, 2])
def test_the_fields_of_the_smoke_stay_within_what_its_formulas_take(stage, key):
    field = smoke._field(stage, key)
    assert field.shape == (540, 320)
    assert 0.7 < np.abs(field).max() < 1


def test_in_a_long_clip_the_smoke_turns_back_at_the_end_of_its_field(stage):
    field, span = smoke._field(stage, 0), 358
    at = {share: smoke._drifted(stage, 0, share * span / stage.scale) for share in (0, 0.25, 1, 1.75, 2, 2.25)}
    np.testing.assert_allclose(at[0], field[:180], atol=1e-5)
    np.testing.assert_allclose(at[1], field[span : span + 180], atol=1e-5)
    np.testing.assert_allclose(at[2], at[0], atol=1e-5)
    for share in (1.75, 2.25):
        np.testing.assert_allclose(at[share], at[0.25], atol=1e-5)
    assert np.abs(at[0.25] - at[0]).max() > 0.1
