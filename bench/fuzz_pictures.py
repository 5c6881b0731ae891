"""Damaged picture files for fuzz.py: small real ones, ways to damage them, and the process that reads them.

A finding is anything but pixels or a typed error that names the file: a crash, a hang, another exception, or memory
taken for a file that is then refused.
"""

from __future__ import annotations

import random
import selectors
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import odd_pictures
import OpenImageIO as oiio

HANG_S = 20.0
GOOD = ("pixels", "refused", "message", "answered or dropped")
WIDTH, HEIGHT = 64, 48
_KINDS: dict[str, list[tuple[str, dict[str, str | int]]]] = {
    "exr": [
        ("half", {"compression": name})
        for name in ("none", "rle", "zip", "zips", "piz", "pxr24", "b44", "b44a", "dwaa", "dwab", "htj2k256")
    ]
    + [("float", {"compression": "zip"}), ("half", {"tile": 16, "compression": "piz"}), ("float", {"tile": 32})],
    "tif": [
        ("uint16", {"compression": "lzw"}),
        ("uint8", {"compression": "zip"}),
        ("float", {"compression": "packbits"}),
        ("uint8", {"compression": "jpeg"}),
        ("half", {"tile": 16, "compression": "zip"}),
        ("uint16", {"planarconfig": "separate"}),
    ],
    "png": [("uint8", {}), ("uint16", {})],
    "dpx": [("uint16", {"oiio:BitsPerSample": 10}), ("uint16", {}), ("uint8", {})],
    "jpg": [("uint8", {}), ("uint8", {"jpeg:progressive": 1})],
}
ODD = "odd."  # before the ending of files of kinds that no writer here makes
KINDS = (*_KINDS, *(f"{ODD}{ending}" for ending in odd_pictures.samples()))
_WHOLE = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


def seeds(folder: Path, kind: str) -> list[bytes]:
    """Return small whole files of one kind, in what variants there are; `folder` is where they are made."""
    if kind.startswith(ODD):
        return odd_pictures.samples()[kind.removeprefix(ODD)]
    pixels = np.random.default_rng(1).random((HEIGHT, WIDTH, 4), np.float32)
    pixels[: HEIGHT // 2] = 0.5
    made = []
    for dtype, options in _KINDS[kind]:
        for channels in (3, 4) if kind != "jpg" else (3,):
            path = folder / f"seed.{kind}"
            _write(path, np.ascontiguousarray(pixels[..., :channels]), dtype, dict(options))
            made.append(path.read_bytes())
    return made


def _write(path: Path, pixels: np.ndarray, dtype: str, options: dict[str, str | int]) -> None:
    spec = oiio.ImageSpec(WIDTH, HEIGHT, pixels.shape[2], dtype)
    spec.tile_width = spec.tile_height = int(options.pop("tile", 0))
    for name, value in options.items():
        spec.attribute(name, value)
    output = oiio.ImageOutput.create(str(path))
    if not (output.open(str(path), spec) and output.write_image(pixels) and output.close()):
        raise RuntimeError(f"cannot write a seed {path.name}: {output.geterror()}")


def _flip(rng: random.Random, content: bytearray) -> None:
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def _cut(rng: random.Random, content: bytearray) -> None:
    del content[rng.randrange(len(content)) :]


def _number(rng: random.Random, content: bytearray) -> None:
    """Put a telling number where the header is likely to have one."""
    size = rng.choice((1, 2, 4, 4, 4, 8))
    reach = min(len(content), rng.choice((64, 512, 2048, len(content))))
    place = rng.randrange(max(1, reach - size))
    value = rng.choice((*_WHOLE, rng.getrandbits(size * 8))) & ((1 << size * 8) - 1)
    content[place : place + size] = value.to_bytes(size, rng.choice(("little", "big")))


def _copy(rng: random.Random, content: bytearray) -> None:
    length = rng.randrange(1, min(256, len(content)))
    source, target = (rng.randrange(len(content) - length + 1) for _ in range(2))
    content[target : target + length] = content[source : source + length]


def _remove(rng: random.Random, content: bytearray) -> None:
    place = rng.randrange(len(content))
    del content[place : place + rng.randrange(1, 64)]


def _insert(rng: random.Random, content: bytearray) -> None:
    place = rng.randrange(len(content))
    content[place:place] = rng.randbytes(rng.randrange(1, 64))


def _field(rng: random.Random, content: bytearray) -> None:
    """Change an attribute of an EXR header, or an entry of a TIFF's first directory, by its meaning."""
    if content[:4] == b"\x76\x2f\x31\x01":
        name = rng.choice(
            (b"dataWindow\0", b"displayWindow\0", b"tiles\0", b"compression\0", b"chlist\0", b"lineOrder\0", b"type\0")
        )
        place = content.find(name)
        if place >= 0:
            place = content.find(b"\0", place + len(name)) + 5
            content[place : place + 4] = struct.pack("<I", rng.choice(_WHOLE))
    elif content[:2] == b"II" and len(content) > 8:
        (start,) = struct.unpack_from("<I", content, 4)
        if start + 14 < len(content):
            place = start + 2 + 12 * rng.randrange(min(20, (len(content) - start - 2) // 12))
            struct.pack_into(rng.choice(("<4xI4x", "<8xI")), content, place, rng.choice(_WHOLE))
    else:
        _number(rng, content)


_DAMAGES: tuple[Callable[[random.Random, bytearray], None], ...] = (
    _flip, _cut, _number, _number, _number, _copy, _remove, _insert, _field, _field,
)  # fmt: skip


def damaged(rng: random.Random, whole: bytes) -> bytes:
    """Return a file with one to four damages."""
    content = bytearray(whole)
    for _ in range(rng.choice((1, 1, 2, 4))):
        if len(content) > 16:
            rng.choice(_DAMAGES)(rng, content)
    return bytes(content)


@dataclass(frozen=True)
class FuzzOutcome:
    """What became of one thing that was tried, and why; `GOOD` are the kinds that should be."""

    kind: str
    said: str = ""

    @property
    def is_finding(self) -> bool:
        """Whether it should not have happened."""
        return self.kind not in GOOD


class ReadingProcess:
    """Reads files with the server's own reader in a process of its own, which is started again when it dies."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def read(self, path: Path) -> FuzzOutcome:
        """Read one file; return what came of it."""
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):  # it died: its silence tells
            process.stdin.write(f"{path}\n")
            process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(HANG_S):
                self.end()
                return FuzzOutcome("hang", f"no answer within {HANG_S:g} s")
        line = process.stdout.readline()
        if not line:
            self.end()
            return FuzzOutcome("crash", f"ended with code {process.returncode}")
        kind, _, said = line.rstrip("\n").partition("\t")
        return FuzzOutcome(kind, said)

    def end(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                assert stream is not None
                with suppress(BrokenPipeError):
                    stream.close()
            self._process = None

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, str(Path(__file__).with_name("fuzz_reader.py"))]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        return self._process


def rounds(folder: Path, kind: str, seed: int) -> Iterator[tuple[bytes, FuzzOutcome]]:
    """Yield damaged files of one kind and what came of them, without end."""
    rng = random.Random(f"{kind} {seed}")
    whole = seeds(folder, kind)
    reading = ReadingProcess()
    path = folder / f"damaged.{kind}"
    try:
        while True:
            content = damaged(rng, rng.choice(whole))
            path.write_bytes(content)
            yield content, reading.read(path)
    finally:
        reading.end()
