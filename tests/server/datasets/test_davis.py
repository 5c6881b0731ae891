"""DAVIS: each object of a clip is a clip, by its colour."""

import numpy as np
import pytest
from videomama_server.datasets.layouts import read_data
from videomama_server.media import frames


def test_each_object_is_a_clip_and_one_alone_has_the_name_of_its_clip(make):
    data = read_data(make.davis())
    assert data.layout == "davis"
    assert {clip.name: clip.colour for clip in data.clips} == {
        "bear": "#800000",
        "two/1": "#800000",
        "two/2": "#008000",
    }
    assert {clip.data for clip in data.clips} == {"DAVIS"}
    assert data.broken == []


def test_the_exact_mask_of_an_object_is_its_colour_alone(make, draw):
    first, second = read_data(make.davis(clips=("bear", "two"), listed=("two",))).clips
    masks = [frames.read_mask(clip.truth[1], colours=clip.colour).pixels[..., 0] for clip in (first, second)]
    small = draw.disc(1, radius=6) >= 0.5
    assert np.array_equal(masks[1], np.roll(small, 30, axis=1))
    assert masks[0].sum() > masks[1].sum()


def test_only_clips_of_the_validation_set_are_found_where_there_is_a_list(make):
    assert [clip.name for clip in read_data(make.davis(listed=("bear",))).clips] == ["bear"]
    (make.folder / "DAVIS" / "ImageSets" / "2017" / "val.txt").unlink()
    assert len(read_data(make.folder / "DAVIS").clips) == 3


def test_an_annotation_without_colours_is_one_object(make, draw):
    root = make.davis(clips=("bear",))
    for index in range(draw.count):
        draw.put(root / "Annotations" / "480p" / "bear" / f"{index:05d}.png", draw.mask_of(draw.disc(index)))
    (clip,) = read_data(root).clips
    assert (clip.name, clip.colour) == ("bear", "")


def test_masks_of_a_tracker_lie_beside_it(make):
    clips = read_data(make.davis(made="sam2")).clips
    assert [clip.made.keys() for clip in clips] == [{"sam2"}] * 3
    assert clips[0].made["sam2"][1].parent.name == "bear"


def test_a_clip_without_readable_annotations_is_broken_alone(make):
    root = make.davis()
    for path in (root / "Annotations" / "480p" / "two").iterdir():
        path.unlink()
    data = read_data(root)
    assert ([clip.name for clip in data.clips], [one.name for one in data.broken]) == (["bear"], ["two"])


def test_a_clip_without_plates_is_broken(make):
    root = make.davis(clips=("bear",))
    for path in (root / "JPEGImages" / "480p" / "bear").iterdir():
        path.unlink()
    assert [one.name for one in read_data(root).broken] == ["bear"]


@pytest.mark.parametrize("left", [(), ((0, 128, 0),)])
def test_an_object_that_is_out_of_sight_on_a_frame_has_an_empty_mask_there(make, draw, left):
    root = make.davis(clips=("bear", "two"), listed=("two",))
    picture = np.zeros((*draw.size, 3), np.float32)
    for at, colour in enumerate(left):
        picture[at + 10 : at + 20, 5:15] = np.float32(colour) / 255
    draw.put(root / "Annotations" / "480p" / "two" / "00001.png", picture)
    first = read_data(root).clips[0]
    assert not frames.read_mask(first.truth[1], colours=first.colour).pixels.any()


def test_annotations_with_a_palette_are_read_as_those_of_colours_are(make, load_bench):
    """As DAVIS has them."""
    root = make.davis(clips=("bear", "two"), listed=("two",))
    before = [exact(clip) for clip in read_data(root).clips]
    for path in (root / "Annotations" / "480p" / "two").iterdir():
        picture = frames.read_plate(path).pixels.round()  # the channels are 0 or nearly one half, 128 of 255
        indices = (picture[..., 0] + 2 * picture[..., 1]).astype(np.uint8)
        palette = [(0, 0, 0), (128, 0, 0), (0, 128, 0)]
        path.write_bytes(load_bench("odd_pictures").palette_png(indices, palette))
    clips = read_data(root).clips
    assert [clip.colour for clip in clips] == ["#800000", "#008000"]
    assert [exact(clip).tobytes() for clip in clips] == [pixels.tobytes() for pixels in before]
    assert all(pixels.any() for pixels in before)


def exact(clip):
    return np.stack([frames.read_mask(clip.truth[number], colours=clip.colour).pixels for number in clip.numbers])
