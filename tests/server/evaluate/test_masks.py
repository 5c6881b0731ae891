"""The masks that engines get."""

import zlib
from dataclasses import replace

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.datasets.layouts import read_data
from videomama_server.evaluate import masks as masking
from videomama_server.evaluate.asked import parse_masks
from videomama_server.media import frames
from videomama_server.synthetic import degrade


def written(clip, text, folder):
    folder.mkdir(parents=True)
    asked, told = parse_masks(text), []
    targets = masking.files(clip, asked, folder)
    masking.write(clip, asked, targets, lambda: told.append(1))
    assert len(told) == len(clip.numbers)
    return targets


def pixels(files):
    return np.stack([frames.read_mask(path).pixels[..., 0] for path in files.values()])


def test_given_masks_are_copied_byte_for_byte(clip, tmp_path):
    targets = written(clip, "given", tmp_path / "out")
    assert [target.name for target in targets.values()] == ["mask.1001.exr", "mask.1002.exr", "mask.1003.exr"]
    assert all(targets[number].read_bytes() == clip.mask[number].read_bytes() for number in clip.numbers)


def test_given_masks_of_several_subjects_become_one_sequence_each(make, tmp_path):
    clip = read_data(make.vhim()).clips[1]
    targets = written(clip, "given", tmp_path / "out")
    assert [target.name for target in targets.values()] == ["mask.0000.png", "mask.0001.png", "mask.0002.png"]


def test_degraded_masks_are_hard_rough_and_the_same_every_time(clip, tmp_path, draw):
    first = pixels(written(clip, "down8", tmp_path / "a"))
    assert set(np.unique(first)) == {0.0, 1.0}
    exact = np.stack([draw.mask_of(draw.disc(index)) for index in range(3)])
    assert 0 < np.abs(first - exact).mean() < 0.2
    np.testing.assert_array_equal(first, pixels(written(clip, "down8", tmp_path / "b")))


def test_every_clip_draws_for_itself(clip, tmp_path):
    clips = [replace(clip, name=name) for name in "abcdefgh"]
    shapes = {pixels(written(one, "exact+missing", tmp_path / one.name)).any(axis=(1, 2)).tobytes() for one in clips}
    assert len(shapes) > 1


def test_masks_that_are_not_there_cannot_be_given(make, tmp_path, raises_with_hint):
    clip = read_data(make.rvm()).clips[0]
    with raises_with_hint(BadInput, clip.name):
        masking.files(clip, parse_masks("given"), tmp_path)


def test_a_truth_that_cannot_be_read_names_its_frame(clip, tmp_path):
    clip.truth[1002].write_bytes(b"no picture")
    with pytest.raises(BadInput, match="frame 1002"):
        written(clip, "box", tmp_path / "out")


def test_the_draw_of_each_clip_is_the_same_for_ever():
    """Recorded qualities rest on these masks."""
    asked = degrade.Degradation(seed=3)
    assert masking._seed(asked, "hair") == 3 * 65536 + zlib.crc32(b"hair") % 65536 == 221465
    assert masking._seed(asked, "fur") != masking._seed(asked, "hair")


def test_masks_of_a_tracker_beside_the_data_are_copied(make, tmp_path, draw):
    root = make.rvm()
    for index in range(draw.count):
        place = root / "videomatte_96x64" / "videomatte_motion" / "0000" / "sam2"
        draw.put(place / f"{index:04d}.png", draw.mask_of(draw.disc(index, radius=9)))
    (clip,) = read_data(root).clips
    targets = written(clip, "sam2", tmp_path / "out")
    assert all(targets[number].read_bytes() == clip.made["sam2"][number].read_bytes() for number in clip.numbers)


def test_masks_of_a_tracker_must_be_there_for_every_frame(make, tmp_path, draw):
    root = make.vhim()
    draw.put(root / "comp_hard" / "sam2" / "00012" / "00001" / "00.png", draw.mask_of(draw.disc(1)))
    first, second = read_data(root).clips
    with pytest.raises(BadInput, match="the sam2 masks of comp_hard/00012/00 lack frames 0, 2"):
        masking.files(first, parse_masks("sam2"), tmp_path)
    assert masking.copied(second, parse_masks("sam2")) is None


def test_of_masks_with_several_colours_only_the_subject_is_taken(make, tmp_path):
    clip = read_data(make.davis(made="sam2")).clips[2]
    found = pixels(written(clip, "sam2", tmp_path / "out"))
    exact = [frames.read_mask(clip.truth[number], colours=clip.colour).pixels[..., 0] for number in clip.numbers]
    np.testing.assert_array_equal(found, np.stack(exact))


@pytest.mark.parametrize("own", [True, False])
def test_the_first_mask_is_the_clips_own_or_the_exact_alpha_cut_in_half(clip, tmp_path, draw, own):
    small = draw.mask_of(draw.disc(0, radius=6))
    draw.put(clip.mask[1001], small)
    masking.write_first(clip if own else replace(clip, mask=None), tmp_path / "key.exr")
    found = frames.read_mask(tmp_path / "key.exr").pixels[..., 0]
    np.testing.assert_array_equal(found, small if own else draw.mask_of(draw.disc(0)))
