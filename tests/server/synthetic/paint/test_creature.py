"""The furry animal."""

import pytest
from videomama_server.synthetic.paint.creature import _Blob, creature

KNOWN = [
    (
        0.0,
        [71228, 47173, 26166, 178286, 3640, 2340, 1198, 986, 26230, 18072, 10593, 69968, 180922, 123062, 73108, 416337],
    ),
    (
        7.3,
        [
            70735,
            46878,
            26021,
            176978,
            4629,
            2992,
            1557,
            3465,
            26215,
            18074,
            10601,
            69652,
            180601,
            122958,
            73100,
            414983,
        ],
    ),
]


@pytest.mark.parametrize(("time", "known"), KNOWN)
def test_it_looks_as_it_always_did(stage, looks_like, time, known):
    looks_like(creature(stage, time), known)


def test_its_details_are_what_they_always_were(large, unchanged):
    unchanged(creature(large, 7.3), [128157, 83775, 43814, 121071])


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(_Blob) == {"cream": 0.0}
