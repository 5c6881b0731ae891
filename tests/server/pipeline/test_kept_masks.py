"""A mask that was read once comes back bit by bit, and no clip fills the memory."""

import numpy as np
import pytest
from videomama_server.cache.memo import FileId, Stamp
from videomama_server.media.frames import Picture
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.pipeline.kept_masks import KeptMasks

WINDOW = Rect(0, 0, 64, 48)


def mask_of(values):
    pixels = np.zeros((48, 64, 1), np.float32)
    pixels[10, : len(values), 0] = values
    return Picture(pixels, Geometry(WINDOW, WINDOW), colours=("#ff0000",))


def file_of(path, size=1):
    return FileId(path, "mask.1001.exr", Stamp(size, 2, 3))


@pytest.mark.parametrize("values", [[1, 0.5, 0.25], [1, 1 / 3, 1e-30], [np.nan, -0.0, np.inf, 70000, -3], []])
def test_a_mask_comes_back_bit_by_bit(tmp_path, values):
    kept, mask = KeptMasks(), mask_of(values)
    kept.keep(1001, file_of(tmp_path), mask)
    found = kept.take(1001, file_of(tmp_path))
    assert found.pixels.dtype == np.float32
    assert found.pixels.tobytes() == mask.pixels.tobytes()
    assert (found.geometry, found.colours) == (mask.geometry, mask.colours)


def test_a_mask_is_given_once_and_only_of_the_same_file(tmp_path):
    kept = KeptMasks()
    kept.keep(1001, file_of(tmp_path), mask_of([1]))
    kept.keep(1002, file_of(tmp_path), mask_of([1]))
    assert kept.take(1001, file_of(tmp_path)) is not None
    assert kept.take(1001, file_of(tmp_path)) is None
    assert kept.take(1002, file_of(tmp_path, size=9)) is None
    assert kept.take(1003, file_of(tmp_path)) is None


def test_what_is_kept_has_a_limit_and_room_again_once_it_was_taken(tmp_path):
    kept, mask = KeptMasks(most_bytes=100), mask_of([1, 0.5, 0.25])  # five runs of six bytes
    for frame in range(1001, 1011):
        kept.keep(frame, file_of(tmp_path), mask)
    held = [frame for frame in range(1001, 1011) if kept.take(frame, file_of(tmp_path)) is not None]
    assert held == [1001, 1002, 1003]
    kept.keep(1011, file_of(tmp_path), mask)
    assert kept.take(1011, file_of(tmp_path)) is not None


def test_grain_is_not_kept(tmp_path):
    grain = np.random.default_rng(0).random((48, 64, 1)).astype(np.float32)
    kept = KeptMasks()
    kept.keep(1001, file_of(tmp_path), Picture(grain, Geometry(WINDOW, WINDOW)))
    assert kept.take(1001, file_of(tmp_path)) is None
