from __future__ import annotations

import numpy as np
import pytest
from videomama_server.engines.edges.tiles import FADE, OVERLAP, STEP, laid

SIZES = [(1, 1), (300, 512), (513, 700), (700, 833), (768, 1024), (1080, 1920), (831, 1090), (2160, 544)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("side", [384, 512, 768])
def test_the_weights_of_all_tiles_give_one_everywhere(size, side):
    total = np.zeros(size, np.float32)
    for tile in laid(size, side):
        total[tile.where] += tile.weights
    np.testing.assert_allclose(total, 1, atol=1e-6)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("side", [384, 512, 768])
def test_tiles_begin_at_whole_patches_and_do_not_count_next_to_their_borders_inside_the_picture(size, side):
    unseen = (OVERLAP - FADE) // 2
    for tile in laid(size, side):
        for where, weights, length in zip(tile.where, (tile.rows, tile.columns), size, strict=True):
            assert where.start % STEP == 0
            assert where.stop - where.start <= side
            assert where.start == 0 or (weights[:unseen] == 0).all()
            assert where.stop == length or (weights[-unseen:] == 0).all()


def test_a_picture_that_fits_is_one_tile_of_full_weight():
    (tile,) = laid((400, 512), 512)
    assert tile.where == (slice(0, 400), slice(0, 512))
    assert (tile.weights == 1).all()


def test_the_cross_fade_is_half_a_hann_window():
    first = next(laid((64, 900), 512)).columns
    falling = first[(first > 0) & (first < 1)]
    assert len(falling) == FADE
    assert (np.diff(falling) < 0).all()
    np.testing.assert_allclose(falling + falling[::-1], 1, atol=1e-6)
    np.testing.assert_allclose(falling, 0.5 + 0.5 * np.cos(np.pi * (np.arange(FADE) + 0.5) / FADE), atol=1e-6)
