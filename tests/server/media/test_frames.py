import errno
import os
import struct
import time
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from videomama_client.errors import BadInput, NotPermitted
from videomama_server.media import frames, limits
from videomama_server.media.channels import is_float as is_float_of
from videomama_server.media.declared_colour import UNDECLARED
from videomama_server.media.frames import (
    WRITABLE,
    Picture,
    check_writable,
    conform,
    probe,
    read_mask,
    read_plate,
    write_picture,
)
from videomama_server.media.geometry import Geometry, Rect

FULL = Rect(0, 0, 64, 48)


@pytest.fixture
def scene(pictures):
    return pictures.scene()


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def framed(rect):
    return Geometry(rect, rect)


@pytest.mark.parametrize(
    ("suffix", "dtype", "error"),
    [
        (".exr", "float", 0.0),
        (".exr", "half", 2**-11),
        (".tif", "float", 0.0),
        (".tif", "half", 2**-11),
        (".tiff", "uint16", 1 / 65535),
        (".png", "uint16", 1 / 65535),
        (".png", "uint8", 1 / 255),
        (".dpx", "uint16", 1 / 65535),
    ],
)
def test_what_is_written_is_read_back(tmp_path, suffix, dtype, error):
    pixels = np.random.default_rng(1).random((48, 64, 3), dtype=np.float32)
    path = tmp_path / f"p{suffix}"
    write_picture(path, pixels, dtype=dtype)
    read = read_plate(path)
    assert read.pixels.dtype == np.float32
    assert read.pixels.flags.c_contiguous
    assert read.geometry == framed(FULL)
    np.testing.assert_allclose(read.pixels, pixels, rtol=0, atol=error)
    assert names_in(tmp_path) == [path.name]


@pytest.mark.parametrize(("suffix", "is_float"), [(".exr", True), (".tif", True), (".png", False), (".dpx", False)])
def test_probe_says_whether_pixels_are_floats(tmp_path, scene, suffix, is_float):
    write_picture(tmp_path / f"p{suffix}", scene, dtype="half" if is_float else "uint16")
    header = probe(tmp_path / f"p{suffix}")
    assert is_float_of(header.channels) == is_float
    assert header.channel_names == "R, G, B"


def test_values_outside_0_and_1_are_clipped_in_integer_files_and_kept_in_float_ones(tmp_path):
    pixels = np.full((48, 64), 2.5, np.float32)
    pixels[:24] = -1.0
    for name, dtype in (("m.png", "uint16"), ("m.exr", "half")):
        write_picture(tmp_path / name, pixels, ("Y",), dtype)
    assert set(np.unique(read_mask(tmp_path / "m.png").pixels)) == {0.0, 1.0}
    assert set(np.unique(read_mask(tmp_path / "m.exr").pixels)) == {-1.0, 2.5}


def test_nan_and_infinity_survive_reading(tmp_path, pictures, scene):
    scene[0, :4, 0] = np.nan, np.inf, -np.inf, 60000
    path = pictures.write(tmp_path / "p.exr", scene, "RGB")
    np.testing.assert_array_equal(read_plate(path).pixels, scene)


def test_one_channel_is_repeated_for_a_plate_and_single_for_a_mask(tmp_path, pictures):
    path = pictures.write(tmp_path / "p.exr", pictures.disc(20, 20), "Y")
    assert read_plate(path).pixels.shape == (48, 64, 3)
    assert read_mask(path).pixels.shape == (48, 64, 1)
    np.testing.assert_array_equal(read_plate(path).pixels[..., 2], pictures.disc(20, 20))


def test_channels_are_found_by_name_not_by_place(tmp_path, pictures, scene):
    planes = np.dstack([pictures.disc(9, 9), scene[..., 2], scene[..., 1], scene[..., 0], scene])
    path = pictures.write(tmp_path / "p.exr", planes, ["A", "B", "G", "R", "fg.X", "fg.Y", "fg.Z"])
    np.testing.assert_array_equal(read_plate(path).pixels, scene)
    np.testing.assert_array_equal(read_mask(path).pixels[..., 0], pictures.disc(9, 9))
    np.testing.assert_array_equal(read_mask(path, "fg.Z").pixels[..., 0], scene[..., 2])


