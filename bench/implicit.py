"""Draws subjects as distance fields and strands as curves that hide light, and composites them.

It shares no code with the painters of `videomama synthesize`.

A picture reaches from -1 to 1 downwards, and as much further to the sides as it is wider. Every coverage is exact by
definition: plates are made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

STEPS = 24  # that a strand is walked in, times how long it is
FINER = 2  # places a side in a pixel that strands are gathered at


@dataclass(frozen=True)
class Screen:
    """Size in pixels, and where in the scene each pixel's centre is."""

    width: int
    height: int

    @property
    def unit(self) -> float:
        """Pixels per unit of the scene."""
        return self.height / 2

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Return x and y (H, W) of every pixel's centre."""
        x = (np.arange(self.width, dtype=np.float32) + 0.5 - self.width / 2) / self.unit
        y = (np.arange(self.height, dtype=np.float32) + 0.5 - self.height / 2) / self.unit
        return np.meshgrid(x, y)  # type: ignore[return-value]


@dataclass(frozen=True)
class Sheet:
    """What covers how much: `cover` (H, W), 0..1, and its own straight colour (H, W, 3), linear."""

    cover: np.ndarray
    colour: np.ndarray


def capsule(screen: Screen, start: Sequence[float], end: Sequence[float], radii: tuple[float, float]) -> np.ndarray:
    """Return the distance (H, W) to a limb between two points, negative inside."""
    x, y = screen.points()
    axis = np.subtract(end, start)
    along = np.clip(((x - start[0]) * axis[0] + (y - start[1]) * axis[1]) / max(float(axis @ axis), 1e-9), 0, 1)
    away = np.hypot(x - start[0] - along * axis[0], y - start[1] - along * axis[1])
    return np.asarray(away - radii[0] - along * (radii[1] - radii[0]), np.float32)


def blended(fields: Sequence[np.ndarray], softness: float) -> np.ndarray:
    """Return the distance to all fields together, grown into each other where they meet."""
    total = sum(np.exp(-np.maximum(field, -1) / softness) for field in fields)
    return np.asarray(-softness * np.log(np.maximum(total, 1e-30)), np.float32)


