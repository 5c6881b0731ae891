import numpy as np
import pytest
from videomama_server.distances import distance_to, signed_depth


def test_distance_counts_pixels_to_the_region():
    region = np.zeros((9, 30), bool)
    region[4, 3] = True
    distance = distance_to(region)
    assert distance[4, 3] == 0
    assert distance[4, 23] == pytest.approx(20, rel=0.02)


def test_depth_is_positive_inside_and_the_outline_runs_between_two_pixels():
    region = np.zeros((9, 30), bool)
    region[:, :10] = True
    depth = signed_depth(region)
    np.testing.assert_allclose(depth[4, [0, 9, 10, 29]], [9.5, 0.5, -0.5, -19.5], rtol=0.02)
    np.testing.assert_array_equal(signed_depth(~region), -depth)
