"""Hair in the wind: a mass and single strands around it."""

import pytest
from videomama_server.synthetic.paint.hair import hair_mass, loose_strands
from videomama_server.synthetic.paint.moving import empty
from videomama_server.synthetic.paint.subject import pose

KNOWN = [
    (
        hair_mass,
        0.0,
        [4590, 2494, 1343, 96430, -225, -122, -66, -4742, -735, -395, -205, -11638, 15321, 8285, 4410, 305821],
    ),
    (
        hair_mass,
        7.3,
        [4590, 2494, 1343, 96429, -59, -32, -18, -1235, -794, -426, -222, -12872, 15330, 8289, 4411, 305813],
    ),
    (
        loose_strands,
        0.0,
        [4236, 2215, 1086, 48897, -339, -179, -93, -5816, -114, -54, -17, 3081, 16050, 8384, 4077, 178757],
    ),
    (
        loose_strands,
        7.3,
        [4260, 2228, 1092, 49258, -195, -104, -56, -4201, -173, -84, -32, 2451, 16175, 8450, 4108, 180552],
    ),
]


@pytest.mark.parametrize(("paint", "time", "known"), KNOWN)
def test_it_looks_as_it_always_did(stage, looks_like, paint, time, known):
    picture = empty(stage)
    paint(stage, pose(stage, time), time).over(picture)
    looks_like(picture, known)


@pytest.mark.parametrize(
    ("paint", "known"), [(hair_mass, [3764, 2347, 1538, 166574]), (loose_strands, [-7510, -4003, -1865, -82812])]
)
def test_its_details_are_what_they_always_were(large, unchanged, paint, known):
    picture = empty(large)
    paint(large, pose(large, 7.3), 7.3).over(picture)
    unchanged(picture, known)
