"""Bad input and its answer: a typed error that names the file and frame, or a result that says what was odd."""

import os
import shutil

import numpy as np
import pytest
from videomama_client.errors import BadInput, NotPermitted, VideoMaMaError
from videomama_server.media import frames


def refused(server, files, kind=BadInput, /, **changes) -> VideoMaMaError:
    with pytest.raises(kind) as caught:
        server.refine(files, **changes)
    assert caught.value.hint
    return caught.value


def write_mask(clip, frame, pixels) -> None:
    frames.write_picture(clip.file("mask", frame), pixels.astype(np.float32), ("A",), "half")


@pytest.mark.parametrize("role", ["plate", "mask"])
def test_no_frames_match(server, make_clip, role):
    clip = make_clip(count=1)
    pattern = str(clip.folder / "nothing.####.exr")
    error = refused(server, clip, **{role: pattern})
    assert error.message == f"{role}: no frames match {pattern}; the folder holds plate.1001.exr, mask.1001.exr"


def test_missing_frames_are_all_listed(server, make_clip):
    clip = make_clip(count=8)
    for role, gone in (("plate", (1003, 1004, 1006)), ("mask", (1002, 1008))):
        for frame in gone:
            clip.file(role, frame).unlink()
    error = refused(server, clip)
    assert "plate frames 1003-1004, 1006" in error.message
    assert "mask frames 1002, 1008" in error.message
    assert not clip.alpha_file(1001).exists()


def test_a_frame_that_only_a_window_needs_is_missed_too(server, make_clip):
    clip = make_clip(count=8, first=1004)
    clip.file("mask", 1005).unlink()
    error = refused(server, clip, frame_ranges="1006", window=4, overlap=0)
    assert "mask frames 1005" in error.message
    assert server.refine(clip, frame_ranges="1010", window=4, overlap=0).numbers == [1010]


