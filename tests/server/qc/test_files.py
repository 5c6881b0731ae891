"""Clips in files: which frames, how many at once, on whose canvas."""

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.media import frames
from videomama_server.media.frames import Picture
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.qc import files
from videomama_server.qc.files import Reading, RefinedClip, measure, refined_clip
from videomama_server.qc.scores import Gauge


class Counting(RefinedClip):
    """Counts the frames that were read."""

    def look(self, frame):
        READ.append(frame)
        return super().look(frame)


READ: list[int] = []


def test_files_are_measured_as_arrays_are(clip, written):
    patterns = written(clip)
    gauge = Gauge()
    for found in measure(refined_clip(patterns)).scores:
        number = found.frame
        own = gauge.add(number, clip.plate[number], clip.mask[number], clip.alpha[number])
        for name in ("iou", "coverage", "outside", "softness", "hole", "flicker"):
            assert getattr(found, name) == pytest.approx(getattr(own, name), abs=2e-3)


def test_only_a_few_frames_are_read_ahead(clip, written):
    patterns = written(clip)
    whole = refined_clip(patterns)
    READ.clear()
    ahead = []
    measure(Counting(whole.plate, whole.mask, whole.alpha), lambda frame: ahead.append(len(READ) - frame + 1000))
    assert len(READ) == len(clip.numbers) == len(ahead)
    assert max(ahead) <= 3


def test_a_gap_in_the_numbers_is_no_change(clip, written):
    measured = measure(refined_clip(written(clip), [1001, 1002, 1010, 1011]))
    found = {one.frame: one for one in measured.scores}
    assert [found[frame].flicker is None for frame in (1001, 1002, 1010, 1011)] == [True, False, True, False]


@pytest.mark.parametrize("where", ["glimpse", "gauge"])
def test_a_frame_that_cannot_be_measured_is_left_out_and_changes_from_it_are_too(clip, written, fail_on, where):
    fail_on(where, 1004)
    seen = []
    measured = measure(refined_clip(written(clip), range(1001, 1009)), seen.append)
    assert [str(error) for error in measured.failures.values()] == ["shapes"]
    assert [one.frame for one in measured.scores] == [1001, 1002, 1003, 1005, 1006, 1007, 1008]
    assert [one.frame for one in measured.scores if one.flicker is None] == [1001, 1005]
    assert list(measured.failures) == [1004]
    assert seen == list(range(1001, 1009))


def on_twos(clip):
    """Take every second frame away."""
    for number in clip.numbers[1::2]:
        for role in (clip.plate, clip.mask, clip.alpha):
            del role[number]
    return clip


def test_frames_on_twos_follow_each_other(clip, written):
    found = measure(refined_clip(written(on_twos(clip)))).scores
    assert [one.frame for one in found] == list(range(1001, 1017, 2))
    assert [one.flicker is None for one in found] == [True] + [False] * 7


def test_every_second_frame_of_alphas_on_ones_follows_none(clip, written):
    found = measure(refined_clip(written(clip), range(1001, 1017, 2))).scores
    assert all(one.flicker is None for one in found)


def test_a_single_frame_beside_a_sequence_is_refused(clip, written):
    plate, mask, alpha = written(clip)
    with pytest.raises(BadInput, match=r"is a single frame of plate\.####\.png \(1001-1016\)"):
        refined_clip((plate.replace("####", "1003"), mask, alpha))


def test_frames_that_are_wanted_must_be_there(clip, written):
    with pytest.raises(BadInput, match="missing: plate frames 1017-1018"):
        refined_clip(written(clip), range(1015, 1019))


def test_all_three_are_cut_to_the_plates_display_window(tmp_path):
    display = Rect(0, 0, 160, 96)
    frames.write_picture(tmp_path / "p.exr", np.ones((116, 180, 3)), geometry=Geometry(display, display.grow(10, 10)))
    frames.write_picture(tmp_path / "m.exr", np.ones((96, 160)), ("A",), geometry=Geometry(display, display))
    frames.write_picture(
        tmp_path / "a.exr", np.ones((116, 180)), ("A",), geometry=Geometry(display, display.grow(10, 10))
    )
    loaded = refined_clip(tuple(str(tmp_path / name) for name in ("p.exr", "m.exr", "a.exr"))).read(1)
    assert loaded.plate.shape == (96, 160, 3)
    assert (loaded.alpha.sum(), loaded.mask.sum()) == (96 * 160, 96 * 160)


def test_data_windows_may_change_from_frame_to_frame(tmp_path):
    display = Rect(0, 0, 160, 96)
    for number, more in ((1, 0), (2, 10), (3, 30)):
        data = display.grow(more, more)
        for name, channels in (("p", ("R", "G", "B")), ("m", ("A",)), ("a", ("A",))):
            pixels = np.full((data.h, data.w, len(channels)), 0.25)
            pixels[more + 20 : more + 60, more + 20 : more + 60] = 1
            path = tmp_path / f"{name}.{number:04d}.exr"
            frames.write_picture(path, pixels, channels, geometry=Geometry(display, data))
    found = measure(refined_clip(tuple(str(tmp_path / f"{name}.####.exr") for name in "pma"))).scores
    assert [one.frame for one in found] == [1, 2, 3]
    assert [one.flicker for one in found] == [None, pytest.approx(0, abs=1e-6), pytest.approx(0, abs=1e-6)]


def test_an_unknown_colour_space_is_refused(clip, written):
    with pytest.raises(BadInput, match="unknown colour space"):
        measure(refined_clip(written(clip), how=Reading(colorspace="nonsense")))


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Reading) == {"exposure": 0.0}


def test_of_a_mask_or_an_alpha_odd_values_are_none_and_others_0_to_1():
    odd = Picture(np.float32([[[np.nan], [np.inf], [-np.inf], [-1.0], [2.0], [0.25]]]), None)
    assert files._sane(odd).pixels[0, :, 0].tolist() == [0, 1, 0, 0, 1, 0.25]
