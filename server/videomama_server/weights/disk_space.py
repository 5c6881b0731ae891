"""Whether the disks have room for weights, before a byte of them is moved."""

from __future__ import annotations

import shutil
from pathlib import Path

from videomama_client.errors import NotPermitted

_SPARE_BYTES = 64_000_000


def check(folder: Path, wanted: int, cache: Path, folded: int) -> None:
    """Raise NotPermitted unless `wanted` bytes fit into `folder` and `folded` into `cache`, together if on one disk."""
    folder, cache = _existing(folder), _existing(cache)
    if _device(folder) == _device(cache):
        _demand(folder, wanted + folded, _split(wanted, folded))
        return
    _demand(folder, wanted, "for the weights")
    _demand(cache, folded, "for what the model is folded into at its first use")


def _split(wanted: int, folded: int) -> str:
    if not folded:
        return "for the weights"
    return f"{_gb(wanted)} for the weights and {_gb(folded)} for what they are folded into at the first use"


def _demand(folder: Path, wanted: int, what: str) -> None:
    free = shutil.disk_usage(folder).free
    if wanted and free < wanted + _SPARE_BYTES:
        raise NotPermitted(
            f"the disk of {folder} has {_gb(free)} free, and {_gb(wanted)} are needed ({what}); nothing was fetched",
            "Free some space, or name another folder with --to DIR (the cache folder: cache_dir in the config).",
        )


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that is there."""
    folder = folder.absolute()
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder


def _device(folder: Path) -> int:
    return folder.stat().st_dev


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