def test_layers_of_arbitrary_names(tmp_path, pictures, scene):
    names = ["R", "G", "B", "beauty.red", "beauty.green", "beauty.blue", "roto_01.key"]
    path = pictures.write(tmp_path / "p.exr", np.dstack([scene * 0, scene, pictures.disc(30, 20)]), names)
    np.testing.assert_array_equal(read_plate(path, "beauty").pixels, scene)
    np.testing.assert_array_equal(read_mask(path, "roto_01").pixels[..., 0], pictures.disc(30, 20))


def test_parts_of_a_multi_part_file_with_data_windows_of_their_own(tmp_path, pictures, scene):
    mask = pictures.disc(10, 10, 6, 20, 20)[..., None]
    rows = [("rgba", scene, "RGB", (0, 0)), ("roto", mask, "A", (30, 20))]
    path = pictures.write_parts(tmp_path / "p.exr", rows)
    assert probe(path).channel_names == "R, G, B, roto.A"
    np.testing.assert_array_equal(read_plate(path).pixels, scene)
    read = read_mask(path, "roto")
    assert read.geometry == Geometry(FULL, Rect(30, 20, 20, 20))
    np.testing.assert_array_equal(read.pixels[20:40, 30:50], mask)
    assert read.pixels.sum() == mask.sum()


def test_tiled_files(tmp_path, pictures, scene):
    path = pictures.write(tmp_path / "p.exr", scene, "RGB", tile=16)
    np.testing.assert_array_equal(read_plate(path).pixels, scene)


def test_a_data_window_inside_the_display_window_is_padded_with_zero(tmp_path, pictures, scene):
    path = pictures.write(tmp_path / "p.exr", scene, "RGB", display=(0, 0, 100, 80), origin=(10, 20))
    read = read_plate(path)
    assert read.geometry == Geometry(Rect(0, 0, 100, 80), Rect(10, 20, 64, 48))
    assert read.pixels.shape == (80, 100, 3)
    np.testing.assert_array_equal(read.pixels[20:68, 10:74], scene)
    assert read.pixels.sum() == scene.sum()


def test_overscan_is_kept(tmp_path, pictures, scene):
    path = pictures.write(tmp_path / "p.exr", scene, "RGB", display=(0, 0, 32, 24), origin=(-8, -4))
    read = read_plate(path)
    assert read.geometry.canvas == Rect(-8, -4, 64, 48)
    np.testing.assert_array_equal(read.pixels, scene)


def test_pixel_aspect_is_read_and_written(tmp_path, pictures, scene):
    read = read_plate(pictures.write(tmp_path / "p.exr", scene, "RGB", aspect=2.0))
    assert read.geometry.pixel_aspect == 2.0
    write_picture(tmp_path / "q.exr", read.pixels, geometry=read.geometry)
    assert read_plate(tmp_path / "q.exr").geometry == read.geometry


def test_alpha_of_a_png_is_not_multiplied_into_its_colours(tmp_path, pictures):
    premultiplied = np.full((48, 64, 4), 0.5, np.float32)  # OpenImageIO divides when it writes a PNG
    path = pictures.write(tmp_path / "p.png", premultiplied, "RGBA", "uint16")
    np.testing.assert_allclose(read_plate(path).pixels, 1.0)
    np.testing.assert_allclose(read_mask(path).pixels, 0.5, atol=1e-4)


def test_a_dpx_holds_its_own_name(tmp_path):
    for name, held in (("a.0001.dpx", b"a.0001.dpx"), (f"{'n' * 120}.dpx", b"n" * 99), ("\u00e4.DPX", b"?.DPX")):
        write_picture(tmp_path / name, np.zeros((4, 4, 3), "uint16"), dtype="uint16")
        assert (tmp_path / name).read_bytes()[36:136] == held.ljust(100, b"\0")


