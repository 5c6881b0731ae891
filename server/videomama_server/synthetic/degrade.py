"""Makes rough masks of exact alphas: what a tracker or a quick roto leaves, and frames on which it fails altogether.

One definition for measuring and for training. Shapes are changed at the picture's own size; a mask that is resized
afterwards gets grey edges and is not made hard again, as the published model was trained.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import cv2
import numpy as np
from videomama_client.errors import BadInput

from videomama_server.arrays import ByteArray, FloatArray
from videomama_server.synthetic import outlines
from videomama_server.synthetic.outlines import Streams, hard

FACTORS = (8, 16, 32)
_TOLERANCE = 0.005  # of an outline's length, that the polygon may stray from it
_SPECK = 4.0  # area in pixels under which an outline is dropped
_GAP = (0.3, 0.6)  # sides of what an occlusion hides, of the sides of the mask's box
_BRUSH = np.ones((5, 5), np.uint8)
_FACTOR, _ORDER, _MOMENT, _HIT, _OUTLINE = range(5)  # keys of the random streams


def polygon(mask: ByteArray) -> ByteArray:
    """Redraw a mask (H, W), 0 or 1, by straight lines; holes, and what lies in them, are kept, specks are not."""
    contours, tree = cv2.findContours(mask, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    drawn = np.zeros_like(mask)
    depths = _depths(tree[0, :, 3].tolist() if tree is not None else [])
    for index in sorted(range(len(contours)), key=depths.__getitem__):  # what holds a hole is drawn before it
        contour = contours[index]
        if cv2.contourArea(contour) < _SPECK:
            continue
        outline = cv2.approxPolyDP(contour, _TOLERANCE * cv2.arcLength(contour, True), True)
        if len(outline) >= 3:
            cv2.fillPoly(drawn, [outline], (depths[index] + 1) % 2)
    return drawn


def down_up(mask: ByteArray, factor: int) -> ByteArray:
    """Pass a mask (H, W), 0 or 1, through a picture `factor` times smaller, bilinear both ways, and cut it again."""
    height, width = mask.shape
    small = (max(1, width // factor), max(1, height // factor))
    coarse = cv2.resize(mask.astype(np.float32), small, interpolation=cv2.INTER_LINEAR)
    return hard(np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.float32))


def box(mask: ByteArray) -> ByteArray:
    """Fill the smallest upright rectangle round a mask (H, W), 0 or 1."""
    left, top, width, height = cv2.boundingRect(mask)
    filled = np.zeros_like(mask)
    filled[top : top + height, left : left + width] = 1
    return filled


def _occluded(mask: ByteArray, rng: np.random.Generator) -> ByteArray:
    """Erase a rectangle or an ellipse somewhere in the mask's box."""
    left, top, *sides = cv2.boundingRect(mask)
    width, height = (max(1, round(side * rng.uniform(*_GAP))) if side else 0 for side in sides)
    x, y = left + rng.integers(0, sides[0] - width + 1), top + rng.integers(0, sides[1] - height + 1)
    erased: ByteArray = mask.copy()
    if rng.random() < 0.5:
        erased[y : y + height, x : x + width] = 0
    else:
        middle = (int(x + width // 2), int(y + height // 2))
        cv2.ellipse(erased, middle, (width // 2, height // 2), 0, 0, 360, 0, -1)
    return erased


_HITS: dict[str, Callable[[ByteArray, np.random.Generator], ByteArray]] = {
    "occlusion": _occluded,
    "missing": lambda mask, _: np.zeros_like(mask),
    "full": lambda mask, _: np.ones_like(mask),
    "erode": lambda mask, _: np.asarray(cv2.erode(mask, _BRUSH), np.uint8),
    "dilate": lambda mask, _: np.asarray(cv2.dilate(mask, _BRUSH), np.uint8),
}
_DOWN = {f"down{factor}": factor for factor in FACTORS}
_OUTLINES: dict[str, Callable[[FloatArray, int, Streams], ByteArray]] = {
    "careful": outlines.careful,
    "network": outlines.network,
    "network_large": partial(outlines.network, bias=(8.0, 12.0)),
    "network_short": outlines.short_network,
    "network_small": partial(outlines.network, bias=(-12.0, -8.0)),
}
SHAPES = ("exact", *_OUTLINES, "polygon", "down", *_DOWN, "box", "mixed")
HITS = (*_HITS, "temporal")
QUALITIES = {  # what measurements by the quality of masks are taken with
    "exact": "careful",
    "network": "network",
    "large": "network_large",
    "small": "network_small",
    "rough": "mixed",
}


@dataclass(frozen=True)
class Degradation:
    """How the masks of a clip go wrong; equal values give equal masks.

    Attributes:
        shape: what happens to every frame, one of `SHAPES`. `exact` only cuts the alpha in half, `careful` and
            `network` are as `outlines` has them, `down` draws its factor once per clip, `mixed` does polygon, down
            or both in either order, anew for every frame.
        hits: what also happens to single frames, of `HITS`; `temporal` draws one of the others for each frame hit.
        times: how many frames each of them is drawn for; a frame may be drawn twice.
        seed: of all that is random.
    """

    shape: str = "mixed"
    hits: tuple[str, ...] = ()
    times: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        unknown = [name for name in (self.shape,) if name not in SHAPES] + [n for n in self.hits if n not in HITS]
        if unknown:
            raise BadInput(
                f"unknown mask degradation {unknown[0]!r}",
                f"Write one of {', '.join(SHAPES)}, and after it, with a plus each, any of {', '.join(HITS)}.",
            )

    @property
    def name(self) -> str:
        """What `parse` reads: `mixed+temporal`."""
        return "+".join((self.shape, *self.hits))

    def of(self, frames: int) -> ClipDegradation:
        """Return the degradation of a clip of `frames` frames."""
        return ClipDegradation(self, frames)


def parse(text: str, seed: int = 0, times: int = 1) -> Degradation:
    """Read `mixed`, `polygon`, `down16+occlusion` or `mixed+temporal`.

    Raises:
        BadInput: there is no such degradation.
    """
    shape, *hits = text.split("+")
    return Degradation(shape, tuple(hits), times, seed)


@dataclass(frozen=True)
class ClipDegradation:
    """Degrades the frames of one clip, in any order and each on its own: all that is drawn depends on the index."""

    asked: Degradation
    frames: int

    def mask(self, index: int, alpha: FloatArray) -> FloatArray:
        """Return the mask (H, W), 0 or 1, of the frame at `index`, from 0, whose exact alpha (H, W) is given."""
        mask = self._outlined(alpha, index)
        for order, (frame, name) in enumerate(self.plan):
            if frame == index:
                mask = _HITS[name](mask, self._stream(_HIT, order))
        return mask.astype(np.float32)

    @cached_property
    def plan(self) -> list[tuple[int, str]]:
        """Which frame index is hit by what, in the order of drawing."""
        rng = self._stream(_MOMENT)
        hits = []
        for name in self.asked.hits * self.asked.times:
            frame, drawn = int(rng.integers(self.frames)), int(rng.integers(len(_HITS)))
            hits.append((frame, list(_HITS)[drawn] if name == "temporal" else name))
        return hits

    @cached_property
    def factor(self) -> int:
        """How much smaller the picture is that `down` and `mixed` pass a mask through: one for the whole clip."""
        return _DOWN.get(self.asked.shape) or FACTORS[int(self._stream(_FACTOR).integers(len(FACTORS)))]

    def _outlined(self, alpha: FloatArray, index: int) -> ByteArray:
        drawn = _OUTLINES.get(self.asked.shape)
        if drawn is not None:
            return drawn(alpha, index, partial(self._stream, _OUTLINE))
        return self._shaped(hard(alpha), index)

    def _shaped(self, mask: ByteArray, index: int) -> ByteArray:
        for step in self._steps(index):
            mask = down_up(mask, self.factor) if step == "down" else polygon(mask) if step == "polygon" else box(mask)
        return mask

    def _steps(self, index: int) -> list[str]:
        shape = self.asked.shape
        if shape == "mixed":
            rng = self._stream(_ORDER, index)
            steps = ["polygon", "down"] if rng.random() < 0.5 else ["down", "polygon"]
            return steps[: int(rng.integers(1, 3))]
        if shape == "exact":
            return []
        return ["down" if shape in _DOWN else shape]

    def _stream(self, *keys: int) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64([self.asked.seed, *keys]))


def _depths(parents: list[int]) -> list[int]:
    """How many outlines lie round each; outlines come with the index of the one just round them, or -1."""
    depths: list[int] = []
    for parent in parents:  # OpenCV lists a parent before its children, but nothing promises it
        depth = 0
        while parent >= 0:
            parent, depth = parents[parent], depth + 1
        depths.append(depth)
    return depths
