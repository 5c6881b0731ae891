"""What comes out: the right pixels, in the right files, and nothing computed twice."""

import os
import uuid
from pathlib import Path

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_client.messages import FrameDone, SubmitMatte
from videomama_client.settings import MatteSettings
from videomama_server.media import frames, sequences
from videomama_server.pipeline import window_grid
from videomama_server.submission import Submission, submit

WINDOWS = {"window": 4, "overlap": 2}


def alphas(clip, numbers=None) -> dict[int, bytes]:
    return {frame: clip.read_alpha(frame).tobytes() for frame in numbers or clip.numbers}


def test_alpha_is_the_mask_bit_by_bit(server, make_clip):
    clip = make_clip()
    outcome = server.refine(clip)
    assert outcome.numbers == list(clip.numbers)
    assert (outcome.done.frame_count, outcome.done.computed, outcome.done.cached) == (4, 4, 0)
    assert outcome.done.engine == outcome.planned.engine == "passthrough"
    assert outcome.done.warnings == []
    for frame in clip.numbers:
        np.testing.assert_array_equal(clip.read_alpha(frame), clip.read_mask(frame))


@pytest.mark.parametrize("channel", ["A", "rgba.alpha", ""])
def test_one_sequence_may_be_plate_and_mask(server, tmp_path, channel):
    source, out = str(tmp_path / "source.%04d.exr"), str(tmp_path / "out" / "alpha.%04d.exr")
    pixels = np.random.default_rng().random((3, 64, 96, 4), np.float32).astype(np.float16)
    for frame, picture in enumerate(pixels, start=1001):
        frames.write_picture(sequences.parse(source).path(frame), picture, ("R", "G", "B", "A"), "half")
    settings = MatteSettings(engine="passthrough", roi="off", mask_channel=channel)
    with server.client() as client:
        job = client.submit(SubmitMatte(uuid.uuid4().hex, source, source, out, settings, clip="1001-1003"))
        for event in client.events(job):
            if isinstance(event, FrameDone):
                assert event.path == out % event.frame
                alpha = frames.read_mask(Path(event.path)).pixels[..., 0]  # whole on disk before it is told of
                np.testing.assert_array_equal(alpha, pixels[event.frame - 1001, ..., 3].astype(np.float32))
        assert (event.frame_count, event.computed, event.engine) == (3, 3, "passthrough")


def test_the_sequence_that_is_read_is_not_written_over(server, make_clip):
    clip = make_clip(count=1)
    with pytest.raises(BadInput, match="would overwrite the plate"):
        server.refine(clip, mask=clip.plate, out=clip.plate, mask_channel="R")


def test_a_second_run_computes_nothing(server, make_clip):
    clip = make_clip()
    server.refine(clip, **WINDOWS)
    before = alphas(clip)
    outcome = server.refine(clip, **WINDOWS)
    assert (outcome.done.computed, outcome.done.cached) == (0, 4)
    assert all(event.cached for event in outcome.frames)
    assert alphas(clip) == before


def test_the_same_pixels_in_other_files_are_not_computed_again(server, make_clip, tmp_path):
    clip = make_clip()
    server.refine(clip)
    for frame in clip.numbers:
        path = clip.file("mask", frame)
        picture = frames.read_mask(path)
        frames.write_picture(path, picture.pixels, ("A",), "half", picture.geometry, {"written": "later"})
    assert server.refine(clip).done.computed == 0


def test_other_settings_are_computed_again(server, make_clip):
    clip = make_clip(count=1)
    server.refine(clip)
    assert server.refine(clip, exposure=1.0).done.computed == 1
    assert server.refine(clip).done.computed == 0


@pytest.mark.parametrize("shape", [{"window": 1, "overlap": 0}, WINDOWS, {"window": 5, "overlap": 1}], ids=str)
def test_an_edited_mask_recomputes_what_depends_on_it_and_no_more(server, make_clip, shape):
    clip = make_clip(count=10)
    server.refine(clip, **shape)
    path = clip.file("mask", 1005)
    frames.write_picture(path, 1.0 - frames.read_mask(path).pixels, ("A",), "half")
    outcome = server.refine(clip, **shape)
    laid = window_grid.lay(range(1001, 1011), shape["window"], shape["overlap"])
    depending = {frame for window in laid if 1005 in window.frames for frame in window.frames}
    assert {event.frame for event in outcome.frames if not event.cached} == depending
    assert outcome.done.computed == len(depending)
    np.testing.assert_allclose(clip.read_alpha(1005), clip.read_mask(1005), atol=1e-6)