@pytest.mark.parametrize("role", ["plate", "mask"])
@pytest.mark.parametrize("damage", ["cut", "header only", "text", "empty", "zeros"])
def test_a_file_that_is_no_whole_picture_is_named_with_its_frame(server, make_clip, role, damage):
    clip = make_clip(count=3)
    path = clip.file(role, 1002)
    whole = path.read_bytes()
    content = {"cut": whole[: len(whole) * 2 // 3], "header only": whole[:200], "text": b"not a picture", "empty": b""}
    path.write_bytes(content.get(damage, bytes(len(whole))))
    error = refused(server, clip)
    assert f"{role} frame 1002: cannot read {path}" in error.message


def test_a_folder_in_place_of_a_frame_is_named(server, make_clip):
    clip = make_clip(count=2)
    clip.file("plate", 1002).unlink()
    clip.file("plate", 1002).mkdir()
    assert "1002" in refused(server, clip).message


def test_a_dangling_link_in_place_of_a_frame_is_named(server, make_clip):
    clip = make_clip(count=2)
    clip.file("mask", 1002).unlink()
    clip.file("mask", 1002).symlink_to(clip.folder / "gone.exr")
    assert "mask frame 1002" in refused(server, clip).message


@pytest.mark.parametrize("setting", [{"mask_channel": "roto.z"}, {"plate_layer": "beauty"}], ids=str)
def test_an_unknown_channel_lists_those_that_are_there(server, make_clip, setting):
    clip = make_clip(count=1)
    error = refused(server, clip, **setting)
    assert next(iter(setting.values())) in error.message
    assert f"Channels in the file: {'A' if 'mask_channel' in setting else 'R, G, B'}" in error.hint


def test_a_mask_of_another_size_is_resampled(server, make_clip):
    clip = make_clip(count=1)
    small = np.zeros((32, 48))
    small[8:24, 12:36] = 1.0
    write_mask(clip, 1001, small)
    server.refine(clip)
    alpha = clip.read_alpha(1001)
    assert alpha.shape == (64, 96)
    assert alpha[32, 48] == 1.0
    assert alpha[0, 0] == 0.0
    assert abs(alpha.mean() - small.mean()) < 0.01


def test_a_mask_of_another_aspect_is_refused_with_both_sizes(server, make_clip):
    clip = make_clip(count=2)
    write_mask(clip, 1002, np.ones((64, 64)))
    error = refused(server, clip)
    assert error.message == "mask frame 1002: it is 64x64, the plate is 96x64: another aspect"


def test_a_plate_that_changes_its_size_is_refused(server, make_clip):
    clip = make_clip(count=2)
    frames.write_picture(clip.file("plate", 1002), np.ones((128, 192, 3), np.float32))
    assert "plate frame 1002: it is 192x128, the clip is 96x64" in refused(server, clip).message


def test_masks_that_are_all_empty_are_refused_with_a_hint(server, make_clip):
    clip = make_clip(count=3)
    for frame in clip.numbers:
        write_mask(clip, frame, np.zeros((64, 96)))
    error = refused(server, clip)
    assert "all masks are empty (frames 1001-1003)" in error.message
    assert "channel" in error.hint


def test_one_empty_mask_is_a_warning_and_an_empty_alpha(server, make_clip):
    clip = make_clip(count=3)
    write_mask(clip, 1002, np.zeros((64, 96)))
    outcome = server.refine(clip, window=3)
    assert outcome.done.warnings == ["the mask is empty on frames 1002; alpha is 0 there"]
    assert clip.read_alpha(1002).max() == 0.0
    assert clip.read_alpha(1001).max() > 0.0


@pytest.mark.parametrize("engine", ["passthrough", "classic"])
def test_wild_plate_values_never_reach_the_alpha(server, make_clip, engine):
    clip = make_clip(count=2)
    pixels = frames.read_plate(clip.file("plate", 1001)).pixels.copy()
    pixels[10:20, 10:20] = np.nan
    pixels[20:30, 20:30] = np.inf
    pixels[30:40, 30:40] = -np.inf
    pixels[40:50, 40:50] = -5.0
    pixels[50:60, 50:60] = 60000.0
    frames.write_picture(clip.file("plate", 1001), pixels, dtype="half")
    outcome = server.refine(clip, engine=engine)
    assert outcome.done.frame_count == 2
    for frame in clip.numbers:
        alpha = clip.read_alpha(frame)
        assert np.isfinite(alpha).all()
        assert 0.0 <= alpha.min() <= alpha.max() <= 1.0


def test_wild_mask_values_become_a_sound_alpha(server, make_clip):
    clip = make_clip(count=1)
    mask = np.full((64, 96), 0.5)
    mask[:8, 0], mask[8:16, 0], mask[16:24, 0], mask[24:32, 0] = np.nan, np.inf, -np.inf, 7.0
    write_mask(clip, 1001, mask)
    server.refine(clip)
    column = clip.read_alpha(1001)[::8, 0]
    np.testing.assert_array_equal(column, [0.0, 1.0, 0.0, 1.0, 0.5, 0.5, 0.5, 0.5])


@pytest.mark.parametrize("size", [(96, 1), (1, 64), (15, 15)], ids=str)
def test_a_picture_too_small_to_matte_is_refused(server, make_clip, size):
    error = refused(server, make_clip(count=1, size=size))
    assert f"{size[0]}x{size[1]} pixels, too small to matte" in error.message


def test_an_output_folder_that_cannot_be_made_is_refused(server, make_clip):
    clip = make_clip(count=1)
    (clip.folder / "file").write_text("in the way")
    for out in ("file/alpha.####.exr", "file/deeper/alpha.####.exr"):
        error = refused(server, clip, NotPermitted, out=str(clip.folder / out))
        assert f"cannot write in {clip.folder / 'file'}" in error.message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_folder_that_may_not_be_written_is_refused(server, make_clip):
    clip = make_clip(count=1)
    (clip.folder / "out").mkdir(mode=0o500)
    assert "cannot write" in refused(server, clip, NotPermitted).message


@pytest.mark.parametrize("role", ["plate", "mask"])
@pytest.mark.parametrize(
    "written", ["{0}/{1}.####.exr", "{0}/x/../{1}.####.exr", "{0}/link/{1}.%04d.exr", "{0}/{1}.#.exr"]
)
def test_an_output_that_would_overwrite_the_input_is_refused(server, make_clip, role, written):
    clip = make_clip(count=2)
    (clip.folder / "link").symlink_to(clip.folder)
    before = clip.file(role, 1001).read_bytes()
    error = refused(server, clip, out=written.format(clip.folder, role))
    assert f"would overwrite the {role}" in error.message
    assert clip.file(role, 1001).read_bytes() == before


def test_an_output_that_would_overwrite_what_the_input_links_to_is_refused(server, make_clip):
    clip = make_clip(count=2)
    store = clip.folder / "store"
    store.mkdir()
    for frame in clip.numbers:
        path = clip.file("mask", frame)
        path.rename(store / path.name)
        path.symlink_to(store / path.name)
    assert "would overwrite the mask" in refused(server, clip, out=str(store / "mask.####.exr")).message


def test_an_output_that_would_overwrite_input_of_other_padding_is_refused(server, make_clip):
    clip = make_clip(count=1)
    wide = clip.file("plate", 1001).rename(clip.folder / "plate.001001.exr")
    error = refused(server, clip, plate=str(clip.folder / "plate.#.exr"), out=str(clip.folder / "plate.######.exr"))
    assert "would overwrite the plate" in error.message
    assert frames.read_plate(wide).pixels.shape == (64, 96, 3)


def test_the_same_name_in_another_folder_is_no_overwriting(server, make_clip):
    clip = make_clip(count=1)
    out = clip.folder / "out" / "mask.####.exr"
    assert server.refine(clip, out=str(out)).done.frame_count == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"engine": "nonsense"}, "unknown engine 'nonsense'"),
        ({"engine": "classic", "quality": "best"}, "unknown quality 'best'"),
        ({"window": 0}, "--window 0 is out of range"),
        ({"window": -3}, "--window -3 is out of range"),
        ({"window": 2**60}, "--window"),
        ({"window": 4, "overlap": 3}, "--overlap 3 is out of range"),
        ({"overlap": -1}, "--overlap -1 is out of range"),
        ({"roi": "everything"}, "'everything' is not a valid region of interest"),
        ({"roi": "0,0,4,4"}, "too small"),
        ({"roi": f"0,0,{2**40},{2**40}"}, "pixels"),
        ({"exposure": float("nan")}, "--exposure nan is out of range"),
        ({"exposure": 1.0, "colorspace": "nonsense"}, "unknown colour space 'nonsense'"),
        ({"colorspace": "nonsense"}, "unknown colour space 'nonsense'"),
        ({"engine": "classic", "mask_threshold": 0.0}, "--mask-threshold 0 is out of range"),
        ({"clip": "now"}, "'now' is not a valid frame range"),
        ({"frame_ranges": "1001-"}, "'1001-' is not a valid frame range"),
        ({"frame_ranges": "1-1000000000000"}, "'1-1000000000000' is not a valid frame range"),
        ({"frame_ranges": "1.5"}, "'1.5' is no"),
        ({"frame_ranges": "2001"}, "frames 2001 are wanted, the clip is 1001"),
        ({"clip": "1001-1010"}, "missing: plate frames 1002-1010 of "),
        ({"priority": "urgent"}, "unknown priority 'urgent'"),
        ({"dtype": "double"}, "cannot hold double"),
        ({"plate": ""}, "is not a file name"),
        ({"mask": "a\0b"}, "is not a file name"),
        ({"plate": "/a\nb"}, "is not a file name"),
        ({"inline": True}, "one plate and one mask digest per frame"),
        ({"inline": True, "inline_frame_numbers": [1, 1]}, "one plate and one mask digest per frame"),
    ],
    ids=str,
)
def test_a_request_that_makes_no_sense_is_refused_with_the_reason(server, make_clip, changes, said):
    assert said in refused(server, make_clip(count=1), **changes).message


