"""Refuses work for which a disk has no room, before it is begun."""

from __future__ import annotations

import shutil
from pathlib import Path

from failure import InstallError


def ensure_room(folder: Path, needed: int, what: str) -> None:
    """Raise when fewer than `needed` bytes are free where `folder` is or would be made."""
    there = folder.resolve()
    while not there.exists() and there != there.parent:
        there = there.parent
    free = shutil.disk_usage(there).free
    if free < needed:
        raise InstallError(
            f"Too little space for {what}: {_gigabytes(needed)} are needed in {folder}, {_gigabytes(free)} are free.",
            "Free some space, or choose a folder on another disk.",
        )


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB"