def test_a_partial_refine_gives_the_same_pixels_as_the_whole(server, make_clip, forget):
    clip = make_clip(count=11, first=997)
    server.refine(clip, **WINDOWS)
    whole = alphas(clip)
    forget(server, clip)
    outcome = server.refine(clip, frame_ranges="1000-1003,1006", **WINDOWS)
    assert outcome.numbers == [1000, 1001, 1002, 1003, 1006]
    assert outcome.done.computed == 5
    assert not clip.alpha_file(1004).exists()
    assert alphas(clip, outcome.numbers) == {frame: whole[frame] for frame in outcome.numbers}
    assert server.refine(clip, **WINDOWS).done.computed == 6
    assert alphas(clip) == whole


def test_a_partial_refine_with_the_region_it_was_told_hits_the_cache(server, make_clip):
    clip = make_clip(count=6, size=(256, 144))
    outcome = server.refine(clip, roi="auto")
    assert outcome.done.roi == outcome.planned.roi
    assert 0 < outcome.done.roi[2] < 256
    region = ",".join(map(str, outcome.done.roi))
    assert server.refine(clip, roi=region, frame_ranges="1003").done.computed == 0


def test_a_version_that_a_tool_spoils_takes_no_other_and_no_entry_along(server, make_clip):
    """v001, v002 and a shot of the same pixels, all from one entry a frame."""
    clip = make_clip(count=2)
    outs = {name: clip.folder / name / "alpha.####.exr" for name in ("v001", "v002", "shot2")}
    for out in outs.values():
        server.refine(clip, out=str(out))
    files = {name: [sequences.parse(str(out)).path(frame) for frame in clip.numbers] for name, out in outs.items()}
    entries = server.entries()
    whole = {path: path.read_bytes() for path in [*entries, *files["v001"], *files["shot2"], *files["v002"]]}
    assert {path.stat().st_nlink for named in files.values() for path in named} == {1}
    overwritten, truncated = files["v002"]
    with overwritten.open("r+b") as file:
        file.write(b"\0" * overwritten.stat().st_size)
    with truncated.open("w"):
        pass
    spoilt = {path for path, content in whole.items() if path.read_bytes() != content}
    assert spoilt == {overwritten, truncated}
    assert server.refine(clip, out=str(outs["v002"])).done.computed == 0
    assert all(path.read_bytes() == content for path, content in whole.items())


def test_a_server_that_is_asked_to_link_delivers_hard_links(start_server, make_clip):
    linking, clip = start_server("--delivery", "link"), make_clip(count=2)
    linking.refine(clip)
    entries = {entry.stat().st_ino for entry in linking.entries()}
    assert all(clip.alpha_file(frame).stat().st_ino in entries for frame in clip.numbers)


