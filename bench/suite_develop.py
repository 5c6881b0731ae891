"""The suite to develop on: painted silhouettes and several kinds of hair, with photographs on them and behind them.

Each clip is one of the difficulties that painted studios do not have. `suites.py` writes them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from painted_behind import boards, streaks
from sitters import BLOND, BRISTLES, BUST, CAT, CURLS, LONG, STOUT, TURN, WISPS, Sitter, nodding, sitter
from stills import detail, spread, still
from videomama_server.synthetic.paint.canvas import Ink, Layer, Stage, blurred
from videomama_server.synthetic.paint.figure import Outfit, Pose, figure
from videomama_server.synthetic.paint.moving import chained, exposed

Draw = Callable[[Stage, float], tuple[np.ndarray, np.ndarray]]  # subject (H, W, 4), premultiplied, and (H, W, 3) behind


def behind(name: str, stage: Stage, time: float, cover: float = 1.0) -> np.ndarray:
    """Return a photograph (H, W, 3) behind the subject, over which the camera pans."""
    margin = round(40 * stage.scale)
    wide = _wide(name, (stage.height + 2 * margin, stage.width + 2 * margin), cover)
    x, y = margin * (1 + 0.9 * np.sin(TURN * time / 60 + stage.seed)), margin * (1 + 0.3 * np.sin(TURN * time / 45))
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(wide, matrix, (stage.width, stage.height), flags=flags), np.float32)


@lru_cache(maxsize=4)
def _wide(name: str, size: tuple[int, int], cover: float) -> np.ndarray:
    return spread(still(name), size, cover)


def _curls(stage: Stage, time: float) -> tuple[np.ndarray, np.ndarray]:
    """Tight curls before bricks of the same brown."""
    who = Sitter(BUST, CURLS, "wood", "gravel", ((0.36, 0.2, 0.13), (0.10, 0.16, 0.2)))
    wall = behind("brick", stage, time, 1.6) * np.array([0.62, 0.36, 0.26], np.float32)
    return sitter(stage, who, nodding(-30, 270, time), time), wall


def _back_light(stage: Stage, time: float) -> tuple[np.ndarray, np.ndarray]:
    """A dark sitter with glowing wisps before a launch at dusk."""
    colours = ((0.16, 0.09, 0.06), (0.03, 0.03, 0.04))
    who = Sitter(BUST, WISPS, "gravel", "grass", colours, glow=1.1, light=0.35)
    return sitter(stage, who, nodding(60, 285, time, 1.4), time), behind("rocket", stage, time) * np.float32(1.4)


def _streaks(stage: Stage, time: float) -> tuple[np.ndarray, np.ndarray]:
    """Long hair before water whose streaks look like hair."""
    who = Sitter(BUST, LONG, "wood", "brick", ((0.5, 0.3, 0.2), (0.35, 0.06, 0.05)))
    return sitter(stage, who, nodding(20, 260, time), time), streaks(stage, time)


def _blond(stage: Stage, time: float) -> tuple[np.ndarray, np.ndarray]:
    """Fair hair, out of focus behind, cut by the frame on three sides."""
    who = Sitter(STOUT, BLOND, "wood", "gravel", ((0.6, 0.36, 0.26), (0.2, 0.2, 0.24)))
    near = chained(nodding(0, 300, time, 1.6), np.array([[1.9, 0, 0], [0, 1.9, 0]], np.float32))
    return sitter(stage, who, near, time), blurred(behind("coffee", stage, time, 1.2), 4 * stage.scale)


def _cat(stage: Stage, time: float) -> tuple[np.ndarray, np.ndarray]:
    """Bristly fur with a cat's own grain, in grass."""
    who = Sitter(CAT, BRISTLES, "fur", "whiskers", ((0.3, 0.22, 0.16), (0.3, 0.22, 0.16)))
    lawn = behind("grass", stage, time, 1.4) * np.array([0.5, 0.6, 0.3], np.float32)
    return sitter(stage, who, nodding(-50, 250, time, 1.8), time), lawn


def _dressed(stage: Stage, time: float) -> tuple[np.ndarray, np.ndarray]:
    """Clothes of gravel before gravel."""
    ground = behind("gravel", stage, time, 1.5) * np.array([0.62, 0.56, 0.47], np.float32)
    beat = float(np.sin(TURN * time / 24))
    pose = Pose(
        x=40 * beat, y=315, size=1.25, lean=0.05 * beat, left_arm=(1.6 + 0.3 * beat, 0.6), right_arm=(-0.5, -0.7)
    )
    bright = ground.mean(axis=(0, 1)) * 0.75
    outfit = Outfit(tuple(bright.tolist()), tuple((bright * 0.8).tolist()), key=7)
    subject = figure(stage, outfit, pose)
    offset = round(40 * beat * stage.scale)
    grain = np.roll(detail(_wide("gravel", (stage.height, stage.width), 1.1)), offset, axis=1)
    subject[..., :3] *= grain
    return subject, ground


