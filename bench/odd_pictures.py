"""Small picture files of kinds that no writer here makes, byte by byte: for fuzz_pictures.py, and for the tests.

Sources: "OpenEXR file layout" of the Academy Software Foundation, TIFF 6.0 with the tags of SGI, and the PNG standard.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Values = Mapping[str, NDArray]
_TYPES = {"uint32": 0, "float16": 1, "float32": 2}
_MULTIPART, _DEEP, _TILED = 0x1000, 0x0800, 0x0200
SCANLINES, TILES, DEEP = "scanlineimage", "tiledimage", "deepscanline"
ONE_LEVEL, MIPMAP, RIPMAP = 0, 1, 2


@dataclass(frozen=True)
class ExrPart:
    """One part of an EXR file.

    Attributes:
        values: (H, W) of each channel, whose dtype is stored: uint32, float16 or float32. A channel of half the
            size is subsampled. Deep parts have one sample in each pixel.
        name: of the part.
        kind: `SCANLINES`, `TILES` or `DEEP`.
        levels: of a tiled part, whose smaller levels are made black.
        attributes: more of the header, by name: type and bytes.
    """

    values: Values
    name: str = ""
    kind: str = SCANLINES
    levels: int = ONE_LEVEL
    attributes: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture."""
        return max(pixels.shape[0] for pixels in self.values.values()), max(p.shape[1] for p in self.values.values())

    @property
    def channels(self) -> list[tuple[str, NDArray]]:
        """The channels, in the order in which they are stored."""
        return sorted(self.values.items())


def text(value: str) -> tuple[str, bytes]:
    """Return a header attribute."""
    return "string", value.encode()


def texts(*values: str) -> tuple[str, bytes]:
    """Return a header attribute of several texts, as `multiView` is."""
    return "stringvector", b"".join(struct.pack("<i", len(value)) + value.encode() for value in values)


def exr(*parts: ExrPart) -> bytes:
    """Return an EXR file, uncompressed."""
    several = len(parts) > 1
    flags = (_MULTIPART if several else 0) | (_DEEP if any(part.kind == DEEP for part in parts) else 0)
    flags |= _TILED if not several and parts[0].kind == TILES else 0
    chunks = [_chunks(part) for part in parts]
    head = struct.pack("<II", 20000630, 2 | flags)
    head += b"".join(_header(part, len(made), several) for part, made in zip(parts, chunks, strict=True))
    head += b"\0" if several else b""
    place = len(head) + 8 * sum(map(len, chunks))
    table, body = b"", b""
    for number, made in enumerate(chunks):
        for chunk in made:
            table += struct.pack("<Q", place + len(body))
            body += (struct.pack("<i", number) if several else b"") + chunk
    return head + table + body


def _header(part: ExrPart, chunks: int, several: bool) -> bytes:
    height, width = part.size
    listed = b""
    for name, pixels in part.channels:
        steps = width // pixels.shape[1], height // pixels.shape[0]
        listed += name.encode() + b"\0" + struct.pack("<iBxxxii", _TYPES[pixels.dtype.name], 0, *steps)
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    attributes: dict[str, tuple[str, bytes]] = {
        "channels": ("chlist", listed + b"\0"),
        "compression": ("compression", b"\0"),
        "dataWindow": ("box2i", window),
        "displayWindow": ("box2i", window),
        "lineOrder": ("lineOrder", b"\0"),
        "pixelAspectRatio": ("float", struct.pack("<f", 1)),
        "screenWindowCenter": ("v2f", bytes(8)),
        "screenWindowWidth": ("float", struct.pack("<f", 1)),
    }
    if part.kind == TILES:
        attributes["tiles"] = ("tiledesc", struct.pack("<IIB", width, height, part.levels))
    if several or part.kind == DEEP:
        attributes |= {"type": text(part.kind), "chunkCount": ("int", struct.pack("<i", chunks))}
        attributes |= {"version": ("int", struct.pack("<i", 1))} if part.kind == DEEP else {}
    if part.name:
        attributes["name"] = text(part.name)
    attributes |= part.attributes
    return b"".join(_attribute(name, *value) for name, value in attributes.items()) + b"\0"


def _attribute(name: str, kind: str, content: bytes) -> bytes:
    return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(content)) + content


def _chunks(part: ExrPart) -> list[bytes]:
    return {SCANLINES: _lines, TILES: _tiles, DEEP: _deep_lines}[part.kind](part)


