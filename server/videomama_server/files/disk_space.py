"""Free disk space: how much there is, and whether alphas or weights fit, before anything is computed or fetched."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from videomama_client.errors import NotPermitted

_PIXEL_BYTES = {"float": 4, "half": 2, "uint16": 2}
_UNCOMPRESSED = (".dpx",)
_DEFLATE_LIMIT = 1032  # no stream of deflate, which all other formats use, is smaller: zlib's "Technical Details"
_SPARE_BYTES = 64_000_000  # left free beside what is required
_USUAL_SHARE = 5  # noisy soft alphas take a seventh to a third of their pixels, usual ones less


@dataclass(frozen=True)
class Need:
    """Bytes that some alphas take: `least` for the emptiest, `usual` for such as have soft edges."""

    least: int
    usual: int


@dataclass(frozen=True)
class Share:
    """Bytes that one purpose, such as `for the weights`, takes in a folder, which need not be there yet."""

    folder: Path
    size: int
    purpose: str


def needed(suffix: str, dtype: str, size: tuple[int, int], count: int) -> Need:
    """Return what `count` alphas of `size` (width, height) take in a format, such as `.exr`, and pixel type."""
    pixels = count * size[0] * size[1] * _PIXEL_BYTES[dtype]
    if suffix.lower() in _UNCOMPRESSED:
        return Need(pixels, pixels)
    return Need(pixels // _DEFLATE_LIMIT, pixels // _USUAL_SHARE)


def free(folder: Path) -> int | None:
    """Return the free bytes of a folder's disk for this user; None where the disk does not say."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return usage.free if usage.total else None  # some network disks say zero to all


def nearest(folder: Path) -> Path:
    """Return the folder itself, or the closest one above it that is there."""
    absolute = folder.absolute()
    return next((place for place in (absolute, *absolute.parents) if place.is_dir()), absolute)


def require(shares: Sequence[Share], hint: str) -> None:
    """Raise unless all shares fit, together where their folders are on one disk; a disk that does not say is trusted.

    Raises:
        NotPermitted: one disk has too little space; `hint` follows "Free some space, or".
    """
    disks: dict[int, list[Share]] = {}
    for share in shares:
        if share.size:
            disks.setdefault(_device(nearest(share.folder)), []).append(share)
    for together in disks.values():
        folder, wanted = nearest(together[0].folder), sum(share.size for share in together)
        available = free(folder)
        if available is not None and available < wanted + _SPARE_BYTES:
            raise NotPermitted(
                f"the disk of {folder} has {_text(available)} free, and {_text(wanted)} are needed "
                f"({_purposes(together)}); nothing was written",
                f"Free some space, or {hint}",
            )


def check_space(folder: Path, available: int, need: Need) -> str:
    """Return a warning where `available` bytes may be too few for a job that writes in `folder`, else nothing.

    Raises:
        NotPermitted: they are too few for certain.
    """
    if available >= need.usual:
        return ""
    what = f"{folder} has {_text(available)} free"
    if available < need.least:
        raise NotPermitted(
            f"{what}, and the job needs at least {_text(need.least)} there",
            "Free some space, or choose an output folder on another disk.",
        )
    return f"{what}, and the job may need {_text(need.usual)} there"


def _purposes(shares: Sequence[Share]) -> str:
    if len(shares) == 1:
        return shares[0].purpose
    return " and ".join(f"{_text(share.size)} {share.purpose}" for share in shares)


def _device(folder: Path) -> int:
    return folder.stat().st_dev


def _text(size: int) -> str:
    unit, name = next((known for known in ((1e9, "GB"), (1e6, "MB")) if size >= known[0]), (1e3, "kB"))
    return f"{size / unit:.1f} {name}"