def _boards(stage: Stage, time: float) -> tuple[np.ndarray, np.ndarray]:
    """Somebody in black shorts runs past advertising boards: letters and lines behind head and legs."""
    phase = TURN * time / 15
    swing = float(np.sin(phase))
    x = -190 + 380 * float(0.5 - 0.5 * np.cos(TURN * time / 60))

    def at(instant: float) -> np.ndarray:
        drift = 6.0 * (instant - time)
        pose = Pose(x + drift, 300, size=1.15, left_arm=(0.9 * swing, -0.8), right_arm=(-0.9 * swing, -0.8),
                    left_leg=(-0.7 * swing, 0.5), right_leg=(0.7 * swing, 0.5), lean=0.1)  # fmt: skip
        return figure(stage, Outfit((0.6, 0.58, 0.55), (0.012, 0.012, 0.014), key=5), pose)

    return exposed(at, time, 0.4, 8), boards(stage, time)


def _racket(stage: Stage, time: float) -> tuple[np.ndarray, np.ndarray]:
    """A racket that is swung and a ball, both thin or small and fast, over a lawn."""

    def at(instant: float) -> np.ndarray:
        swing = float(-0.6 + 1.5 * np.sin(TURN * instant / 16))
        pose = Pose(-60, 320, size=1.15, lean=0.08 * swing, right_arm=(-1.5 + 0.8 * swing, -0.4), left_arm=(0.7, 0.3))
        picture = figure(stage, Outfit((0.7, 0.7, 0.66), (0.5, 0.5, 0.48), key=6), pose)
        Layer(_held(stage, swing, instant)).over(picture)
        return picture

    lawn = behind("grass", stage, time, 1.0) * np.array([0.4, 0.52, 0.26], np.float32)
    return exposed(at, time, 0.45, 12), lawn


def _held(stage: Stage, swing: float, time: float) -> np.ndarray:
    """The racket, about a wrist that swings, and the ball."""
    ink = Ink((0, 0, stage.width, stage.height))
    turn = -0.9 + 1.1 * swing
    wrist = np.array([66 + 34 * swing, 196 - 40 * swing])
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    angle = np.linspace(0, TURN, 49)
    hoop = np.column_stack([105 + 52 * np.cos(angle), 36 * np.sin(angle)])
    strings = [
        np.array([[x, -y], [x, y]])
        for x in range(62, 152, 9)
        for y in [36 * np.sqrt(max(0, 1 - ((x - 105) / 52) ** 2))]
    ]
    strings += [
        np.array([[105 - x, y], [105 + x, y]]) for y in range(-27, 28, 9) for x in [52 * np.sqrt(1 - (y / 36) ** 2)]
    ]
    for line, wide, tone in [
        (np.array([[0, 0], [54, 0]]), 7, 0.04),
        (hoop, 4, 0.5),
        *((one, 0.8, 0.75) for one in strings),
    ]:
        path = stage.pixels(line @ spin.T + wrist)[None]
        ink.lines(path, np.full((1, 3), tone, np.float32), np.array([wide * stage.scale]))
    ball = stage.pixels(np.array([[-420 + (time * 42) % 900, 120 + 60 * np.sin(time / 5)]]))
    ink.lines(
        np.stack([ball, ball + 0.1], axis=1), np.array([[0.6, 0.75, 0.1]], np.float32), np.array([13 * stage.scale])
    )
    return ink.layer().rgba


CLIPS: dict[str, Draw] = {
    "curls_brick": _curls,
    "back_light": _back_light,
    "streaks": _streaks,
    "blond_cut": _blond,
    "cat_grass": _cat,
    "like_gravel": _dressed,
    "boards": _boards,
    "racket": _racket,
}


def shot(name: str, size: tuple[int, int], seed: int, time: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the plate (H, W, 3), linear and without grain, and the exact alpha (H, W) of a clip at a time in frames.

    Args:
        name: of `CLIPS`.
        size: (width, height) in pixels.
        seed: of what is random.
        time: in frames since the first.
    """
    subject, ground = CLIPS[name](Stage(*size, seed), time)
    alpha = np.clip(subject[..., 3], 0, 1)
    alpha = np.where(alpha > 1 - 1e-5, 1, alpha).astype(np.float32)
    return np.asarray(subject[..., :3] + ground * (1 - alpha[..., None]), np.float32), alpha
