from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from videomama_server.engines.classic.colour_grid import ColourGrid


def brute(places, values):
    """Every cell within one step along every axis, each weighted 1, 2, 1."""
    cells = np.floor(places).astype(int)
    steps = np.abs(cells[:, None] - cells[None]).astype(float)
    weights = np.where(steps > 1, 0, np.where(steps == 1, 1, 2)).prod(axis=2)
    return weights @ values / weights.sum(axis=1)


@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 60), spread=st.sampled_from([1.0, 3.0]), seed=st.integers(0, 99))
def test_with_all_cells_in_between_it_is_the_weighted_mean_over_neighbouring_cells(count, spread, seed):
    """One axis: the cells between are there, or too far apart to matter."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(-spread, spread, (count, 1))
    values = rng.random(count).astype(np.float32)
    np.testing.assert_allclose(ColourGrid(places).mean(values), brute(places, values), atol=1e-6)


def test_a_full_grid_is_blurred_along_every_axis():
    places = np.argwhere(np.ones((4, 5, 3))).astype(float)
    values = np.random.default_rng(0).random(len(places)).astype(np.float32)
    np.testing.assert_allclose(ColourGrid(places).mean(values), brute(places, values), atol=1e-6)


def test_pixels_of_another_colour_do_not_count():
    places = np.array([[0.0, 0.0], [0.5, 0.5], [0.0, 9.0]])
    assert ColourGrid(places).mean(np.float32([1, 1, 0])) == pytest.approx([1, 1, 0])


def test_the_ends_of_two_rows_are_no_neighbours():
    places = np.array([[0.0, 7.0], [1.0, 0.0]])
    assert ColourGrid(places).mean(np.float32([1, 0])) == pytest.approx([1, 0])


def test_no_pixels_have_no_means():
    assert ColourGrid(np.zeros((0, 3))).mean(np.zeros(0, np.float32)).shape == (0,)


def test_a_cell_counts_twice_as_much_as_its_neighbours():
    grid = ColourGrid(np.array([[0.5, 0.5], [1.5, 0.5], [3.5, 0.5], [0.5, 1.4]]))
    values = np.float32([1, 10, 100, 1000])
    assert grid.total(values).tolist() == [4 + 20 + 2000, 40 + 2, 400, 4000 + 2 + 10]
    assert grid.mean(values).tolist() == pytest.approx([2024 / 8, 42 / 6, 100, 4012 / 7])
