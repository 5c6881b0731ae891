import os
from pathlib import Path

import pytest
from videomama_client.errors import BadInput, NotPermitted
from videomama_server.media import limits
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.media.limits import PixelLayout, check_file, check_part, check_read

PATH = Path("/shots/plate.1001.exr")
PLAIN = PixelLayout(3, 6, 0)


def framed(width, height):
    return Geometry(Rect(0, 0, width, height), Rect(0, 0, width, height))


@pytest.mark.parametrize("size", [(16, 16), (3840, 2160), (15360, 8640), (16384, 8192), (65536, 2048)], ids=str)
def test_sizes_that_plates_have_are_read(size):
    check_part(PATH, 0, framed(*size), PLAIN)
    check_read(PATH, framed(*size), 3)


@pytest.mark.parametrize(
    ("part", "geometry", "layout", "said"),
    [
        (0, framed(16384, 8193), PLAIN, "16384x8193"),
        (0, framed(65537, 16), PLAIN, "65537x16"),
        (0, framed(2**31, 2**31), PLAIN, "2147483648x2147483648"),
        (0, Geometry(Rect(-(2**30), 0, 64, 48), Rect(2**30, 0, 64, 48)), PLAIN, "pixels"),
        (0, framed(64, 48), PixelLayout(1025, 2050, 0), "1025 channels"),
        (0, framed(64, 48), PixelLayout(3, 6, 2**15 * 2**15), "tiles"),
        (0, framed(16384, 8192), PixelLayout(64, 128, 0), "16.0 GiB"),
        (limits.MAX_PARTS, framed(64, 48), PLAIN, "parts"),
    ],
)
def test_what_no_plate_has_is_refused_by_name(raises_with_hint, part, geometry, layout, said):
    with raises_with_hint(BadInput, PATH, said):
        check_part(PATH, part, geometry, layout)


@pytest.mark.parametrize(
    ("layout", "obstacle", "said"),
    [
        (PixelLayout(3, 6, 0, deep=True), limits.DEEP, "deep"),
        (PixelLayout(3, 6, 0, depth=2), limits.VOLUME, "volume"),
        (PixelLayout(3, 6, 0, cube=True), limits.CUBE, "cube"),
    ],
)
def test_what_is_not_a_flat_picture_is_refused_in_one_sentence(raises_with_hint, layout, obstacle, said):
    assert limits.obstacle(layout) == obstacle
    with raises_with_hint(BadInput, PATH, said):
        limits.check_chosen(PATH, framed(64, 48), obstacle)
    check_part(PATH, 0, framed(64, 48), layout)  # beside a flat part it does no harm


def test_a_flat_picture_has_no_obstacle():
    assert limits.obstacle(PLAIN) == ""
    limits.check_chosen(PATH, framed(16, 16), "")


def test_a_picture_too_small_to_matte_is_refused(raises_with_hint):
    with raises_with_hint(BadInput, PATH, "15x4000", "too small"):
        limits.check_chosen(PATH, framed(15, 4000), "")


def test_channels_that_are_too_much_as_floats_are_refused(raises_with_hint):
    with raises_with_hint(BadInput, PATH, "GiB"):
        check_read(PATH, framed(16384, 8192), 17)


def test_a_tile_may_be_larger_than_a_small_picture():
    check_part(PATH, 0, framed(64, 48), PixelLayout(3, 6, 1024 * 1024))
    check_part(PATH, 0, framed(8192, 4320), PixelLayout(3, 6, 8192 * 8192))


@pytest.mark.parametrize("suffix", [*sorted(limits.READABLE), ".EXR"])
def test_files_of_the_formats_that_are_read_are_let_through(tmp_path, suffix):
    path = tmp_path / f"p{suffix}"
    path.write_bytes(b"x")
    check_file(path)


@pytest.mark.parametrize("suffix", [".gif", ".psd", ".null", ".zfile", ".mov", ""])
def test_other_formats_are_not_even_opened(tmp_path, raises_with_hint, suffix):
    path = tmp_path / f"p{suffix}"
    path.write_bytes(b"x")
    with raises_with_hint(BadInput, path, "formats"):
        check_file(path)


