"""The gate and the wheel."""

import pytest
from videomama_server.synthetic.paint.ironwork import ironwork

KNOWN = [
    (
        0.0,
        [
            27973,
            48627,
            39392,
            218944,
            2432,
            -5751,
            -1691,
            -41004,
            4405,
            5886,
            5275,
            25389,
            91237,
            119173,
            106310,
            445228,
        ],
    ),
    (
        7.3,
        [
            26000,
            42924,
            35470,
            188228,
            2605,
            -5448,
            -1394,
            -38999,
            4472,
            5618,
            5084,
            23275,
            90495,
            114190,
            103710,
            413235,
        ],
    ),
]


@pytest.mark.parametrize(("time", "known"), KNOWN)
def test_it_looks_as_it_always_did(stage, looks_like, time, known):
    looks_like(ironwork(stage, time), known)


def test_its_details_are_what_they_always_were(large, unchanged):
    unchanged(ironwork(large, 7.3), [-49887, -58251, -66428, 90691])