@pytest.mark.parametrize("name", ["a.exr", "a.tif", "a.png", "a.dpx"])
def test_the_same_picture_is_the_same_file_at_any_time(tmp_path, name):
    first, later = tmp_path / "first" / name, tmp_path / "later" / name
    dtype = WRITABLE[first.suffix][0]
    for path in (first, later):
        path.parent.mkdir()
        write_picture(path, np.zeros((4, 4, 3), dtype if dtype.startswith("u") else np.float32), dtype=dtype)
        time.sleep(1.01 - time.time() % 1)  # no header counts less than seconds
    assert first.read_bytes() == later.read_bytes()


def test_windows_and_attributes_are_written(tmp_path):
    geometry = Geometry(Rect(0, 0, 64, 48), Rect(-4, -2, 80, 60))
    write_picture(tmp_path / "a.exr", np.zeros((60, 80)), ("A",), "float", geometry, {"videomama:note": "kept"})
    assert probe(tmp_path / "a.exr").geometries == (geometry,)
    assert oiio.ImageInput.open(str(tmp_path / "a.exr")).spec().getattribute("videomama:note") == "kept"


def test_the_canvas_becomes_the_data_window(tmp_path):
    geometry = Geometry(Rect(0, 0, 64, 48), Rect(10, 10, 5, 5))
    write_picture(tmp_path / "a.exr", np.zeros((48, 64)), ("A",), "float", geometry)
    assert probe(tmp_path / "a.exr").geometries == (framed(FULL),)


def test_new_files_have_the_mode_of_any_new_file(tmp_path, scene):
    (tmp_path / "plain").touch()
    write_picture(tmp_path / "p.exr", scene)
    assert (tmp_path / "p.exr").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_an_existing_file_is_replaced(tmp_path, scene):
    (tmp_path / "p.exr").write_bytes(b"old")
    write_picture(tmp_path / "p.exr", scene)
    np.testing.assert_array_equal(read_plate(tmp_path / "p.exr").pixels, scene)


@pytest.mark.parametrize("suffix", [".exr", ".png", ".tif", ".dpx"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5])
def test_a_truncated_file_is_an_error_that_names_it(tmp_path, pictures, raises_with_hint, suffix, share, capfd):
    whole = pictures.write(
        tmp_path / f"whole{suffix}", pictures.scene(), "RGB", "half" if suffix == ".exr" else "uint16"
    )
    content = whole.read_bytes()
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(content[: int(len(content) * share)])
    with raises_with_hint(BadInput, path):
        read_plate(path)


def test_a_tiled_file_that_lacks_tiles_is_an_error(tmp_path, pictures, raises_with_hint):
    path = pictures.write(tmp_path / "p.exr", pictures.scene(), "RGB", tile=16)
    path.write_bytes(path.read_bytes()[:-2000])
    with raises_with_hint(BadInput, path):
        read_plate(path)


def test_no_setting_of_the_machine_fills_in_missing_tiles(tmp_path, pictures, raises_with_hint):
    path = pictures.write(tmp_path / "p.exr", pictures.scene(), "RGB", tile=16)
    path.write_bytes(path.read_bytes()[:-2000])
    before = oiio.get_string_attribute("missingcolor")
    oiio.attribute("missingcolor", "1,0,0")
    try:
        with raises_with_hint(BadInput, path):
            read_plate(path)
    finally:
        oiio.attribute("missingcolor", before)


@pytest.mark.parametrize("content", [b"", b"not a picture at all", b"\x76\x2f\x31\x01" + b"\xff" * 200])
def test_garbage_is_an_error_that_names_the_file(tmp_path, raises_with_hint, content):
    path = tmp_path / "p.exr"
    path.write_bytes(content)
    with raises_with_hint(BadInput, path):
        probe(path)


def test_a_missing_file_is_an_error_that_names_it(tmp_path, raises_with_hint):
    with raises_with_hint(BadInput, tmp_path / "p.exr"):
        read_plate(tmp_path / "p.exr")