def test_pipes_folders_empty_and_endless_files_are_refused(tmp_path, raises_with_hint):
    made = {name: tmp_path / f"{name}.exr" for name in ("pipe", "folder", "empty", "endless", "missing")}
    os.mkfifo(made["pipe"])
    made["folder"].mkdir()
    made["empty"].touch()
    with made["endless"].open("wb") as file:
        file.truncate(limits.MAX_BYTES + 1)
    for path, said in zip(made.values(), ("not a file", "not a file", "empty", "bytes", "no such file"), strict=True):
        with raises_with_hint(BadInput, path, said):
            check_file(path)


def test_a_device_and_a_file_of_proc_under_a_pictures_name_are_refused(tmp_path, raises_with_hint):
    for target in ("/dev/zero", "/proc/self/environ"):
        link = tmp_path / f"{Path(target).name}.exr"
        link.symlink_to(target)
        with raises_with_hint(BadInput, link):
            check_file(link)


def test_a_file_that_may_not_be_read_is_not_permitted(tmp_path, monkeypatch, raises_with_hint):
    path = tmp_path / "p.exr"
    path.write_bytes(b"x")
    monkeypatch.setattr(os, "access", lambda *_: False)  # modes do not bind root
    with raises_with_hint(NotPermitted, path):
        check_file(path)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(PixelLayout) == {"deep": False, "depth": 1, "cube": False}


def test_the_limits_are_those_that_the_page_on_security_names():
    assert (limits.MAX_PIXELS, limits.MAX_BYTES, limits.MAX_JPEG_BYTES) == (2**27, 8 * 2**30, 2**30)
    assert (limits.MAX_SIDE, limits.MAX_CHANNELS, limits.MAX_PARTS, limits.MIN_SIDE) == (65536, 1024, 256, 16)


def test_what_is_just_within_the_limits_is_read():
    check_part(PATH, limits.MAX_PARTS - 1, framed(64, 48), PixelLayout(1024, 2048, 0))
    check_part(PATH, 0, framed(16384, 8192), PixelLayout(32, 64, 0))  # 8 GiB
    check_read(PATH, framed(16384, 8192), 16)
    check_part(PATH, 0, framed(64, 48), PixelLayout(3, 6, 2 * 2**20, depth=2))
    limits.check_chosen(PATH, framed(16, 16), "")


@pytest.mark.parametrize(
    ("geometry", "layout", "said"),
    [
        (framed(16384, 8192), PixelLayout(32, 65, 0), "holds 8.1 GiB of pixels, more than the 8 that are read"),
        (framed(16384, 4097), PixelLayout(32, 64, 0, depth=2), "GiB"),
        (framed(64, 48), PixelLayout(3, 6, 2**20 + 1), "tiles hold 1048577 pixels, it has 3072"),
        (framed(64, 48), PixelLayout(3, 6, 2 * (2**20 + 1), depth=2), "tiles"),
        (framed(2048, 1024), PixelLayout(3, 6, 4 * 2**21 + 1), "tiles"),
    ],
)
def test_what_is_just_beyond_the_limits_is_refused(raises_with_hint, geometry, layout, said):
    with raises_with_hint(BadInput, PATH, said):
        check_part(PATH, 0, geometry, layout)


@pytest.mark.parametrize(("suffix", "most"), [(".jpg", 2**30), (".JPEG", 2**30), (".png", 8 * 2**30)])
def test_a_jpeg_may_be_an_eighth_as_long_as_other_files(tmp_path, suffix, most, raises_with_hint):
    path = tmp_path / f"p{suffix}"
    for size in (most, most + 1):
        with path.open("wb") as file:
            file.truncate(size)
        if size == most:
            check_file(path)
    with raises_with_hint(BadInput, f"it has {most + 1} bytes, more than the {most}"):
        check_file(path)


def test_a_link_to_nothing_and_a_reason_of_many_lines_are_told_in_one(tmp_path, raises_with_hint):
    (tmp_path / "p.exr").symlink_to(tmp_path / "gone.exr")
    with raises_with_hint(BadInput, tmp_path / "p.exr", "gone.exr"):
        check_file(tmp_path / "p.exr")
    assert limits.unreadable(PATH, "cut\n  short ").message == f"cannot read {PATH}: cut short"
    assert limits.unreadable(PATH, " \n").message == f"cannot read {PATH}: not a picture file"


def test_only_what_is_there_and_no_file_is_refused_by_its_kind(tmp_path, raises_with_hint):
    limits.check_kind(tmp_path / "missing")
    (tmp_path / "file").touch()
    limits.check_kind(tmp_path / "file")
    with raises_with_hint(BadInput, tmp_path, "not a file"):
        limits.check_kind(tmp_path)