def balls(screen: Screen, centres: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Return the distance, about, to the skin of metaballs (N, 2) of radii (N,)."""
    x, y = screen.points()
    field = np.zeros_like(x)
    for (cx, cy), radius in zip(centres, radii, strict=True):
        field += radius**2 / np.maximum((x - cx) ** 2 + (y - cy) ** 2, 1e-6)
    level = 1 / np.sqrt(field) - 1
    down, across = np.gradient(level, 1 / screen.unit)
    return np.asarray(level / np.maximum(np.hypot(down, across), 0.5), np.float32)


def solid(screen: Screen, field: np.ndarray, colour: np.ndarray) -> Sheet:
    """Return a shape filled with a colour (3,) or (H, W, 3), its edge a pixel wide about the field's zero."""
    cover = np.clip(0.5 - field * screen.unit, 0, 1)
    return Sheet(cover.astype(np.float32), np.broadcast_to(colour, (*cover.shape, 3)).astype(np.float32))


def shaded(sheet: Sheet, field: np.ndarray, depth: float, light: tuple[float, float] = (-0.6, -0.8)) -> Sheet:
    """Return a sheet that is rounded off towards its edge and lit from a side."""
    rise = cv2.GaussianBlur(np.sqrt(np.clip(-field / depth, 0, 1)).astype(np.float32), (0, 0), 2)
    down, across = np.gradient(rise)
    turned = np.clip(0.75 + 6 * (across * light[0] + down * light[1]), 0.25, 1.6) * (0.55 + 0.45 * rise)
    return Sheet(sheet.cover, sheet.colour * turned[..., None].astype(np.float32))


def strands(screen: Screen, knees: np.ndarray, colours: np.ndarray, widths: np.ndarray) -> Sheet:
    """Return curves as what they hide of the light: thin ones add up as veils do.

    Args:
        screen: the picture.
        knees: (N, 3, 2), begin, control point and end of each.
        colours: (N, 3), linear.
        widths: (N,) in pixels, at the root; they taper to a third.
    """
    size = (screen.height * FINER, screen.width * FINER)
    lengths = np.linalg.norm(np.diff(knees, axis=1), axis=2).sum(axis=1) * screen.unit * FINER
    total = np.zeros((size[0] * size[1], 4))
    for steps in sorted({max(2, int(np.ceil(length / 16)) * 16) for length in lengths}):
        some = np.maximum(2, np.ceil(lengths / 16) * 16).astype(int) == steps
        _gather(total, size, _walked(knees[some], steps, screen), (colours[some], widths[some], lengths[some]))
    depth = cv2.resize(
        total[:, 3].reshape(size).astype(np.float32), (screen.width, screen.height), interpolation=cv2.INTER_AREA
    )
    tinted = cv2.resize(
        total.reshape(*size, 4)[..., :3].astype(np.float32), (screen.width, screen.height), interpolation=cv2.INTER_AREA
    )
    return Sheet((1 - np.exp(-depth)).astype(np.float32), tinted / np.maximum(depth, 1e-6)[..., None])


def _walked(knees: np.ndarray, steps: int, screen: Screen) -> np.ndarray:
    """Return places (N, S, 2) along quadratic curves, in fine pixels."""
    t = ((np.arange(steps) + 0.5) / steps)[None, :, None]
    begin, bend, end = (knees[:, None, place] for place in range(3))
    path = begin * (1 - t) ** 2 + bend * (2 * t * (1 - t)) + end * t**2
    return (path * screen.unit + (screen.width / 2, screen.height / 2)) * FINER


def _gather(
    total: np.ndarray, size: tuple[int, int], places: np.ndarray, of: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    """Add the light that strands hide, shared out between the four fine pixels about each place."""
    colours, widths, lengths = of
    steps = places.shape[1]
    taper = np.linspace(1, 0.33, steps)[None]
    hidden = widths[:, None] * FINER * taper * (lengths / steps)[:, None]
    corner = np.floor(places - 0.5).astype(int)
    rest = places - 0.5 - corner
    for dx in (0, 1):
        for dy in (0, 1):
            share = np.abs(1 - dx - rest[..., 0]) * np.abs(1 - dy - rest[..., 1]) * hidden
            x, y = corner[..., 0] + dx, corner[..., 1] + dy
            seen = (x >= 0) & (x < size[1]) & (y >= 0) & (y < size[0])
            flat, weight = (y * size[1] + x)[seen], share[seen]
            tint = np.broadcast_to(colours[:, None], (*share.shape, 3))[seen]
            for channel in range(3):
                total[:, channel] += np.bincount(flat, weight * tint[:, channel], len(total))
            total[:, 3] += np.bincount(flat, weight, len(total))


def stacked(sheets: Sequence[Sheet]) -> Sheet:
    """Return sheets over each other, the first one hindmost."""
    cover, colour = sheets[0].cover, sheets[0].colour
    for sheet in sheets[1:]:
        joint = sheet.cover + cover * (1 - sheet.cover)
        share = (sheet.cover / np.maximum(joint, 1e-6))[..., None]
        cover, colour = joint, sheet.colour * share + colour * (1 - share)
    return Sheet(cover, colour)


def through_shutter(draw: Callable[[float], Sheet], time: float, open_for: float, instants: int = 9) -> Sheet:
    """Return the mean over the time that a shutter is open, in frames."""
    moments = [draw(time + open_for * (index / instants - 0.5)) for index in range(instants)]
    cover = np.mean([moment.cover for moment in moments], axis=0)
    light = np.mean([moment.colour * moment.cover[..., None] for moment in moments], axis=0)
    return Sheet(cover, light / np.maximum(cover, 1e-6)[..., None])


def out_of_focus(sheet: Sheet, pixels: float) -> Sheet:
    """Return a sheet that a lens has blurred, by a sigma in pixels."""
    cover = cv2.GaussianBlur(sheet.cover, (0, 0), pixels, borderType=cv2.BORDER_REPLICATE)
    light = cv2.GaussianBlur(sheet.colour * sheet.cover[..., None], (0, 0), pixels, borderType=cv2.BORDER_REPLICATE)
    return Sheet(cover, light / np.maximum(cover, 1e-6)[..., None])


def before(sheet: Sheet, ground: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the plate (H, W, 3) of a sheet before a ground, and its alpha (H, W)."""
    alpha = np.where(sheet.cover < 1e-4, 0, np.where(sheet.cover > 1 - 1e-4, 1, sheet.cover)).astype(np.float32)
    return (ground + (sheet.colour - ground) * alpha[..., None]).astype(np.float32), alpha
