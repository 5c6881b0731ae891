"""Closed Bezier shapes: how much of each pixel they cover, and their colour over a picture.

Edges are exact across and sampled up and down, so that pixels on an edge are close to Nuke's and no more than that.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nuke_standin.pixels.boxes import Box
from nuke_standin.pixels.channel_sets import ORDER, RGBA, select
from nuke_standin.pixels.combining import Inputs, Step, blended, or_black
from nuke_standin.pixels.picture import Picture, Plane

_PIECES = 24  # straight pieces of a curve between two points
_ROWS = 16  # samples of each row of pixels
_CLOSE = 1e-6


def roto(step: Step, inputs: Inputs) -> Picture:
    """Shapes one over the other, each over what is below it."""
    source = or_black(inputs[0], inputs)
    outlines = [outline(shape["points"]) for shape in step["shapes"]]
    box = _box(step["clip"], source, outlines)
    covers = [_cover(shape, line, box) for shape, line in zip(step["shapes"], outlines)]
    touched = set(select(step["channels"], tuple(dict.fromkeys((*source.channels, *RGBA)))))

    def fetch(name: str) -> Plane:
        plane = source.plane(name, box)
        if name not in touched:
            return plane
        plane = plane * 0 if step["replace"] else plane
        for shape, cover in zip(step["shapes"], covers):
            colour = shape["colour"][ORDER.get(name.partition(".")[2], 3)]
            plane = plane * (1 - cover) + colour * cover
        return plane

    made = source.derived(fetch, channels=(*source.channels, *touched), box=box, padded=False)
    return blended(source, made, step, inputs, 1)


def outline(points: list) -> np.ndarray:
    """(n, 2): the corners of a closed line through the points; tangents are relative to their point."""
    places = np.asarray(points, np.float64)
    part = np.linspace(0, 1, _PIECES, endpoint=False)[:, None]
    pieces = []
    for at in range(len(places)):
        here, after = places[at], places[(at + 1) % len(places)]
        first, last = here[1], after[1]
        leaving, coming = first + here[2], last + after[0]
        back = 1 - part
        pieces.append(back**3 * first + 3 * back**2 * part * leaving + 3 * back * part**2 * coming + part**3 * last)
    return np.concatenate(pieces)


def _box(clip: str, source: Picture, outlines: list[np.ndarray]) -> Box:
    if clip == "bbox" or not outlines:
        return source.box
    every = np.concatenate(outlines)
    low, high = np.floor(every.min(0) + _CLOSE).astype(int), np.ceil(every.max(0) - _CLOSE).astype(int)
    drawn = Box(int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    if clip == "none":
        return source.box.joined(drawn)
    inside = source.format.box
    return source.box.common(inside) if clip == "intersect" else source.box.joined(drawn.common(inside))


def _cover(shape: dict[str, Any], line: np.ndarray, box: Box) -> Plane:
    found = coverage(line, box)
    return ((1 - found if shape["inverted"] else found) * shape["opacity"]).astype(np.float32)


def coverage(line: np.ndarray, box: Box) -> Plane:
    """(height, width): the share of each pixel that lies inside a closed line, where it winds round at all."""
    start, end = line, np.roll(line, -1, axis=0)
    found = np.zeros((box.height, box.width))
    edges = np.arange(box.x, box.r + 1)
    for row in range(box.height):
        for sample in range(_ROWS):
            height = box.y + row + (sample + 0.5) / _ROWS
            for left, right in _spans(start, end, height):
                found[row] += np.diff(np.clip(edges, left, right)) / _ROWS
    return found.astype(np.float32)


def _spans(start: np.ndarray, end: np.ndarray, height: float) -> list[tuple[float, float]]:
    """From where to where a line at this height is inside."""
    up = (start[:, 1] <= height) & (end[:, 1] > height)
    down = (end[:, 1] <= height) & (start[:, 1] > height)
    crossed = up | down
    part = (height - start[crossed, 1]) / (end[crossed, 1] - start[crossed, 1])
    places = start[crossed, 0] + part * (end[crossed, 0] - start[crossed, 0])
    turns = np.where(up[crossed], 1, -1)
    spans, winding, began = [], 0, 0.0
    for at in np.argsort(places, kind="stable"):
        if winding == 0:
            began = float(places[at])
        winding += int(turns[at])
        if winding == 0:
            spans.append((began, float(places[at])))
    return spans
