"""The folders where the frames of inline jobs lie while they are worked on; only the server writes there."""

from __future__ import annotations

import errno
import hashlib
import shutil
import tempfile
from pathlib import Path

from videomama_client import private
from videomama_client.errors import BadInput, NotPermitted
from videomama_client.whole_files import mark, replacing

from videomama_server.cache import layout
from videomama_server.media import sequences


def make(cache_dir: Path) -> str:
    """Return a new folder for an inline job's frames: beside the cache, or where temporary files go.

    Raises:
        NotPermitted: the disk is full, or neither can be written.
    """
    try:
        return _make(cache_dir)
    except OSError as error:
        raise NotPermitted(f"cannot keep the frames of this job: {error}", "Free some space and run again.") from error


def _make(cache_dir: Path) -> str:
    if layout.unknown_format(cache_dir):
        return _make_elsewhere()
    try:
        private.make_folder(cache_dir)
        private.make_folder(cache_dir / "spool")
        return tempfile.mkdtemp(prefix=mark(), dir=cache_dir / "spool")
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        return _make_elsewhere()


def _make_elsewhere() -> str:
    return tempfile.mkdtemp(prefix="videomama-spool-")


def pattern(folder: Path, role: str, client_pattern: str, name: str = "") -> sequences.Pattern:
    """Return where the frames of one role, and of one object, lie: the client's file ending tells the format."""
    tail = sequences.parse(client_pattern).tail
    return sequences.Pattern(client_pattern, folder, f"{role}.{name}." if name else f"{role}.", 4, tail, None)


def key_mask(folder: Path, role: str, client_file: str) -> sequences.Pattern:
    """Return where key masks of one role lie whose file has the client's ending."""
    return sequences.Pattern(client_file, folder, f"{role}.", 4, Path(client_file).suffix)


def keep(path: Path, content: bytes, digest: str) -> None:
    """Write a frame that a client sent.

    Raises:
        BadInput: the bytes are not those that were announced: cached alphas are found by that digest.
        OSError: the disk is full or failing.
    """
    if hashlib.blake2b(content, digest_size=16).hexdigest() != digest:
        raise BadInput(f"{path.name} changed while the job was running", "Run the job again.")
    with replacing(path) as arriving:  # one that is sent twice may be read at this moment
        arriving.write_bytes(content)


def remove(folder: str) -> None:
    """Remove a job's folder; empty for a job that has none."""
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
