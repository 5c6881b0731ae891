"""What each kind of clip shows: its subject in motion, its backgrounds, its light and its grain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from videomama_server.arrays import FloatArray
from videomama_server.synthetic.paint.canvas import Stage
from videomama_server.synthetic.paint.creature import creature
from videomama_server.synthetic.paint.figure import Outfit, Pose, figure
from videomama_server.synthetic.paint.hair import hair_mass, loose_strands
from videomama_server.synthetic.paint.ironwork import ironwork
from videomama_server.synthetic.paint.moving import defocused, empty, exposed
from videomama_server.synthetic.paint.subject import pose as seated
from videomama_server.synthetic.paint.subject import torso, waving_arm
from videomama_server.synthetic.paint.vapour import vapour

_TURN = 2 * np.pi
_RED = Outfit(stripes=22)
_BLUE = Outfit((0.07, 0.16, 0.34), (0.15, 0.13, 0.10), (0.32, 0.17, 0.11), (0.02, 0.014, 0.01), 0, 1)
_MUSTARD = Outfit((0.50, 0.30, 0.035), (0.03, 0.05, 0.04), key=2)


@dataclass(frozen=True)
class CameraView:
    """What is before the camera at one instant.

    Attributes:
        subject: (H, W, 4), premultiplied linear, without what hides it.
        behind: (H, W, 3), linear.
        front: (H, W, 4), premultiplied linear, another one who may hide the subject; he is no part of it.
    """

    subject: FloatArray
    behind: FloatArray
    front: FloatArray | None = None


Paint = Callable[[Stage, float, FloatArray], CameraView]


@dataclass(frozen=True)
class ClipKind:
    """One kind of clip.

    Attributes:
        title: what is hard about it, for people.
        paint: draws it at a time in frames, before a background (H, W, 3).
        backgrounds: where it is seen, the first one first.
        exposure: factor on all light.
        grain: how much more grain than a clean plate has.
    """

    title: str
    paint: Paint
    backgrounds: tuple[str, ...]
    exposure: float = 1.0
    grain: float = 1.0


def _alone(draw: Callable[[Stage, float], FloatArray]) -> Paint:
    return lambda stage, time, behind: CameraView(draw(stage, time), behind)


def _hair(stage: Stage, time: float) -> FloatArray:
    picture = empty(stage)
    place = seated(stage, time)
    for layer in (torso(stage, place), hair_mass(stage, place, time), loose_strands(stage, place, time)):
        layer.over(picture)
    return picture


def _portrait(stage: Stage, time: float) -> FloatArray:
    picture = empty(stage)
    place = seated(stage, time)
    arm = waving_arm(stage, place, time)
    for layer in (torso(stage, place), arm, hair_mass(stage, place, time), loose_strands(stage, place, time)):
        layer.over(picture)
    return picture


def _jumping(time: float) -> Pose:
    beat = np.sin(_TURN * time / 13)
    up = 0.5 - 0.5 * np.cos(_TURN * time / 13 - 1.2)
    return Pose(
        x=8 * beat,
        y=322 - 34 * up,
        size=1.12,
        lean=0.05 * beat,
        left_arm=(0.15 + 2.6 * up, 0.25),
        right_arm=(-0.15 - 2.6 * up, -0.25),
        left_leg=(0.06 + 0.42 * up, 0.0),
        right_leg=(-0.06 - 0.42 * up, 0.0),
    )


def _motion_blur(stage: Stage, time: float) -> FloatArray:
    samples = max(32, round(40 * stage.scale))
    return exposed(lambda instant: figure(stage, _RED, _jumping(instant)), time, 0.6, samples)


def _defocus(stage: Stage, time: float) -> FloatArray:
    """Waist up and near, while the focus is pulled from the figure to what is behind it and back."""
    beat = np.sin(_TURN * time / 24)
    near = Pose(
        x=26 * beat,
        y=520,
        size=1.9,
        lean=0.05 * beat,
        nod=0.14 * beat,
        left_arm=(2.1 + 0.25 * beat, 0.9),
        right_arm=(-0.7, -1.3 + 0.3 * beat),
    )
    radius = 2.5 + 9.5 * (0.5 - 0.5 * np.cos(_TURN * time / 30 + 0.6))
    return defocused(figure(stage, _MUSTARD, near), float(radius * stage.scale))


def _cartwheel(time: float) -> Pose:
    travel = (time / 10) % 2
    back = travel > 1
    along = 2 - travel if back else travel
    turn = (_TURN * 1.5) * (along - 0.5)
    return Pose(
        x=-400 + 800 * along,
        y=300 - 40 * np.cos(_TURN * 2 * along),
        turn=turn,
        size=0.86,
        left_arm=(2.55, 0.1),
        right_arm=(-2.55, -0.1),
        left_leg=(0.55, 0.12),
        right_leg=(-0.62, 0.1),
    )


def _fast(stage: Stage, time: float) -> FloatArray:
    outfit = replace(_BLUE, shirt=(0.66, 0.64, 0.60), stripes=17)
    samples = max(12, round(16 * stage.scale))
    return exposed(lambda instant: figure(stage, outfit, _cartwheel(instant)), time, 0.12, samples)


def _walk(x: float, heading: float, phase: float, size: float = 1.0) -> Pose:
    swing = np.sin(phase)
    return Pose(
        x=x,
        y=292 + 5 * np.cos(2 * phase),
        size=size,
        lean=0.06,
        left_arm=(0.55 * swing, -0.35),
        right_arm=(-0.55 * swing, -0.35),
        left_leg=(-0.5 * swing, 0.45 * max(0.0, float(np.cos(phase)))),
        right_leg=(0.5 * swing, 0.45 * max(0.0, -float(np.cos(phase)))),
        flip=heading < 0,
    )


def _crossing(stage: Stage, time: float, behind: FloatArray) -> CameraView:
    """The subject walks past another one who first hides it and then, on the way back, is hidden by it."""

    def one(outfit: Outfit, side: int, offset: float) -> FloatArray:
        def at(instant: float) -> FloatArray:
            phase = _TURN * instant / 30 + 0.35
            heading = side * np.sin(phase)
            return figure(stage, outfit, _walk(side * -150 * np.cos(phase), heading, 0.5 * instant + offset, 1.08))

        return exposed(at, time, 0.4, max(10, round(12 * stage.scale)))

    subject, other = one(_RED, 1, 0.0), one(_BLUE, -1, 1.4)
    if np.sin(_TURN * time / 30 + 0.35) > 0:
        return CameraView(subject, behind, front=other)
    return CameraView(subject, np.asarray(behind * (1 - other[..., 3:]) + other[..., :3], np.float32))


def _low_contrast(stage: Stage, time: float, behind: FloatArray) -> CameraView:
    """Someone dressed, from top to toe, in the colours of what is behind; only the folds differ."""
    beat = np.sin(_TURN * time / 26)
    pose = Pose(
        x=30 * beat,
        y=318,
        size=1.12,
        lean=0.04 * beat,
        left_arm=(1.9 + 0.35 * beat, 0.7),
        right_arm=(-0.5, -0.7 * beat - 0.8),
    )
    # One channel per cloth, so bright that the rim light falls away: how much of which colour a pixel shows.
    weights = figure(stage, Outfit((30, 0, 0), (0, 30, 0), (0, 0, 30), (0, 0, 27), key=3), pose)
    cover = weights[..., 3:]
    light = weights[..., :3].sum(axis=2, keepdims=True)
    typical = float(light.sum()) / max(float(cover.sum()), 1.0)
    shade = light / (np.maximum(cover, 1e-4) * max(typical, 1e-4))
    flat = 0.92 + 0.24 * np.tanh(1.2 * (shade - 1))
    shares = weights[..., :3] / np.maximum(light, 1e-4)
    tones = np.stack([_around(stage, behind, rows) for rows in ((180, 330), (400, 530), (60, 180))])
    return CameraView(np.concatenate([shares @ tones * flat * cover, cover], axis=2).astype(np.float32), behind)


def _around(stage: Stage, behind: FloatArray, rows: tuple[int, int]) -> FloatArray:
    """Mean colour (3,) of the middle of a background between two heights, design units."""
    (left, top), (right, bottom) = stage.pixels(np.array([[-130, rows[0]], [130, rows[1]]])).astype(int)
    middle = behind[top : bottom + 1, max(left, 0) : right + 1]
    return np.asarray(middle.mean(axis=(0, 1)), np.float32)


KINDS: dict[str, ClipKind] = {
    "hair": ClipKind("fine hair", _alone(_hair), ("wall", "meadow", "studio")),
    "fur": ClipKind("fur", _alone(creature), ("meadow", "studio", "shelf")),
    "motion_blur": ClipKind("motion blur", _alone(_motion_blur), ("shelf", "sky", "wall")),
    "defocus": ClipKind("defocus", _alone(_defocus), ("city", "shelf", "sky")),
    "glass_smoke": ClipKind("glass and smoke", _alone(vapour), ("city", "wall", "studio")),
    "fast_motion": ClipKind("fast motion", _alone(_fast), ("sky", "wall", "meadow")),
    "low_contrast": ClipKind("low contrast", _low_contrast, ("studio", "sky", "wall")),
    "lattice": ClipKind("holes and lattice", _alone(ironwork), ("sky", "wall", "shelf")),
    "crossing": ClipKind("two subjects crossing", _crossing, ("wall", "sky", "shelf")),
    "dark_grain": ClipKind("heavy grain in the dark", _alone(_portrait), ("city", "shelf", "studio"), 0.07, 5.0),
}