def test_another_disk_gets_copies_that_are_left_alone_the_second_time(server, make_clip, tmp_path):
    shared_memory = Path("/dev/shm")
    if not shared_memory.is_dir() or shared_memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second disk here")
    clip = make_clip(count=1)
    folder = shared_memory / f"videomama-test-{os.getpid()}"
    out = folder / "alpha.1001.exr"
    try:
        server.refine(clip, out=str(folder / "alpha.####.exr"))
        before = out.stat()
        assert before.st_nlink == 1
        assert server.refine(clip, out=str(folder / "alpha.####.exr")).done.computed == 0
        assert (out.stat().st_ino, out.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
        np.testing.assert_array_equal(frames.read_mask(out).pixels[..., 0], clip.read_mask(1001))
    finally:
        out.unlink(missing_ok=True)
        folder.rmdir()


def test_a_delivered_file_that_was_deleted_or_replaced_comes_back(server, make_clip):
    clip = make_clip(count=2)
    server.refine(clip)
    before = alphas(clip)
    clip.alpha_file(1001).unlink()
    clip.alpha_file(1002).unlink()
    clip.alpha_file(1002).write_bytes(b"something else")
    assert server.refine(clip).done.computed == 0
    assert alphas(clip) == before


def test_without_an_output_a_numbered_sequence_is_published_in_the_cache(server, make_clip):
    clip = make_clip(count=2)
    outcome = server.refine(clip, out="")
    assert Path(outcome.planned.out).is_relative_to(server.cache_dir)
    named = sequences.find(sequences.parse(outcome.planned.out))
    assert sorted(named) == [1001, 1002]
    assert {Path(event.path) for event in outcome.frames} == set(named.values())
    assert [path.stat().st_nlink for path in named.values()] == [1, 1]


def test_what_an_inline_job_leaves_in_the_cache_is_no_part_of_anybodys_files(server, make_clip):
    clip = make_clip(count=2)
    order = Submission(
        clip.plate, clip.mask, clip.out, MatteSettings(engine="passthrough", roi="off"), transport="inline"
    )
    with server.client() as client:
        *_, done = submit(client, order).events()
    named = sequences.find(sequences.parse(server.refine(clip, out="").planned.out))
    files = [*named.values(), *(clip.alpha_file(frame) for frame in clip.numbers)]
    assert (done.frame_count, len(files)) == (2, 4)
    (clip.folder / "new").touch()
    assert [path.stat().st_nlink for path in files] == [1] * 4
    assert {path.stat().st_mode for path in files} == {(clip.folder / "new").stat().st_mode}


def test_a_layer_and_half_floats(server, make_clip, read_file):
    clip = make_clip(count=1)
    server.refine(clip, layer="matte", dtype="half")
    channels, dtype, pixels = read_file(clip.alpha_file(1001))
    assert (channels, dtype) == (["matte.A"], "half")
    np.testing.assert_array_equal(pixels[..., 0], clip.read_mask(1001))


def test_png_of_16_bits(server, make_clip, read_file):
    clip = make_clip(count=1)
    out = clip.folder / "png" / "alpha.####.png"
    server.refine(clip, out=str(out))
    _, dtype, pixels = read_file(out.with_name("alpha.1001.png"))
    assert dtype == "uint16"
    np.testing.assert_allclose(pixels[..., 0], clip.read_mask(1001), atol=0.6 / 65535)
    assert len(np.unique(pixels)) > 256


def test_other_formats_are_served_from_the_same_entries(server, make_clip):
    clip = make_clip(count=1)
    server.refine(clip)
    assert server.refine(clip, out=str(clip.folder / "alpha.####.tif")).done.computed == 0
    assert (clip.folder / "alpha.1001.tif").exists()


def test_a_new_file_is_as_open_as_any_other_of_this_user(server, make_clip):
    clip = make_clip(count=1)
    server.refine(clip)
    (clip.folder / "any").touch()
    assert clip.alpha_file(1001).stat().st_mode == (clip.folder / "any").stat().st_mode


def test_a_single_frame(server, make_clip):
    clip = make_clip(count=1)
    outcome = server.refine(clip, **WINDOWS)
    assert (outcome.numbers, outcome.done.frame_count) == ([1001], 1)


def test_a_single_picture_without_a_number(server, make_clip):
    clip = make_clip(count=1)
    files = {role: str(clip.file(role, 1001).rename(clip.folder / f"{role}.exr")) for role in ("plate", "mask")}
    outcome = server.refine(clip, **files, out=str(clip.folder / "alpha.exr"))
    assert outcome.done.frame_count == 1
    assert (clip.folder / "alpha.exr").exists()


def test_frames_before_zero(server, make_clip):
    clip = make_clip(count=4, first=-2)
    assert server.refine(clip, **WINDOWS).numbers == [-2, -1, 0, 1]
    assert (clip.folder / "out" / "alpha.-002.exr").exists()


def test_names_that_are_not_english(server, make_clip):
    clip = make_clip(count=2)
    folder = clip.folder.rename(clip.folder.with_name("pl\N{LATIN SMALL LETTER A WITH DIAERESIS}te \N{SNOWMAN} 100%"))
    names = {role: str(folder / f"{role}.####.exr") for role in ("plate", "mask")}
    outcome = server.refine(clip, **names, out=str(folder / "out" / "alpha.####.exr"))
    assert outcome.done.frame_count == 2


def test_a_project_folder(server, make_clip, refine_by_command, videomama, read_file, tmp_path):
    clip = make_clip(count=3)
    project = tmp_path / "project"
    for folder in ("source/frames", "roto/hero", "roto/hero_mama"):
        (project / folder).mkdir(parents=True)
    for index, frame in enumerate(clip.numbers):
        plate = frames.read_plate(clip.file("plate", frame)).pixels
        frames.write_picture(project / f"source/frames/frame_{index:05d}.png", plate / 2, dtype="uint8")
        frames.write_picture(project / f"roto/hero/frame_{index:05d}.png", clip.read_mask(frame), ("Y",), "uint8")
    flags = ["--engine", "passthrough", "--roi", "off", "--connection-file", server.connection_file]
    said = videomama("matte", "--project", project, *flags)
    assert said.code == 0, said.err
    masks = sorted(path.name for path in (project / "roto/hero").iterdir())
    made = sorted((project / "roto/hero_mama").glob("*.png"))
    assert [path.name for path in made] == masks == [f"frame_{index:05d}.png" for index in range(3)]
    for path in made:
        _, dtype, pixels = read_file(path)
        assert dtype == "uint16"
        np.testing.assert_allclose(pixels, read_file(project / "roto/hero" / path.name)[2], atol=1e-4)
