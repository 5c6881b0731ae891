import numpy as np
import pytest
from videomama_server.disks import extreme_in_disk, half_width


@pytest.mark.parametrize(("radius", "away", "wide"), [(2, 0, 2), (2, 1, 1), (2, 2, 0), (1.9999999999, 0, 2), (5, 3, 4)])
def test_a_row_of_a_disk_is_as_wide_as_its_circle(radius, away, wide):
    assert half_width(radius, away) == wide


@pytest.mark.parametrize("extreme", [np.maximum, np.minimum])
@pytest.mark.parametrize("radius", [0.5, 1, 2.3, 3, 7.5])
def test_the_extreme_is_that_of_all_pixels_of_the_disk(extreme, radius):
    pixels = np.random.default_rng(1).random((23, 29), np.float32)
    reach = half_width(radius, 0)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disk = np.flatnonzero(np.hypot(x, y) <= radius)
    found = extreme_in_disk(pixels, extreme, radius)
    assert found.shape == (23 - 2 * reach, 29 - 2 * reach)
    for row, column in np.ndindex(found.shape):
        around = pixels[row : row + 2 * reach + 1, column : column + 2 * reach + 1].ravel()[disk]
        assert found[row, column] == extreme.reduce(around)
