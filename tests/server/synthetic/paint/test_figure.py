"""The jointed figure, in different clothes and poses."""

import pytest
from videomama_server.synthetic.paint.figure import Outfit, Pose, figure

STRIPED, PLAIN = Outfit(stripes=22), Outfit((0.50, 0.30, 0.035), (0.03, 0.05, 0.04), key=2)
JUMPING = Pose(x=8, y=300, size=1.12, lean=0.05, left_arm=(1.4, 0.25), right_arm=(-1.4, -0.25), left_leg=(0.3, 0.1))
NEAR = Pose(x=-90, y=400, size=1.4, nod=0.14, left_arm=(2.1, 0.9), right_arm=(-0.7, -1.3), right_leg=(-0.2, 0.3))
KNOWN = [
    (
        STRIPED,
        JUMPING,
        [28554, 8823, 8023, 96670, 1019, 266, 184, 1251, -5911, -994, 403, 1881, 131804, 38070, 30957, 304425],
    ),
    (
        STRIPED,
        NEAR,
        [43235, 12149, 9925, 121717, -7388, -1996, -1629, -22104, 342, -129, 1257, 15408, 164822, 46163, 34701, 342269],
    ),
    (
        PLAIN,
        JUMPING,
        [23942, 14761, 5007, 96670, 868, 504, 147, 1251, -5295, -2534, -491, 1881, 106212, 61709, 22637, 304425],
    ),
    (
        PLAIN,
        NEAR,
        [36374, 21772, 6804, 121717, -6191, -3703, -1102, -22104, -319, 487, -96, 15408, 132665, 76726, 27389, 342269],
    ),
]


@pytest.mark.parametrize(
    ("outfit", "pose", "known"), KNOWN, ids=["striped, jumping", "striped, near", "plain, jumping", "plain, near"]
)
def test_it_looks_as_it_always_did(stage, looks_like, outfit, pose, known):
    looks_like(figure(stage, outfit, pose), known)


@pytest.mark.parametrize(
    ("outfit", "pose", "known"),
    [(STRIPED, JUMPING, [7208, 4392, 6601, 95639]), (PLAIN, NEAR, [-17836, -5816, -17261, -170941])],
)
def test_its_details_are_what_they_always_were(large, unchanged, outfit, pose, known):
    unchanged(figure(large, outfit, pose), known)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Outfit) == {"stripes": 0.0, "key": 0}
    assert numbers_left_out(Pose) == {
        "x": 0.0,
        "y": 300.0,
        "turn": 0.0,
        "size": 1.0,
        "lean": 0.0,
        "nod": 0.0,
        "flip": False,
    }