def test_a_file_that_may_not_be_read_is_not_permitted(tmp_path, monkeypatch, raises_with_hint):
    path = tmp_path / "p.exr"
    path.write_bytes(b"")
    monkeypatch.setattr(os, "access", lambda *_: False)  # modes do not bind root
    with raises_with_hint(NotPermitted, path):
        read_plate(path)


def test_a_header_that_claims_a_huge_size_is_refused_before_memory_is_taken(tmp_path, pictures, raises_with_hint):
    path = pictures.write(tmp_path / "p.exr", pictures.scene(), "RGB")
    before = b"displayWindow\0box2i\0" + struct.pack("<5i", 16, 0, 0, 63, 47)
    after = b"displayWindow\0box2i\0" + struct.pack("<5i", 16, 0, 0, 99999, 99999)
    path.write_bytes(path.read_bytes().replace(before, after))
    with raises_with_hint(BadInput, path, "100000x100000"):
        read_plate(path)


@pytest.mark.parametrize("shape", [(1, 64), (48, 1), (15, 64)])
def test_a_picture_too_small_to_matte_is_an_error(tmp_path, pictures, raises_with_hint, shape):
    path = pictures.write(tmp_path / "p.exr", np.zeros((*shape, 3)), "RGB")
    with raises_with_hint(BadInput, path, f"{shape[1]}x{shape[0]}"):
        read_plate(path)


def test_a_layer_that_is_not_there_is_an_error_that_names_file_and_layer(tmp_path, pictures, raises_with_hint):
    path = pictures.write(tmp_path / "p.exr", pictures.scene(), "RGB")
    with raises_with_hint(BadInput, path, "beauty"):
        read_plate(path, "beauty")
    with raises_with_hint(BadInput, path, "roto"):
        read_mask(path, "roto")


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.exr.bak"])
def test_formats_that_cannot_be_written_are_refused(tmp_path, raises_with_hint, name):
    with raises_with_hint(BadInput, tmp_path / name):
        write_picture(tmp_path / name, np.zeros((16, 16)), ("Y",))
    assert not names_in(tmp_path)


@pytest.mark.parametrize(
    ("name", "dtype"), [("a.png", "float"), ("a.exr", "uint16"), ("a.EXR", "double"), ("a.dpx", "half")]
)
def test_a_dtype_that_the_format_cannot_hold_is_refused(tmp_path, raises_with_hint, name, dtype):
    with raises_with_hint(BadInput, tmp_path.joinpath(name).suffix, dtype):
        check_writable(tmp_path / name, dtype)


def test_a_folder_that_is_not_there_or_is_a_file_is_not_permitted(tmp_path, scene, raises_with_hint):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "none", tmp_path / "file"):
        with raises_with_hint(NotPermitted, folder):
            write_picture(folder / "p.exr", scene)


def test_a_read_only_disk_is_not_permitted(small_disk, make_read_only, scene, raises_with_hint):
    folder = small_disk(512)
    make_read_only(folder)
    with raises_with_hint(NotPermitted, folder):
        write_picture(folder / "p.exr", scene)


def test_what_else_the_system_says_of_a_new_file_is_passed_on(tmp_path, scene, monkeypatch):
    def refuse(path, **_):
        raise OSError(errno.EIO, "Input/output error", str(path))

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(OSError, match="Input/output error"):
        write_picture(tmp_path / "p.exr", scene)


@pytest.mark.parametrize(
    ("name", "dtype"), [("p.exr", "float"), ("p.png", "uint16"), ("p.tif", "float"), ("p.dpx", "uint16")]
)
def test_a_full_disk_is_an_error_and_leaves_nothing(small_disk, name, dtype):
    folder = small_disk(64)
    noise = np.random.default_rng(1).random((200, 300, 3), dtype=np.float32)
    with pytest.raises(OSError, match="disk full") as raised:
        write_picture(folder / name, noise, dtype=dtype)
    assert raised.value.errno == errno.ENOSPC
    assert names_in(folder) == []


