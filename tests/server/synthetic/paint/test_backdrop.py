"""The wall behind the demo clip."""

import pytest
from videomama_server.synthetic.paint.backdrop import backdrop

KNOWN = [
    (0.0, [235198, 144497, 76678, -45787, 1593, -12593, -504, -612, -1085, 269752, 156994, 90649]),
    (7.3, [231434, 144717, 75519, -48189, 1120, -13333, -529, -386, -1081, 266304, 156670, 89216]),
]


@pytest.mark.parametrize(("time", "known"), KNOWN)
def test_it_looks_as_it_always_did(stage, looks_like, time, known):
    looks_like(backdrop(stage, time), known)


def test_its_details_are_what_they_always_were(large, unchanged):
    unchanged(backdrop(large, 7.3), [94188, 37172, 18392])
