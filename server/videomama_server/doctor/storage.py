"""The cache folder: whether it can be written, how full it and its disk are, and whether its entries are whole."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from videomama_server.cache import layout, upkeep
from videomama_server.config import Config
from videomama_server.doctor.lines import DoctorLine, good, problem, warning
from videomama_server.files import disk_space

NAME = "cache folder"
_SAMPLE = 24
_NO_ROOM = 500e6
_LITTLE_ROOM = 10e9
_ELSEWHERE = "Name another folder with VIDEOMAMA_CACHE_DIR, or cache_dir in config.toml."


def examine(config: Config) -> list[DoctorLine]:
    """Look at the folder and change nothing in it."""
    folder = config.cache_dir
    found = [_room(folder)]
    if not folder.is_dir():
        return [_can_be_made(folder), *found]
    reason = _not_writable(folder)
    if reason:
        what = f"{folder} cannot be written ({reason}): what is computed is kept only until the server ends"
        return [warning(NAME, what, f"Get the permission to write there. {_ELSEWHERE}"), *found]
    if not (folder / layout.README).is_file():
        if any(folder.iterdir()):
            return [warning(NAME, f"{folder} holds files that are not the cache's", _ELSEWHERE), *found]
        return [good(NAME, f"{folder} is empty and can be written"), *found]
    newer = layout.unknown_format(folder)
    if newer:
        what = f"{folder} has format {newer}, and this version of VideoMaMa knows format {layout.FORMAT}"
        return [warning(NAME, f"{what}: it is left alone", f"Update VideoMaMa. {_ELSEWHERE}"), *found]
    return [_size(folder, config.cache_limit_gb), *_entries(folder), *found]


def _can_be_made(folder: Path) -> DoctorLine:
    place = disk_space.nearest(folder)
    if os.access(place, os.W_OK | os.X_OK) and not folder.exists():
        return good(NAME, f"{folder} is not there yet; the first job makes it")
    what = f"{folder} cannot be made: {folder if folder.exists() else place} is not a folder that can be written"
    return warning(NAME, f"{what}; alphas are kept only until the server ends", _ELSEWHERE)


def _not_writable(folder: Path) -> str:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def _size(folder: Path, limit_gb: float) -> DoctorLine:
    held = upkeep.stat(folder)
    what = f"{folder} can be written; {held.entries} entries, {held.bytes / 1e9:.1f} GB of {limit_gb:g} GB"
    if held.bytes > limit_gb * 1e9:
        return warning(NAME, what, "`videomama cache prune` removes what was not used for longest.")
    return good(NAME, what)


def _entries(folder: Path) -> list[DoctorLine]:
    checked, damaged = upkeep.sample(folder, _SAMPLE)
    if not checked:
        return []
    if damaged:
        what = f"{len(damaged)} of {checked} entries that were looked at are damaged, such as {damaged[0]}"
        return [warning("cache entries", what, "`videomama cache verify` removes them; they are computed again.")]
    return [good("cache entries", f"{checked} were looked at and are whole")]


def _room(folder: Path) -> DoctorLine:
    place = disk_space.nearest(folder)
    free = disk_space.free(place)
    if free is None:
        return warning("disk", f"The disk of {place} does not say how much space is free", _ELSEWHERE)
    what = f"{free / 1e9:.1f} GB are free for the cache, at {place}"
    if free < _NO_ROOM:
        return problem("disk", what, f"Free some space: `videomama cache prune --limit-gb 1`. {_ELSEWHERE}")
    return good("disk", what) if free >= _LITTLE_ROOM else warning("disk", what, f"Free some space. {_ELSEWHERE}")