def _lines(part: ExrPart) -> list[bytes]:
    height, _ = part.size
    made = []
    for y in range(height):
        steps = [(pixels, height // pixels.shape[0]) for _, pixels in part.channels]
        row = b"".join(pixels[y // step].tobytes() for pixels, step in steps if y % step == 0)
        made.append(struct.pack("<ii", y, len(row)) + row)
    return made


def _deep_lines(part: ExrPart) -> list[bytes]:
    height, width = part.size
    counts = np.arange(1, width + 1, dtype="<i4").tobytes()
    made = []
    for y in range(height):
        row = b"".join(pixels[y].tobytes() for _, pixels in part.channels)
        made.append(struct.pack("<iqqq", y, len(counts), len(row), len(row)) + counts + row)
    return made


def _tiles(part: ExrPart) -> list[bytes]:
    """One tile a level: the whole picture, and black ones of half the size, and so on."""
    height, width = part.size
    across, down = width.bit_length(), height.bit_length()
    levels = {
        ONE_LEVEL: [(0, 0)],
        MIPMAP: [(level, level) for level in range(max(across, down))],
        RIPMAP: [(x, y) for y in range(down) for x in range(across)],
    }[part.levels]
    made = []
    for x, y in levels:
        w, h = max(1, width >> x), max(1, height >> y)
        planes = [pixels if (x, y) == (0, 0) else np.zeros((h, w), pixels.dtype) for _, pixels in part.channels]
        rows = b"".join(plane[line].tobytes() for line in range(h) for plane in planes)
        made.append(struct.pack("<5i", 0, 0, x, y, len(rows)) + rows)
    return made


def tif(pixels: NDArray, photometric: int, bits: int = 0, tags: Mapping[int, int] | None = None) -> bytes:
    """Return a TIFF in one strip.

    Args:
        pixels: (H, W), or (H, W, 2) with alpha, of the dtype that is stored; of 0 and 1 where `bits` is 1.
        photometric: 0 for MinIsWhite, 1 for MinIsBlack.
        bits: of a sample; those of the dtype by default.
        tags: more of the directory, or others: whole numbers.
    """
    height, width = pixels.shape[:2]
    content = np.packbits(pixels.astype(bool), axis=1).tobytes() if bits == 1 else pixels.tobytes()
    bits = bits or pixels.dtype.itemsize * 8
    count = pixels.shape[2] if pixels.ndim == 3 else 1
    kind = 3 if pixels.dtype.kind == "f" else 1
    entries = {256: width, 257: height, 258: bits, 259: 1, 262: photometric, 273: 0, 277: count, 278: height}
    entries |= {279: len(content), 284: 1, 339: kind, **(tags or {})}
    entries[273] = 8 + 2 + 12 * len(entries) + 4
    directory = b""
    for tag, value in sorted(entries.items()):
        if tag in (258, 339):  # one a sample
            directory += struct.pack("<HHIHH", tag, 3, count, value, value)
        else:
            directory += struct.pack("<HHII", tag, 4 if tag in (256, 257, 273, 278, 279) else 3, 1, value)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4) + content


def volume() -> bytes:
    """Return a TIFF of 4 slices, in one tile of 64x48x4."""
    width, height, depth = 64, 48, 4
    entries = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 277: 1, 284: 1, 322: width, 323: height, 339: 1}
    entries |= {324: 0, 325: width * height * depth, 32997: depth, 32998: depth}
    entries[324] = 8 + 2 + 12 * len(entries) + 4
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4) + bytes(width * height * depth)


def palette_png(indices: NDArray, palette: Sequence[tuple[int, int, int]]) -> bytes:
    """Return a PNG of indices (H, W) uint8 into a palette of red, green and blue, 0..255."""
    height, width = indices.shape
    rows = b"".join(b"\0" + row.tobytes() for row in indices.astype(np.uint8))
    content = _png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
    content += _png_chunk(b"PLTE", b"".join(bytes(colour) for colour in palette))
    return b"\x89PNG\r\n\x1a\n" + content + _png_chunk(b"IDAT", zlib.compress(rows)) + _png_chunk(b"IEND", b"")


def _png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def samples() -> dict[str, list[bytes]]:
    """Return a few whole files of each format, one of every odd kind."""
    plain = np.random.default_rng(1).random((48, 64)).astype(np.float16)
    rgb = dict.fromkeys("RGB", plain)
    deep = ExrPart({"A": plain, "Z": plain.astype(np.float32)}, "deep", DEEP)
    flat = ExrPart(rgb, "rgba.left", attributes={"view": text("left")})
    chroma = {"Y": plain, "RY": plain[::2, ::2], "BY": plain[::2, ::2]}
    numbers = ExrPart({"id": np.arange(48 * 64, dtype=np.uint32).reshape(48, 64)}, "id")
    views = {"multiView": texts("left", "right")}
    cube = ExrPart(dict.fromkeys("RGB", np.tile(plain[:32, :32], (6, 1))), attributes={"envmap": ("envmap", b"\1")})
    exrs = [
        exr(deep), exr(deep, flat), exr(flat, deep), exr(ExrPart(chroma)), exr(numbers, flat), exr(cube),
        exr(ExrPart(dict.fromkeys("RGB", plain), kind=TILES, levels=MIPMAP)),
        exr(ExrPart(dict.fromkeys("RGB", plain), kind=TILES, levels=RIPMAP)),
        exr(ExrPart({**rgb, "right.R": plain, "right.G": plain, "right.B": plain}, attributes=views)),
    ]  # fmt: skip
    whole = (plain * 255).astype(np.uint8)
    tifs = [volume(), tif(whole, 0), tif(whole > 127, 0, bits=1), tif(whole.astype(np.uint16), 0, tags={274: 6})]
    return {"exr": exrs, "tif": tifs, "png": [palette_png(whole % 3, [(0, 0, 0), (128, 0, 0), (0, 128, 0)])]}
