"""Digests of files as publishers state them: MD5, SHA-256, and git's own for small ones; in one pass over the bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from videomama_client.errors import WeightsError

# What is being done, bytes done, bytes in all.
Progress = Callable[[str, int, int], None]

_CHUNK = 1 << 22


@dataclass(frozen=True)
class Digests:
    """A file's size in bytes and its digests, hexadecimal; `git` is the SHA-1 of its blob."""

    size: int
    md5: str
    sha256: str
    git: str


def silent(what: str, done: int, total: int) -> None:
    """Take progress and show none of it."""


def of(path: Path, progress: Progress = silent, name: str = "") -> Digests:
    """Read a file, called `name` in progress, and return its digests; raises OSError."""
    size = path.stat().st_size
    # MD5 and SHA-1 are what was published; they guard against damage, SHA-256 against more.
    md5 = hashlib.md5(usedforsecurity=False)
    git = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    sha256 = hashlib.sha256()
    done = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            for digest in (md5, git, sha256):
                digest.update(chunk)
            done += len(chunk)
            progress(f"checking {name or path.name}", done, size)
    return Digests(done, md5.hexdigest(), sha256.hexdigest(), git.hexdigest())


def of_readable(path: Path, progress: Progress) -> Digests:
    """Return the digests of a file that a person named or keeps; raises `WeightsError` where it cannot be read."""
    try:
        return of(path, progress)
    except OSError as error:
        raise WeightsError(
            f"cannot read {path}: {error.strerror or error}", "Check the path and its permissions."
        ) from error
