"""The filter over time that several engines use; tests/server/engines/classic/test_temporal.py holds its bits."""

from __future__ import annotations

import numpy as np
import pytest
from videomama_server.engines.flow_filter import FlickeringFrame, blended


def flickering(scene, count=6):
    rng = np.random.default_rng(0)
    return {
        number: FlickeringFrame(np.clip(scene.alpha + rng.normal(0, 0.1), 0, 1).astype(np.float32), scene.plate)
        for number in range(count)
    }


def flicker(alphas):
    return np.abs(np.diff(np.stack(alphas), axis=0)).mean()


def test_flicker_over_a_still_plate_is_calmed(scene):
    frames = flickering(scene)
    found = blended(frames, range(6))
    assert all(alpha.dtype == np.float32 and alpha.shape == scene.alpha.shape for alpha in found)
    assert flicker(found) < 0.6 * flicker([frame.alpha for frame in frames.values()])


def test_a_frame_depends_on_two_neighbours_on_either_side_and_no_more(scene):
    frames = flickering(scene, 8)
    (whole,) = blended(frames, [4])
    assert np.array_equal(whole, blended({number: frames[number] for number in range(2, 7)}, [4])[0])
    assert not np.array_equal(whole, blended({number: frames[number] for number in range(3, 7)}, [4])[0])


@pytest.mark.parametrize("hidden", [0, 2])
def test_a_frame_without_a_view_neither_gives_nor_takes(scene, hidden):
    frames = flickering(scene, 3)
    frames[hidden] = FlickeringFrame(frames[hidden].alpha, None)
    alone = {number: frame for number, frame in frames.items() if number != hidden}
    assert np.array_equal(blended(frames, [hidden])[0], frames[hidden].alpha)
    if hidden == 0:
        assert np.array_equal(blended(frames, [1])[0], blended(alone, [1])[0])


def test_the_frames_that_come_in_are_left_as_they_are(scene):
    frames = flickering(scene, 3)
    before = [frame.alpha.copy() for frame in frames.values()]
    blended(frames, range(3))
    assert all(np.array_equal(frame.alpha, kept) for frame, kept in zip(frames.values(), before, strict=True))


def test_its_pixels_are_what_they_always_were(scene, unchanged):
    """The plate changes a little more each frame, so that some pixels are trusted in part."""
    rng = np.random.default_rng(2)
    frames = {
        number: FlickeringFrame(
            np.clip(scene.alpha + rng.normal(0, 0.1), 0, 1).astype(np.float32),
            np.clip(np.roll(scene.plate, number, axis=1) + 0.02 * number * scene.alpha[..., None], 0, 1),
        )
        for number in range(5)
    }
    unchanged(np.dstack(blended(frames, [0, 2, 4])), [1285699, 1601163, 1464789], within=500)
