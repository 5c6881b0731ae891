"""Files that found a fault once, and bombs: read in a process of its own, as bench/fuzz.py reads them."""

import struct
import zlib

import pytest
from videomama_client.errors import OutOfMemory
from videomama_server.media import decoding, frames

BIG = 16384


@pytest.fixture(scope="module")
def fuzz(load_bench):
    load_bench("odd_pictures")  # which it imports
    return load_bench("fuzz_pictures")


@pytest.fixture(scope="module")
def reading(fuzz):
    process = fuzz.ReadingProcess()
    yield process
    process.end()


@pytest.fixture
def write_exr(tmp_path, pictures):
    """Write a small EXR with some bytes of it replaced, and return its path."""

    def write(before: bytes, after: bytes, **options):
        path = pictures.write(tmp_path / "p.exr", pictures.scene(), "RGB", **options)
        content = path.read_bytes()
        assert before in content
        path.write_bytes(content.replace(before, after))
        return path

    return write


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, *before: bytes, interlaced: int = 0, rows: bytes = bytes(1000)) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, interlaced)
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(before) + pixels + chunk(b"IEND", b"")


def directory(entries: dict[int, int], following: int = 0) -> bytes:
    rows = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries.items()))
    return struct.pack("<H", len(entries)) + rows + struct.pack("<I", following)


def grey(width: int = 64, height: int = 48, **changes: int) -> dict[int, int]:
    """Return the entries of an uncompressed 8-bit TIFF in one strip; changes are named `t` and the tag."""
    plain = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 200, 277: 1, 278: height, 279: 3072}
    return plain | {int(name[1:]): value for name, value in changes.items()}


def tif(entries: dict[int, int], following: int = 0) -> bytes:
    return b"II*\0" + struct.pack("<I", 8) + directory(entries, following) + bytes(4096)


def many_directories(count: int) -> bytes:
    size = len(directory(grey()))
    offsets = [8 + (number + 1) * size for number in range(count - 1)] + [0]
    return b"II*\0" + struct.pack("<I", 8) + b"".join(directory(grey(), offset) for offset in offsets) + bytes(4096)


def tiles(side: int) -> dict[int, int]:
    kept = {tag: value for tag, value in grey().items() if tag not in (273, 278, 279)}
    return kept | {322: side, 323: side, 324: 200, 325: 1000}


BOMBS = {
    "png of 10 gigapixels": ("p.png", png(100_000, 100_000)),
    "png of 2 billion columns": ("p.png", png(2**31 - 1, 16)),
    "png over the limit": ("p.png", png(BIG, BIG)),
    "interlaced png over the limit": ("p.png", png(BIG, BIG, interlaced=1)),
    "tiff of 2 billion squared": ("p.tif", tif(grey(2**31 - 1, 2**31 - 1))),
    "tiff over the limit": ("p.tif", tif(grey(BIG, BIG))),
    "tiff of many channels": ("p.tif", tif(grey(t277=65535))),
    "tiff of huge tiles": ("p.tif", tif(tiles(2**15))),
    "tiff of larger tiles": ("p.tif", tif(tiles(2**20))),
    "tiff of 20,000 directories": ("p.tif", many_directories(20_000)),
}


@pytest.mark.parametrize(("name", "content"), BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_refused_and_takes_no_memory(tmp_path, reading, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    outcome = reading.read(path)
    assert outcome.kind == "refused", outcome


@pytest.mark.parametrize("name", [b"zTXt", b"iTXt", b"iCCP"])
def test_a_gigabyte_packed_into_text_of_a_png_is_not_unpacked(tmp_path, reading, name):
    packer = zlib.compressobj(9)
    begun = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)  # after which blocks may be repeated
    again = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = begun + again * 1023 + packer.flush()
    head = b"k\0\1\0\0\0" if name == b"iTXt" else b"k\0\0"
    path = tmp_path / "p.png"
    path.write_bytes(png(64, 48, chunk(name, head + packed)))
    assert reading.read(path).kind == "refused"  # its pixels lack: memory is looked at


@pytest.mark.parametrize("content", [tif(grey(), following=8), tif(grey(t278=2**32 - 1)), tif(grey(t279=2**32 - 1))])
def test_a_tiff_that_leads_in_a_circle_or_names_sizes_at_random_is_read_or_refused(tmp_path, reading, content):
    path = tmp_path / "p.tif"
    path.write_bytes(content)
    assert not reading.read(path).is_finding


@pytest.mark.parametrize("corner", [2**15 - 1, 2**16 - 1, 2**16, 2**30, 2**31 - 1])
@pytest.mark.parametrize("name", [b"dataWindow\0box2i\0", b"displayWindow\0box2i\0"])
def test_windows_of_an_exr_beyond_the_limit_are_refused(reading, write_exr, name, corner):
    head = name + struct.pack("<i", 16)
    path = write_exr(head + struct.pack("<4i", 0, 0, 63, 47), head + struct.pack("<4i", 0, 0, corner, corner))
    assert reading.read(path).kind == "refused"


@pytest.mark.parametrize("side", [2**15, 2**20, 2**31, 2**32 - 1])
def test_tiles_of_an_exr_that_are_far_larger_than_the_picture_are_refused(reading, write_exr, side):
    head = b"tiles\0tiledesc\0" + struct.pack("<I", 9)
    path = write_exr(head + struct.pack("<2I", 16, 16), head + struct.pack("<2I", side, side), tile=16)
    assert reading.read(path).kind == "refused"


def test_text_that_is_no_utf8_in_a_header_is_an_error_that_names_the_file(reading, write_exr):
    path = write_exr(b"channels\0chlist\0", b"cha\xff\x7f\0\0s\0chlist\0")
    outcome = reading.read(path)
    assert outcome.kind == "refused"
    assert "UTF-8" in outcome.said


@pytest.mark.parametrize("aspect", [(0, 1), (1, 0), (0xFFFFFFFE, 1), (1, 0xFFFFFFFE)], ids=str)
def test_a_pixel_aspect_that_is_none_is_taken_for_square(tmp_path, pictures, aspect):
    path = pictures.write(tmp_path / "p.dpx", pictures.scene(), "RGB", "uint16")
    content = bytearray(path.read_bytes())
    struct.pack_into(">2I" if content[:4] == b"SDPX" else "<2I", content, 1628, *aspect)
    path.write_bytes(content)
    assert frames.read_plate(path).geometry.pixel_aspect == 1.0


def test_memory_that_runs_out_is_an_error_that_names_the_file(tmp_path, monkeypatch, pictures, raises_with_hint):
    def full(*_):
        raise MemoryError

    path = pictures.write(tmp_path / "p.exr", pictures.scene(), "RGB")
    monkeypatch.setattr(decoding, "decode", full)
    with raises_with_hint(OutOfMemory, path):
        frames.read_plate(path)


def test_a_picture_under_the_name_of_another_format_is_refused(tmp_path, reading, pictures):
    whole = pictures.write(tmp_path / "p.png", pictures.scene(), "RGB", "uint8")
    path = whole.rename(tmp_path / "p.exr")
    assert reading.read(path).kind == "refused"
