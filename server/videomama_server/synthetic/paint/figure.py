"""A jointed figure of painted parts, posed by angles: who moves, crosses, blurs and hides in many of the clips."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np

from videomama_server.arrays import FloatArray
from videomama_server.synthetic.paint.canvas import Ink, Layer, Stage, blurred, cloud_noise, lit, relief
from videomama_server.synthetic.paint.moving import chained, empty, in_pixels, moved, rotation, scaling, shift

Colour = tuple[float, float, float]
Joints = tuple[tuple[float, float, float], ...]  # x, y, radius, in design units from the part's own joint

_TORSO: Joints = ((0, -4, 35), (0, -48, 31), (0, -92, 40), (0, -108, 40))
_SHOULDERS: Joints = ((-34, -116, 17), (34, -116, 17))
_SHIRT_PARTS: dict[str, tuple[Joints, ...]] = {
    "torso": (_TORSO, _SHOULDERS),
    "sleeve": (((0, 0, 18), (0, 34, 16), (0, 66, 13.5)),),
}
_TROUSER_PARTS: dict[str, tuple[Joints, ...]] = {
    "thigh": (((0, 0, 27), (0, 50, 23), (0, 98, 17)),),
    "shin": (((0, 0, 17), (0, 30, 17), (0, 92, 11.5)),),
}
_SKIN_PARTS: dict[str, tuple[Joints, ...]] = {
    "neck": (((0, -112, 14), (0, -146, 13)),),
    "head": (((0, -8, 29), (0, 9, 25), (0, 18, 18)),),
    "forearm": (
        ((0, 0, 12.5), (0, 24, 12), (0, 58, 8.5)),
        ((0, 66, 10.5), (0, 78, 10)),
        ((-5.5, 78, 4), (-9, 96, 3)),
        ((-2, 82, 4), (-3, 102, 3)),
        ((2, 82, 4), (3.5, 102, 3)),
        ((5.5, 80, 4), (9, 97, 3)),
        ((-9, 68, 3.6), (-17, 80, 3)),
    ),
}
_HAIR_PARTS: dict[str, tuple[Joints, ...]] = {
    "hair": (
        ((-13, -21, 18), (8, -25, 17), (20, -12, 13)),
        ((-21, -12, 13), (-25, 8, 8)),
        ((-24, 2, 8), (-30, 22, 5), (-34, 36, 2.5)),
    ),
}
_SHOE_PARTS: dict[str, tuple[Joints, ...]] = {"foot": (((0, 4, 11.5), (-4, 11, 8)), ((-2, 12, 7), (29, 14, 5.5)))}
_ELBOW, _KNEE, _ANKLE = 68.0, 98.0, 94.0
_SHOULDER_X, _SHOULDER_Y, _HIP_X, _HEAD_Y = 38.0, -116.0, 15.0, -170.0


@dataclass(frozen=True)
class Outfit:
    """Linear colours of a figure, how many design units its stripes are apart (0 is none), and a key of its cloth."""

    shirt: Colour = (0.42, 0.06, 0.045)
    trousers: Colour = (0.045, 0.06, 0.13)
    skin: Colour = (0.56, 0.32, 0.22)
    hair: Colour = (0.05, 0.026, 0.014)
    stripes: float = 0.0
    key: int = 0


@dataclass(frozen=True)
class Pose:
    """Where a figure's hip is, in design units, and how its joints are turned, in radians clockwise.

    Limbs hang straight down at 0; an arm or leg is (upper, lower), the lower turned against the upper.
    """

    x: float = 0.0
    y: float = 300.0
    turn: float = 0.0
    size: float = 1.0
    lean: float = 0.0
    nod: float = 0.0
    left_arm: tuple[float, float] = (0.2, 0.1)
    right_arm: tuple[float, float] = (-0.2, -0.1)
    left_leg: tuple[float, float] = (0.08, 0.0)
    right_leg: tuple[float, float] = (-0.08, 0.0)
    flip: bool = False


def figure(stage: Stage, outfit: Outfit, pose: Pose) -> FloatArray:
    """Return the figure, premultiplied linear (H, W, 4)."""
    picture = empty(stage)
    for part, place in _placed(pose):
        sprite = _sprite(stage, outfit, part)
        moved(sprite, in_pixels(stage, place), (stage.width, stage.height)).over(picture)
    return picture


def _placed(pose: Pose) -> list[tuple[str, FloatArray]]:
    """Every part with its matrix in design units, from back to front."""
    size = scaling(-pose.size if pose.flip else pose.size, pose.size)
    hip = chained(shift(pose.x, pose.y), rotation(pose.turn), size)
    trunk = chained(hip, rotation(pose.lean))
    head = chained(trunk, shift(0, -138), rotation(pose.nod), shift(0, 138 + _HEAD_Y))
    return [
        *_arm(trunk, _SHOULDER_X, pose.right_arm),
        *_leg(hip, _HIP_X, pose.right_leg),
        *_leg(hip, -_HIP_X, pose.left_leg),
        ("neck", trunk),
        ("torso", trunk),
        ("head", head),
        ("hair", head),
        *_arm(trunk, -_SHOULDER_X, pose.left_arm),
    ]


def _arm(trunk: FloatArray, side: float, turns: tuple[float, float]) -> list[tuple[str, FloatArray]]:
    upper = chained(trunk, shift(side, _SHOULDER_Y), rotation(turns[0]))
    return [("forearm", chained(upper, shift(0, _ELBOW), rotation(turns[1]))), ("sleeve", upper)]


def _leg(hip: FloatArray, side: float, turns: tuple[float, float]) -> list[tuple[str, FloatArray]]:
    upper = chained(hip, shift(side, 8), rotation(turns[0]))
    lower = chained(upper, shift(0, _KNEE), rotation(turns[1]))
    return [("foot", chained(lower, shift(0, _ANKLE))), ("shin", lower), ("thigh", upper)]


@lru_cache(maxsize=128)
def _sprite(stage: Stage, outfit: Outfit, part: str) -> Layer:
    """One part about its own joint, which is at (0, 0)."""
    paints = (
        (_SHIRT_PARTS, outfit.shirt, 26.0),
        (_TROUSER_PARTS, outfit.trousers, 20.0),
        (_SKIN_PARTS, outfit.skin, 14.0),
        (_HAIR_PARTS, outfit.hair, 16.0),
        (_SHOE_PARTS, (0.09, 0.085, 0.08), 8.0),
    )
    shapes, colour, depth = next((paint[0][part], *paint[1:]) for paint in paints if part in paint[0])
    flat = _filled(stage, shapes)
    cover = flat.rgba[..., 3]
    rng = stage.generator(40, outfit.key, sum(part.encode()))
    folds = cloud_noise(rng, cover.shape, 34 * stage.scale, 3) * 3.5 * stage.scale
    normal = relief(cover, depth * stage.scale, blurred(folds, 1.5 * stage.scale))
    tone = 1 + 0.18 * cloud_noise(rng, cover.shape, 16 * stage.scale, 4)
    if part in ("torso", "sleeve") and outfit.stripes:
        rows = (np.arange(cover.shape[0], dtype=np.float32) + flat.top) / stage.scale
        tone = tone * (1 + 1.1 * np.clip(3 * np.sin(2 * np.pi * rows / outfit.stripes), 0, 1))[:, None]
    albedo = np.array(colour, np.float32) * tone[..., None]
    if part == "head":
        albedo = albedo * _features(stage, flat)
    return Layer(
        np.dstack([lit(np.asarray(albedo, np.float32), normal) * cover[..., None], cover]), flat.left, flat.top
    )


def _filled(stage: Stage, shapes: tuple[Joints, ...]) -> Layer:
    """Fill rounded, tapering limbs."""
    low = np.min([np.array(joint[:2]) - joint[2] for joints in shapes for joint in joints], axis=0)
    high = np.max([np.array(joint[:2]) + joint[2] for joints in shapes for joint in joints], axis=0)
    edges = np.concatenate([np.floor(low * stage.scale) - 2, np.ceil(high * stage.scale) + 2]).astype(int).tolist()
    ink = Ink((edges[0], edges[1], edges[2], edges[3]))
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    for joints in shapes:
        for start, end in pairwise(joints):
            both = np.concatenate([np.array(joint[:2]) + joint[2] * circle for joint in (start, end)])
            hull = np.asarray(cv2.convexHull(both.astype(np.float32)), np.float32)[:, 0]
            ink.fill(np.asarray(hull * stage.scale, np.float32), np.ones(3, np.float32))
    return ink.layer()


def _features(stage: Stage, flat: Layer) -> FloatArray:
    """Darkening (H, W, 1) of the head: eyes, brows and mouth."""
    height, width = flat.rgba.shape[:2]
    ink = Ink((flat.left, flat.top, flat.left + width, flat.top + height))
    lines = (
        ([(-3, -4), (2, -4)], 4.0), ([(14, -4), (19, -4)], 4.0),
        ([(-6, -12), (4, -13)], 2.4), ([(12, -13), (21, -12)], 2.4), ([(3, 21), (9, 23), (15, 21)], 2.2),
        ([(9, -4), (12, 8), (8, 9)], 1.2),
    )  # fmt: skip
    for points, wide in lines:
        path = np.asarray(np.array([points]) * stage.scale, np.float32)
        ink.lines(path, np.ones((1, 3), np.float32), np.array([wide * stage.scale]))
    return np.asarray(1 - 0.8 * ink.layer().rgba[..., 3:], np.float32)
