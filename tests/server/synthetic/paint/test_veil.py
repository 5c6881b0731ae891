"""The sheer veil of the demo clip."""

import pytest
from videomama_server.synthetic.paint.moving import empty
from videomama_server.synthetic.paint.subject import pose
from videomama_server.synthetic.paint.veil import veil

KNOWN = [
    (0.0, [2639, 2233, 1928, 4128, -830, -702, -606, -1300, 612, 518, 447, 952, 28470, 24090, 20805, 43800]),
    (7.3, [2451, 2074, 1791, 3808, -706, -597, -516, -1101, 587, 496, 429, 906, 27692, 23431, 20236, 41769]),
]


@pytest.mark.parametrize(("time", "known"), KNOWN)
def test_it_looks_as_it_always_did(stage, looks_like, time, known):
    picture = empty(stage)
    veil(stage, pose(stage, time), time).over(picture)
    looks_like(picture, known)


def test_its_details_are_what_they_always_were(large, unchanged):
    picture = empty(large)
    veil(large, pose(large, 7.3), 7.3).over(picture)
    unchanged(picture, [34283, 29009, 25053, 43580])