def test_a_full_disk_leaves_the_older_file_alone(tmp_path, scene, monkeypatch):
    def full(path, spec, image):
        path.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "disk full")

    write_picture(tmp_path / "p.exr", scene)
    monkeypatch.setattr(frames, "_write", full)
    with pytest.raises(OSError, match="disk full"):
        write_picture(tmp_path / "p.exr", scene * 0)
    assert names_in(tmp_path) == ["p.exr"]
    np.testing.assert_array_equal(read_plate(tmp_path / "p.exr").pixels, scene)


def test_what_the_encoder_cannot_write_is_an_error_with_its_reason(tmp_path):
    with pytest.raises(OSError, match="writing failed: png does not support 5-channel images") as raised:
        write_picture(tmp_path / "p.png", np.zeros((8, 8, 5), np.float32), tuple("RGBAZ"), "uint16")
    assert raised.value.errno == errno.EIO
    assert names_in(tmp_path) == []


def test_channel_names_must_match_the_pixels(tmp_path, scene):
    with pytest.raises(ValueError, match="3 channels"):
        write_picture(tmp_path / "p.exr", scene, ("A",))
    assert not names_in(tmp_path)


def mask_of(pixels, geometry):
    return Picture(np.ascontiguousarray(pixels[..., None]), geometry)


def test_a_mask_of_the_plates_size_is_taken_as_it_is(pictures):
    mask = pictures.disc(20, 20)
    np.testing.assert_array_equal(conform(mask_of(mask, framed(FULL)), framed(FULL)), mask)


def test_a_mask_is_laid_by_display_windows_not_by_data_windows(pictures):
    mask = pictures.disc(5, 5, 4, 10, 10)
    cropped = mask_of(np.zeros((48, 64), np.float32), Geometry(FULL, Rect(20, 10, 10, 10)))
    cropped.pixels[10:20, 20:30, 0] = mask
    plate = Geometry(Rect(100, 200, 64, 48), Rect(92, 200, 80, 48))
    laid = conform(cropped, plate)
    assert laid.shape == (48, 80)
    np.testing.assert_array_equal(laid[10:20, 28:38], mask)
    assert laid.sum() == mask.sum()


def test_overscan_of_the_mask_outside_the_plate_is_dropped(pictures):
    mask = mask_of(np.ones((60, 80), np.float32), Geometry(FULL, Rect(-8, -6, 80, 60)))
    laid = conform(mask, framed(FULL))
    assert laid.shape == (48, 64)
    assert laid.min() == 1


@pytest.mark.parametrize("scale", [2, 0.5])
def test_a_mask_of_another_size_is_resampled(pictures, scale):
    height, width = int(48 * scale), int(64 * scale)
    mask = pictures.disc(32 * scale, 24 * scale, 12 * scale, height, width)
    laid = conform(mask_of(mask, framed(Rect(0, 0, width, height))), framed(FULL))
    assert laid.shape == (48, 64)
    assert laid.dtype == np.float32
    assert laid.mean() == pytest.approx(mask.mean(), rel=0.02)
    assert np.abs(laid - pictures.disc(31.75, 23.75, 12)).mean() < 0.03


def test_a_mask_of_the_same_width_that_grows_in_height_grows_smoothly():
    mask = np.zeros((24, 64), np.float32)
    mask[12:] = 1
    laid = conform(mask_of(mask, framed(Rect(0, 0, 64, 24))), framed(FULL))
    assert laid.shape == (48, 64)
    np.testing.assert_allclose(laid[22:26, 0], [0, 0.25, 0.75, 1])


def test_threads_can_be_set():
    before = oiio.get_int_attribute("threads")
    frames.use_threads(1)
    assert oiio.get_int_attribute("threads") == 1
    frames.use_threads(before)


