"""The region of interest: the one rectangle of a job that engines see. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable

from videomama_client.errors import BadInput

from videomama_server.geometry import EMPTY, Rect

AUTO = "auto"
OFF = "off"
PADDING_SHARE = 0.1  # of the region's side, what a tracker's mask commonly leaves out (hair, motion blur)
PADDING_PIXELS = 48.0  # on a plate 1920 wide: the default trimap (dilate 40) and room for its filters
MULTIPLE = 8


def parse(text: str) -> Rect | None:
    """Read `x,y,w,h`; None for `auto` and `off`. Raises `BadInput`."""
    if text in (AUTO, OFF):
        return None
    try:
        x, y, w, h = (int(part) for part in text.split(","))
    except ValueError as error:
        raise BadInput(f"{text!r} is no region of interest", "Write auto, off, or x,y,w,h in pixels.") from error
    if w < MULTIPLE or h < MULTIPLE:
        raise BadInput(f"a region of {w}x{h} pixels is too small", f"Both sides must be at least {MULTIPLE}.")
    return Rect(x, y, w, h)


def format_region(region: Rect) -> str:
    """Write a region the way `parse` reads it."""
    return f"{region.x},{region.y},{region.w},{region.h}"


def from_masks(supports: Iterable[Rect], bounds: Rect, dilate: float) -> Rect:
    """Return the region around every mask of a job.

    Args:
        supports: the rectangle around each mask.
        bounds: the canvas of the plate; the region stays inside it.
        dilate: how far the transition band reaches out of the mask, in pixels of a plate 1920 wide.
    """
    around = EMPTY
    for support in supports:
        around = around.union(support.intersect(bounds))
    scale = max(bounds.w, bounds.h) / 1920
    least = max(PADDING_PIXELS, dilate * 1.2) * scale
    grown = around.grow(round(max(PADDING_SHARE * around.w, least)), round(max(PADDING_SHARE * around.h, least)))
    return _rounded(grown).intersect(bounds)


def leaving(supports: dict[int, Rect], region: Rect) -> list[int]:
    """Return the frames whose mask is not wholly inside the region."""
    return [frame for frame, support in supports.items() if not support.empty and not region.holds(support)]


def _rounded(rect: Rect) -> Rect:
    x, y = rect.x // MULTIPLE * MULTIPLE, rect.y // MULTIPLE * MULTIPLE
    right, bottom = -(-rect.right // MULTIPLE) * MULTIPLE, -(-rect.bottom // MULTIPLE) * MULTIPLE
    return Rect(x, y, right - x, bottom - y)
