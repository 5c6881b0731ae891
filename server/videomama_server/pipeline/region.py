"""The region of interest: the one rectangle of a job that engines see. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from math import lcm

from videomama_client.errors import BadInput

from videomama_server.arrays import REFERENCE_SIDE
from videomama_server.engines.base import RegionRule
from videomama_server.media.geometry import EMPTY, Rect

AUTO = "auto"
OFF = "off"
LEAST = 8  # pixels on either side


def parse(text: str) -> Rect | None:
    """Read `x,y,w,h`; None for `auto` and `off`. Raises `BadInput`."""
    if text in (AUTO, OFF):
        return None
    try:
        x, y, w, h = (int(part) for part in text.split(","))
    except ValueError as error:
        raise BadInput(
            f"--roi {text!r} is not a valid region of interest", "Write auto, off, or x,y,w,h in pixels."
        ) from error
    if w < LEAST or h < LEAST:
        raise BadInput(f"--roi {text}: {w}x{h} pixels are too small", f"Both sides must be at least {LEAST}.")
    return Rect(x, y, w, h)


def format_region(region: Rect) -> str:
    """Write a region the way `parse` reads it."""
    return f"{region.x},{region.y},{region.w},{region.h}"


def from_masks(supports: Iterable[Rect], bounds: Rect, reach: float, rule: RegionRule) -> Rect:
    """Return the region around every mask of a job, or `bounds` where a region spares too little.

    Args:
        supports: the rectangle around each mask.
        bounds: the canvas of the plate; the region stays inside it.
        reach: how far the transition band reaches out of the mask, in pixels of a plate 1920 wide.
        rule: of the engine.
    """
    around = EMPTY
    for support in supports:
        around = around.union(support.intersect(bounds))
    scale = max(bounds.w, bounds.h) / REFERENCE_SIDE
    least, share = max(rule.padding_pixels, reach * 1.2) * scale, rule.padding_share
    grown = around.grow(round(max(share * around.w, least)), round(max(share * around.h, least)))
    region = _rounded(grown, rule.multiple).intersect(bounds)
    spared = 1 - region.w * region.h / (bounds.w * bounds.h)
    return region if spared >= rule.minimum_gain else bounds


def around_all(found: Sequence[Rect | None], bounds: Rect, rules: Sequence[RegionRule]) -> Rect | None:
    """Return one region that holds several, or `bounds` where it spares too little; None where one of them is None.

    A single region, or several that are equal, stays as it is.

    Args:
        found: the regions.
        bounds: as for `from_masks`.
        rules: of the engines that will work on it.
    """
    known = [one for one in found if one is not None]
    if len(known) < len(found) or not found:
        return None
    if len(set(known)) == 1:
        return known[0]
    region = _rounded(reduce(Rect.union, known), lcm(*(rule.multiple for rule in rules))).intersect(bounds)
    spared = 1 - region.w * region.h / (bounds.w * bounds.h)
    return region if spared >= max(rule.minimum_gain for rule in rules) else bounds


def leaving(supports: dict[int, Rect], region: Rect) -> list[int]:
    """Return the frames whose mask is not wholly inside the region."""
    return [frame for frame, support in supports.items() if not support.empty and not region.holds(support)]


def _rounded(rect: Rect, multiple: int) -> Rect:
    x, y = rect.x // multiple * multiple, rect.y // multiple * multiple
    right, bottom = -(-rect.right // multiple) * multiple, -(-rect.bottom // multiple) * multiple
    return Rect(x, y, right - x, bottom - y)
