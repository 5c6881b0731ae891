"""Keeps measured peaks in a file beside the weights: measuring them again takes seconds, on a busy machine minutes."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from functools import cache
from pathlib import Path

import torch
from videomama_client.whole_files import replacing

from videomama_server.engines.videomama import network

_MOST = 4096  # peaks in one file; beyond that it is begun again


class KnownPeaks:
    """Peaks in bytes by what they are of. They hold for this release of torch and this code of the network."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._peaks: dict[str, int] = {}

    def use(self, path: Path) -> None:
        """Take peaks from a file from now on, and keep new ones there. A file that is damaged counts as empty."""
        if path != self._path:
            self._path, self._peaks = path, _read(path)

    def find(self, of: str) -> int | None:
        """Return a peak, or None where it was not measured yet."""
        return self._peaks.get(_key(of))

    def keep(self, of: str, peak: int) -> None:
        """Keep a peak; where the file cannot be written, for this process alone."""
        if len(self._peaks) >= _MOST:
            self._peaks.clear()
        self._peaks[_key(of)] = peak
        if self._path is None:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self._path) as made:
                made.write_text(json.dumps(self._peaks))


def _read(path: Path) -> dict[str, int]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: peak for key, peak in found.items() if isinstance(peak, int) and peak > 0}


def _key(of: str) -> str:
    return hashlib.blake2b(f"{_code()} {torch.__version__} {of}".encode(), digest_size=16).hexdigest()


@cache
def _code() -> str:
    """Return a digest of the network's code, which decides about its peaks."""
    digest = hashlib.blake2b(digest_size=16)
    for source in sorted(Path(str(network.__file__)).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()
