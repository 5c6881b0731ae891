"""Entries, holds and damage for the tests of the cache."""

import os
import socket
import subprocess
import sys
import time

import numpy as np
from videomama_server.media.geometry import Geometry, Rect

FULL = Geometry(Rect(0, 0, 64, 48), Rect(0, 0, 64, 48))


KEY, OTHER, THIRD = "aa" + "0" * 38, "ab" + "0" * 38, "cc" + "0" * 38


def alpha(seed=1):
    return np.random.default_rng(seed).random((48, 64), dtype=np.float32)


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def use(path, age):
    """Say when a file was last used, in seconds ago."""
    stat = path.stat()
    os.utime(path, (time.time() - age, stat.st_mtime))


def hold_of(cache, pid, host=None, age=0.0):
    """Leave the marker of a job of another process."""
    marker = cache.folder / "holds" / f"{host or socket.gethostname()}~{pid}~job"
    marker.parent.mkdir(exist_ok=True)
    marker.touch()
    os.utime(marker, (time.time() - age,) * 2)
    return marker


def dead_process():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


def empty(path):
    path.write_bytes(b"")


def shorten_to_its_header(path):
    path.write_bytes(path.read_bytes()[:300])


def fill_with_garbage(path):
    path.write_bytes(os.urandom(path.stat().st_size))


def flip_a_bit_of_the_pixels(path):
    flip(path, -200)


def flip_a_bit_of_the_header(path):
    flip(path, 8)


def flip_a_bit_of_the_seal(path):
    flip(path, path.read_bytes().index(b"videomama:seal") + 30)


def append(path):
    path.write_bytes(path.read_bytes() + b"\0")


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


DAMAGES = [
    truncate,
    empty,
    shorten_to_its_header,
    fill_with_garbage,
    flip_a_bit_of_the_pixels,
    flip_a_bit_of_the_header,
    flip_a_bit_of_the_seal,
    append,
]
