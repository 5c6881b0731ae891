import numpy as np
import pytest
from videomama_server.train.data.drawn import Request
from videomama_server.train.data.motion import Trajectory

WANTED = Request(10, 200, 100)


def middle(matrix, shape=(40, 60)):
    return matrix[:, :2] @ np.array([shape[1] / 2, shape[0] / 2]) + matrix[:, 2]


@pytest.mark.parametrize("seed", range(5))
def test_a_still_moves_slowly_and_stays_near_the_picture(seed):
    course = Trajectory.draw(np.random.default_rng(seed), moves=True)
    places = [middle(course.matrix(time, (40, 60), WANTED)) for time in range(10)]
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    assert 0 < steps.max() < 8
    assert (np.abs(np.array(places) - [100, 50]) < [0.55 * 200, 0.55 * 100]).all()


def test_a_clip_moves_by_itself_and_only_lies_somewhere():
    course = Trajectory.draw(np.random.default_rng(0), moves=False)
    assert np.array_equal(course.matrix(0, (40, 60), WANTED), course.matrix(9, (40, 60), WANTED))


def test_its_size_is_that_of_its_longer_side_in_the_pictures(monkeypatch):
    course = Trajectory.draw(np.random.default_rng(0), moves=False)
    for shape in ((40, 60), (400, 600)):
        side = np.linalg.norm(course.matrix(0, shape, WANTED)[:, 0]) * 60 * shape[0] / 40
        assert side == pytest.approx(course.scale * 200, rel=1e-5)


def test_some_are_mirrored_and_none_is_sheared():
    signs = set()
    for seed in range(20):
        turn = Trajectory.draw(np.random.default_rng(seed), moves=True).matrix(3, (40, 60), WANTED)[:, :2]
        assert abs(turn[:, 0] @ turn[:, 1]) < 1e-5
        signs.add(np.sign(np.linalg.det(turn)))
    assert signs == {-1, 1}
