"""The jacket and the waving arm of the demo clip."""

import pytest
from videomama_server.synthetic.paint.moving import empty
from videomama_server.synthetic.paint.subject import pose, torso, waving_arm

TORSO = [
    (
        0.0,
        [15243, 27414, 39223, 192895, 1500, 2076, 2442, 3565, 7922, 14576, 21063, 111348, 40001, 67116, 93535, 435644],
    ),
    (
        7.3,
        [15374, 27678, 39622, 195444, 1886, 2763, 3419, 8149, 7923, 14585, 21081, 111761, 40092, 67326, 93872, 438573],
    ),
]
ARM = [
    (0.0, [7898, 5384, 4713, 25970, 4131, 2774, 2386, 12932, 728, 1017, 1350, 7112, 54317, 32634, 27679, 145715]),
    (7.3, [7898, 5384, 4713, 25970, 3774, 2587, 2271, 12270, 639, 961, 1307, 6954, 59044, 34905, 28787, 150765]),
]


@pytest.mark.parametrize(("time", "known"), TORSO)
def test_the_torso_looks_as_it_always_did(stage, looks_like, time, known):
    picture = empty(stage)
    torso(stage, pose(stage, time)).over(picture)
    looks_like(picture, known)


@pytest.mark.parametrize(("time", "known"), ARM)
def test_the_arm_looks_as_it_always_did(stage, looks_like, time, known):
    picture = empty(stage)
    waving_arm(stage, pose(stage, time), time).over(picture)
    looks_like(picture, known)


def test_their_details_are_what_they_always_were(large, unchanged):
    picture = empty(large)
    torso(large, pose(large, 7.3)).over(picture)
    unchanged(picture, [-5100, -9811, -15232, -52859])
    waving_arm(large, pose(large, 7.3), 7.3).over(picture)
    unchanged(picture, [-16857, -16189, -18170, -30817])


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(waving_arm) == {"samples": 21}
