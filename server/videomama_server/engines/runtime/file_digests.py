"""What files of weights are known by in keys: their content."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from blake3 import blake3
from videomama_client.errors import WeightsError

from videomama_server import heartbeat


def digest(paths: Iterable[Path], with_names: bool = False) -> str:
    """Return the BLAKE3, hexadecimal, of the bytes of files, in their order.

    Args:
        paths: of the files.
        with_names: whether the name of each counts, too, as in a folder whose files are told apart by it.

    Raises:
        WeightsError: a file cannot be read.
    """
    found = blake3(max_threads=blake3.AUTO)
    for path in paths:
        if with_names:
            found.update(path.name.encode())
        try:
            found.update_mmap(path)
        except OSError as error:
            raise WeightsError(
                f"cannot read {path}: {error.strerror or error}", "Check the path and its permissions."
            ) from error
        heartbeat.beat()
    return str(found.hexdigest(length=16))
