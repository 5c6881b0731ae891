"""Which frames a label has, and the files it is made from."""

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.datasets.annotated_layouts import find_clips
from videomama_server.label.source import span_of, write_masks, write_plates
from videomama_server.media import frames


@pytest.fixture
def clip_of(data, tmp_path):
    """A plain clip of nine frames with masks on some: `clip_of({1001, 1005}, empty={1005})`."""

    def made(masked, empty=()):
        folder = data.plain(tmp_path / "set", numbers=range(1001, 1010), masked=masked)
        for number in empty:
            data.put(folder / "shot" / "mask" / f"m.{number}.png", np.zeros(data.SIZE, np.float32), ("Y",))
        return find_clips(folder)["shot"]()

    return made


def test_a_label_lasts_from_the_first_mask_that_shows_the_object_to_the_last(clip_of):
    clip = clip_of({1001, 1003, 1005, 1007, 1009}, empty=(1001, 1005, 1009))
    span = span_of(clip, "object", is_made=False)
    assert (span.frames, span.shown, span.absent, span.has_gaps) == ([1003, 1005, 1007], [1003, 1007], [1005], False)
    whole = span_of(clip, "object", is_made=True)
    assert (whole.frames, whole.has_gaps, whole.unfit) == ([1003, 1004, 1005, 1006, 1007], True, "")


def test_frames_that_no_label_can_have(clip_of):
    assert span_of(clip_of({1001, 1005}, empty=(1001, 1005)), "object", is_made=True).unfit.startswith("empty")


def test_two_masks_make_a_label_where_they_are_neighbours(clip_of):
    assert span_of(clip_of({1004, 1005}), "object", is_made=False).unfit == ""


def test_two_masks_apart_make_one_only_with_a_maker(clip_of):
    clip = clip_of({1001, 1005})
    assert span_of(clip, "object", is_made=False).unfit.startswith("short")
    assert span_of(clip, "object", is_made=True).unfit == ""


def test_uneven_masks_are_refused(clip_of):
    with pytest.raises(BadInput, match="not equally far apart: 1001, 1003, 1009"):
        span_of(clip_of({1001, 1003, 1009}), "object", is_made=False)


def test_plates_and_masks_are_files_of_their_own(clip_of, data, tmp_path):
    clip = clip_of({1001, 1002})
    plates = write_plates(clip, [1001, 1002], tmp_path / "plate")
    masks = write_masks(clip.objects["object"], [1001, 1002], tmp_path / "mask")
    assert (plates.name, masks.name) == ("plate.####.png", "mask.####.png")
    copy = tmp_path / "plate" / "plate.1002.png"
    assert copy.read_bytes() == clip.plate[1002].read_bytes()
    assert copy.stat().st_ino != clip.plate[1002].stat().st_ino
    mask = frames.read_mask(tmp_path / "mask" / "mask.1002.png").pixels[..., 0]
    np.testing.assert_array_equal(mask, data.disc(1, 14))


def test_a_mask_that_cannot_be_read_names_its_frame(clip_of, tmp_path):
    clip = clip_of({1001, 1002})
    (tmp_path / "set" / "shot" / "mask" / "m.1002.png").write_bytes(b"no picture")
    with pytest.raises(BadInput, match="mask frame 1002"):
        span_of(clip, "object", is_made=False)
