"""The smoke and the glass."""

import pytest
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
