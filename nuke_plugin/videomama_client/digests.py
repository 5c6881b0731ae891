"""What a file's bytes are known by: to prove that both sides read the same file, and to know its content again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO


def file_proof(path: Path, nonce: str) -> str:
    """Return the proof that this side reads a file now."""
    with path.open("rb") as file:
        return proof(file, nonce)


def proof(file: BinaryIO, nonce: str) -> str:
    """Return BLAKE2b of the nonce and the first MiB of an open file: only who reads the file now can know it."""
    return hashlib.blake2b(nonce.encode() + file.read(1 << 20), digest_size=16).hexdigest()


def content_digest(path: Path) -> str:
    """Return BLAKE2b of a file's bytes, by which the server knows an inline frame again."""
    hasher = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest()
