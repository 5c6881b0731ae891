import numpy as np
import pytest
from videomama_server.media.color_table import CurveTable


def roots(numbers):
    return np.sqrt(numbers)


def test_half_floats_are_looked_up_exactly():
    halves = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float32)
    pixels = np.ascontiguousarray(np.stack([halves, halves[::-1], np.roll(halves, 7)], axis=-1)[None])
    np.testing.assert_array_equal(CurveTable(roots)(pixels), np.sqrt(pixels))


def test_numbers_between_are_off_by_no_more_than_it_says():
    table = CurveTable(roots)
    numbers = np.random.default_rng(1).uniform(0, 1, (30, 41, 3)).astype(np.float32)
    off = np.abs(table(numbers) - np.sqrt(numbers)).max()
    assert 0 < off < 1e-4 < table.error  # the worst is from 32768 on
    assert table.error == pytest.approx(4 / (2 * 32768**0.5), rel=0.01)  # half of a step of 8, times the slope there


def test_the_table_has_an_entry_for_every_step_from_nothing_to_the_largest_half():
    table = CurveTable(roots)
    (column,) = table.columns
    exponents = 15 + 25  # powers of two from 2**-25 to the largest, with 4096 entries each
    assert len(column) == exponents * 4096 + 4096 - 3
    assert (column[0], column[-1]) == (0.0, np.float32(65504**0.5))


def test_what_lies_outside_takes_the_nearest_entry():
    found = CurveTable(roots)(np.array([[[-0.0, -1.0, -np.inf], [1e-12, np.inf, 1e9]]], np.float32))
    np.testing.assert_array_equal(found[0, 0], [0, 0, 0])
    np.testing.assert_array_equal(found[0, 1], np.sqrt(np.array([0, 65504, 65504], np.float32)))


@pytest.mark.parametrize("width", [1, 333, 70000])
def test_channels_may_have_curves_of_their_own(width):
    def own(numbers):
        return numbers * np.array([1, 2, 3], np.float32)

    pixels = np.random.default_rng(2).random((2, width, 3)).astype(np.float16).astype(np.float32)
    np.testing.assert_array_equal(CurveTable(own)(pixels), own(pixels))
