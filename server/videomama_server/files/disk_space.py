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
_USUAL_COLOUR_SHARE = 2  # the foreground of a plate with grain, which runs on smoothly where there is none


@dataclass(frozen=True)
class Need:
    """Bytes that some pictures take: `least` for the emptiest, `usual` for such as have soft edges, or grain."""

    least: int
    usual: int

    def __add__(self, other: Need) -> Need:
        """Return what both together take."""
        return Need(self.least + other.least, self.usual + other.usual)


@dataclass(frozen=True)
class Share:
    """Bytes that one purpose, such as `for the weights`, takes in a folder, which need not be there yet."""

    folder: Path
    size: int
    purpose: str


def needed(suffix: str, dtype: str, size: tuple[int, int], count: int, channels: int = 1) -> Need:
    """Return what `count` pictures of `size` (width, height) take in a format, such as `.exr`, and pixel type.

    Args:
        suffix, dtype, size, count: of the pictures.
        channels: of each: 1 for alphas, more for colour, which is compressed less.
    """
    pixels = count * size[0] * size[1] * _PIXEL_BYTES[dtype] * channels
    if suffix.lower() in _UNCOMPRESSED:
        return Need(pixels, pixels)
    return Need(pixels // _DEFLATE_LIMIT, pixels // (_USUAL_SHARE if channels == 1 else _USUAL_COLOUR_SHARE))


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
                f"the disk of {folder} has {size_text(available)} free, and {size_text(wanted)} are needed "
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
    what = f"{folder} has {size_text(available)} free"
    if available < need.least:
        raise NotPermitted(
            f"{what}, and the job needs at least {size_text(need.least)} there",
            "Free some space, or choose an output folder on another disk.",
        )
    return f"{what}, and the job may need {size_text(need.usual)} there"


def size_text(size: int) -> str:
    """Return a size in bytes for people, such as `1.2 GB`."""
    unit, name = next((known for known in ((1e9, "GB"), (1e6, "MB")) if size >= known[0]), (1e3, "kB"))
    return f"{size / unit:.1f} {name}"


def _purposes(shares: Sequence[Share]) -> str:
    if len(shares) == 1:
        return shares[0].purpose
    return " and ".join(f"{size_text(share.size)} {share.purpose}" for share in shares)


def _device(folder: Path) -> int:
    return folder.stat().st_dev
