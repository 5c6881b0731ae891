from __future__ import annotations

import numpy as np
import pytest
from videomama_server.engines.edges.blocks import blocks


@pytest.mark.parametrize("size", [(1, 1), (10, 33), (32, 32), (65, 40)])
def test_blocks_cover_each_pixel_once_and_see_their_margin_as_far_as_the_picture_reaches(size):
    seen = np.zeros(size, int)
    place = np.arange(size[0] * size[1]).reshape(size)
    for block in blocks(size, margin=3, side=16):
        seen[block.own] += 1
        assert np.array_equal(place[block.around][block.inner], place[block.own])
        for own, around, length in zip(block.own, block.around, size, strict=True):
            assert around.start == max(0, own.start - 3)
            assert around.stop == min(length, own.stop + 3)
    assert (seen == 1).all()