@pytest.mark.timeout(120)  # libjpeg looks through a whole GiB; a reader of the other sizes would take far longer
@pytest.mark.parametrize("suffix", sorted(limits.READABLE))
@pytest.mark.parametrize("start", [b"", b"\x76\x2f\x31\x01", b"II*\0", b"\xff\xd8\xff\xe0", b"SDPX", b"\x89PNG\r\n"])
def test_a_huge_sparse_file_is_refused_at_once(tmp_path, suffix, start):
    path = tmp_path / f"plate{suffix}"
    path.write_bytes(start)
    for size in (limits.MAX_JPEG_BYTES if "j" in suffix else limits.MAX_BYTES, 1 << 40):
        os.truncate(path, size)
        with pytest.raises(BadInput, match="plate"):
            frames.read_plate(path)


@pytest.mark.parametrize("name", ["plate.mov", "plate.cr2", "plate.null", "plate"])
def test_formats_of_no_plate_are_not_read(tmp_path, name, raises_with_hint):
    path = tmp_path / name
    frames.write_picture(tmp_path / "plate.exr", np.ones((32, 32), np.float32), ("A",), "half")
    (tmp_path / "plate.exr").rename(path)
    with raises_with_hint(BadInput, path):
        frames.read_mask(path)


def test_pixels_alone_are_upright_floats_of_one_shape_and_of_no_declared_colour():
    geometry = Geometry(Rect(0, 0, 4, 4), Rect(0, 0, 4, 4))
    picture, seen = Picture(np.zeros((4, 4, 1), np.float32), geometry), frames.Seen(geometry)
    for one in (picture, seen):
        assert (one.is_float, one.declared, one.orientation) == (True, UNDECLARED, 1)
    assert (picture.colours, picture.is_picture) == ((), False)


def test_pictures_are_decoded_with_as_many_threads_as_are_set():
    before = [oiio.get_int_attribute(name) for name in ("threads", "exr_threads")]
    try:
        frames.use_threads(3)
        assert [oiio.get_int_attribute(name) for name in ("threads", "exr_threads")] == [3, 3]
    finally:
        for name, count in zip(("threads", "exr_threads"), before, strict=True):
            oiio.attribute(name, count)


def test_the_library_refuses_what_the_limits_refuse():
    frames._limit_library.cache_clear()
    frames._limit_library()
    found = [oiio.get_int_attribute(f"limits:{name}") for name in ("imagesize_MB", "resolution", "channels")]
    assert found == [limits.MAX_BYTES // 2**20, limits.MAX_SIDE, limits.MAX_CHANNELS]
    assert oiio.get_int_attribute("try_all_readers") == 0


def test_pixels_without_a_name_for_each_channel_are_refused(tmp_path):
    with pytest.raises(ValueError, match="3 channels of pixels, 1 names"):
        frames.write_picture(tmp_path / "p.exr", np.zeros((4, 4, 3), np.float32), ("A",))


def test_luminance_and_chroma_at_half_size_are_told_apart_from_damage(tmp_path, raises_with_hint):
    error = frames._not_opened(tmp_path / "p.exr", "Subsampled channels are not supported")
    assert "less than full size" in error.message
    assert "Save it as RGB" in error.hint
    assert "less than full size" not in frames._not_opened(tmp_path / "p.exr", "cut short").message


def test_the_encoder_s_reason_is_one_line_of_two_hundred_letters(tmp_path, monkeypatch):
    class Failing:
        def open(self, *_):
            return False

        def close(self):
            return True

        def geterror(self):
            return "no\n room " + "x" * 300

    monkeypatch.setattr(frames.oiio.ImageOutput, "create", lambda _: Failing(), raising=False)
    with pytest.raises(OSError, match="writing failed: no room x") as raised:
        frames._write(tmp_path / "p.exr", None, np.zeros((2, 2, 1), np.float32))
    assert len(str(raised.value).split("failed: ")[1]) == 200
    assert raised.value.errno == errno.EIO


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(frames.Picture) == {"is_float": True, "orientation": 1, "is_picture": False}
    assert numbers_left_out(frames.Seen) == {"is_float": True, "orientation": 1}
