from dataclasses import replace

import numpy as np
import pytest
from videomama_server.media import frames
from videomama_server.metrics import dtssd, mad
from videomama_server.synthetic.demo_clip import ClipShape, render_frame, write_clip

SMALL = ClipShape(width=320, height=180, frames=3, first=1001)


@pytest.fixture(scope="module")
def small():
    return [render_frame(SMALL, number) for number in SMALL.numbers]


@pytest.fixture(scope="module")
def full():
    return render_frame(ClipShape(), 1006)


def soft(alpha):
    return (alpha > 0.02) & (alpha < 0.98)


def test_shapes_and_ranges(small):
    for frame in small:
        assert frame.plate.shape == frame.foreground.shape == (180, 320, 3)
        assert frame.alpha.shape == frame.mask.shape == (180, 320)
        for pixels in (frame.plate, frame.foreground, frame.alpha, frame.mask):
            assert pixels.dtype == np.float32
            assert np.isfinite(pixels).all()
        assert frame.alpha.min() == 0
        assert frame.alpha.max() == 1
        assert set(np.unique(frame.mask)) == {0, 1}
        assert frame.foreground.min() >= 0


def test_same_bits_every_time_and_on_its_own(small):
    again = render_frame(SMALL, 1003)
    longer = render_frame(ClipShape(width=320, height=180, frames=50), 1003)
    for name in ("plate", "alpha", "foreground", "mask"):
        np.testing.assert_array_equal(getattr(again, name), getattr(small[2], name))
        np.testing.assert_array_equal(getattr(longer, name), getattr(small[2], name))


def test_another_seed_is_another_clip(small):
    other = render_frame(ClipShape(width=320, height=180, seed=8), 1001)
    assert not np.array_equal(other.alpha, small[0].alpha)
    assert not np.array_equal(other.plate, small[0].plate)


def test_frames_differ_and_the_subject_moves(small):
    assert mad(small[0].alpha, small[1].alpha) > 1
    assert not np.array_equal(small[0].plate, small[1].plate)


def test_plate_is_the_foreground_over_something_plus_grain(full):
    solid = full.alpha == 1
    grain = (full.plate - full.foreground)[solid]
    assert 0 < grain.std() < 0.02
    assert abs(grain.mean()) < 1e-3


def test_its_details_are_what_they_always_were(full, unchanged):
    unchanged(
        np.dstack([full.plate, full.alpha, full.foreground * full.alpha[..., None], full.mask]),
        [337539, 161989, 108223, 2340, 116379, 54852, 26745, 99096],
    )


def test_highlights_pass_one(full):
    assert np.percentile(full.plate, 99.9) > 1


def test_has_fine_hair_and_a_sheer_veil(full):
    share = soft(full.alpha).mean()
    assert 0.02 < share < 0.12
    scarf = full.alpha[330:385, 235:330]
    assert ((scarf > 0.3) & (scarf < 0.55)).sum() > 400


def test_motion_blur_softens_the_hand_only_when_it_is_fast():
    hand = np.s_[150:300, 620:860]
    fast, slow = (soft(render_frame(ClipShape(), number).alpha[hand]).mean() for number in (1006, 1004))
    assert fast > 1.3 * slow


def test_mask_is_rough_but_not_wrong(full):
    assert 10 < mad(full.mask, full.alpha) < 35
    inside = full.mask == 1
    overlap = (inside & (full.alpha > 0.5)).sum() / (inside | (full.alpha > 0.5)).sum()
    assert 0.9 < overlap < 0.98


def test_mask_jitters_from_frame_to_frame(small):
    first, second = small[:2]
    assert dtssd(second.mask, second.alpha, first.mask, first.alpha) > 3


def test_mask_reaches_the_bottom_of_the_picture(full):
    solid = full.alpha[-1] == 1
    assert full.mask[-1][solid].mean() > 0.97


@pytest.mark.parametrize("size", [(96, 54), (130, 200)])
def test_odd_sizes_render(size):
    frame = render_frame(ClipShape(width=size[0], height=size[1]), 1001)
    assert frame.plate.shape == (size[1], size[0], 3)
    assert 0.1 < frame.alpha.mean() < 0.9


def test_frames_long_after_the_start_render():
    frame = render_frame(ClipShape(width=160, height=90, frames=500), 1480)
    assert np.isfinite(frame.plate).all()


def test_write_clip_round_trips(tmp_path, small):
    clip = write_clip(tmp_path / "shot" / "demo", SMALL)
    assert len(list((tmp_path / "shot" / "demo").iterdir())) == 9
    assert list(clip.numbers) == [1001, 1002, 1003]
    number, frame = 1002, small[1]
    plate = frames.read_plate(clip.at(clip.plate, number)).pixels
    np.testing.assert_allclose(plate, frame.plate, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(frames.read_mask(clip.at(clip.mask, number)).pixels[..., 0], frame.mask)
    np.testing.assert_array_equal(frames.read_mask(clip.at(clip.truth, number)).pixels[..., 0], frame.alpha)


def test_a_clip_that_is_written_again_takes_the_place_of_the_first(tmp_path):
    shape = ClipShape(width=64, height=36, frames=1)
    clip = write_clip(tmp_path, shape)
    first = clip.at(clip.plate, 1001).read_bytes()
    write_clip(tmp_path, replace(shape, seed=8))
    assert clip.at(clip.plate, 1001).read_bytes() != first
    assert len(list(tmp_path.iterdir())) == 3


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(ClipShape) == {"width": 960, "height": 540, "frames": 24, "first": 1001, "seed": 7}