@pytest.mark.parametrize("tail", [".jpg", ".mov", ""])
def test_an_output_format_that_cannot_be_written_is_refused(server, make_clip, tail):
    clip = make_clip(count=1)
    assert "cannot write" in refused(server, clip, out=str(clip.folder / f"alpha.####{tail}")).message


def test_a_half_float_png_is_refused(server, make_clip):
    clip = make_clip(count=1)
    assert ".png cannot hold half" in refused(server, clip, out=f"{clip.folder}/a.####.png", dtype="half").message


@pytest.mark.parametrize("field", ["plate", "mask", "out"])
@pytest.mark.parametrize("length", [300, 5000, 65_000])
def test_names_of_any_length_are_answered(server, make_clip, field, length):
    clip = make_clip(count=1)
    error = refused(server, clip, VideoMaMaError, **{field: f"/{'x' * length}/{field}.####.exr"})
    assert error.code in (BadInput.code, NotPermitted.code)


@pytest.mark.parametrize("field", ["plate", "mask", "out"])
def test_a_relative_path_is_refused(server, make_clip, field):
    error = refused(server, make_clip(count=1), NotPermitted, **{field: "relative/x.####.exr"})
    assert "is a relative path" in error.message


def test_a_clip_of_pipes_and_devices_does_not_hang_the_server(server, make_clip):
    clip = make_clip(count=1)
    clip.file("plate", 1001).unlink()
    os.mkfifo(clip.file("plate", 1001))
    assert "1001" in refused(server, clip).message
    assert server.refine(make_clip(count=1)).done.frame_count == 1


def test_a_frame_that_vanishes_is_named(server, make_clip):
    clip = make_clip(count=3)
    server.refine(clip)
    shutil.rmtree(clip.folder / "out")
    clip.file("plate", 1002).unlink()
    assert "plate frames 1002" in refused(server, clip).message
