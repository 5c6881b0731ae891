"""The suite that is measured once and reported as it comes: nothing is fitted to it.

Its subjects are distance fields and curves (`implicit.py`), its photographs, motion and compositing are its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from implicit import (
    Screen,
    Sheet,
    balls,
    before,
    blended,
    capsule,
    out_of_focus,
    shaded,
    solid,
    stacked,
    strands,
    through_shutter,
)
from stills import detail, spread, still

Draw = Callable[[Screen, int, float], tuple[Sheet, np.ndarray]]  # of a seed and a time in frames: subject, and behind


def dice(seed: int, key: int) -> np.random.Generator:
    return np.random.default_rng([seed, key, 1977])


def seen(name: str, screen: Screen, time: float, cover: float = 1.0) -> np.ndarray:
    """Return a photograph (H, W, 3) that a hand-held camera sees, which turns and breathes a little."""
    wide = _filled(name, (round(screen.height * 1.3), round(screen.width * 1.3)), cover)
    middle = (wide.shape[1] / 2, wide.shape[0] / 2)
    matrix = cv2.getRotationMatrix2D(middle, 2.5 * np.sin(time / 9), 1 + 0.05 * np.sin(time / 13))
    matrix[:, 2] += (
        screen.width / 2 - middle[0] + 0.06 * screen.unit * np.sin(time / 5),
        screen.height / 2 - middle[1],
    )
    return np.asarray(cv2.warpAffine(wide, matrix, (screen.width, screen.height)), np.float32)


@lru_cache(maxsize=4)
def _filled(name: str, size: tuple[int, int], cover: float) -> np.ndarray:
    return spread(still(name), size, cover)


def stuff(name: str, screen: Screen, colour: tuple[float, float, float], cover: float = 1.5) -> np.ndarray:
    """Return a colour (H, W, 3) with the grain of a photograph."""
    grain = detail(_filled(name, (screen.height, screen.width), cover), 0.7)
    return np.asarray(np.array(colour, np.float32) * grain, np.float32)


def shifted(picture: np.ndarray, screen: Screen, x: float, y: float) -> np.ndarray:
    """Return stuff that moves with its subject, by units of the scene."""
    return np.roll(picture, (round(y * screen.unit), round(x * screen.unit)), axis=(0, 1))


def tufts(seed: int, key: int, roots: np.ndarray, heading: np.ndarray, length: float, time: float) -> np.ndarray:
    """Return curves (N, 3, 2) that grow from roots (N, 2) in a heading (N,), radians, and wave."""
    rng = dice(seed, key)
    count = len(roots)
    reach = length * rng.lognormal(-0.2, 0.45, count)
    first = heading + rng.normal(0, 0.4, count) + 0.15 * np.sin(time / 3 + rng.uniform(0, 6, count))
    second = first + rng.normal(0, 0.7, count) + 0.2 * np.sin(time / 2.2 + rng.uniform(0, 6, count))
    bend = roots + 0.5 * reach[:, None] * np.column_stack([np.cos(first), np.sin(first)])
    end = bend + 0.6 * reach[:, None] * np.column_stack([np.cos(second), np.sin(second)])
    return np.stack([roots, bend, end], axis=1)


def tones(seed: int, key: int, count: int, dark: tuple[float, ...], bright: tuple[float, ...]) -> np.ndarray:
    share = dice(seed, key).beta(1.3, 2.5, (count, 1))
    return np.asarray(np.array(dark) * (1 - share) + np.array(bright) * share)


def widths(screen: Screen, seed: int, key: int, count: int, thick: float = 1.1) -> np.ndarray:
    """Return widths (N,) in pixels, of hairs that are about `thick` pixels thick at 1080."""
    return dice(seed, key).uniform(0.4, 1.0, count) * thick * screen.height / 1080


def around(centre: tuple[float, float], radii: tuple[float, float], angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return places (N, 2) on an ellipse, and the heading (N,) outwards there."""
    out = np.column_stack([np.cos(angle) * radii[0], np.sin(angle) * radii[1]])
    return out + np.array(centre), np.arctan2(out[:, 1] / radii[1] ** 2, out[:, 0] / radii[0] ** 2)


def _dandelion(screen: Screen, seed: int, time: float) -> tuple[Sheet, np.ndarray]:
    """A pale clock of thousands of hairs before stars that look like their tips."""
    x, y = 0.25 * np.sin(time / 8), -0.15 + 0.05 * np.sin(time / 6)
    angle = dice(seed, 1).uniform(0, 2 * np.pi, 1500)
    roots, out = around((x, y), (0.12, 0.12), angle)
    pale = tones(seed, 3, 1500, (0.3, 0.28, 0.22), (0.95, 0.9, 0.8))
    hair = strands(screen, tufts(seed, 2, roots, out, 0.5, time), pale, widths(screen, seed, 4, 1500))
    stem = capsule(screen, (x, y), (0.1 * np.sin(time / 8), 1.2), (0.035, 0.05))
    heart = capsule(screen, (x, y), (x, y + 0.01), (0.16, 0.16))
    field = blended([stem, heart], 0.03)
    body = shaded(solid(screen, field, stuff("retina", screen, (0.16, 0.24, 0.08))), field, 0.1)
    return stacked([body, hair]), seen("hubble_deep_field", screen, time) * np.float32(1.6)


def _creature(screen: Screen, seed: int, time: float) -> tuple[Sheet, np.ndarray]:
    """A soft body of metaballs with arms, before coins that are no brighter than itself."""
    spin = np.arange(7) * 2 * np.pi / 7 + time / 30 + dice(seed, 6).uniform(0, 1)
    parts = [np.array([[0.0, 0.0]])]
    for place in range(1, 5):
        reach = 0.15 + 0.17 * place
        turn = spin + 0.25 * np.sin(time / 4 + place + np.arange(7))
        parts.append(reach * np.column_stack([1.3 * np.cos(turn), np.sin(turn)]))
    centres = np.concatenate(parts) + np.array([0.2 * np.sin(time / 9), 0.1 * np.cos(time / 7)])
    radii = np.concatenate([[0.3], np.repeat([0.13, 0.10, 0.075, 0.05], 7)])
    field = balls(screen, centres, radii)
    skin = shifted(stuff("coins", screen, (0.22, 0.15, 0.10), 1.7), screen, 0.2 * float(np.sin(time / 9)), 0)
    return shaded(solid(screen, field, skin), field, 0.08), seen("coins", screen, time, 1.2)


def _bearded(screen: Screen, seed: int, time: float) -> tuple[Sheet, np.ndarray]:
    """A head with beard and stubble before tissue whose fibres look like hair."""
    x, y = 0.2 + 0.08 * np.sin(time / 6), -0.2 + 0.03 * np.sin(time / 4)
    head = capsule(screen, (x, y - 0.15), (x, y + 0.2), (0.34, 0.27))
    trunk = capsule(screen, (x - 0.6, y + 0.95), (x + 0.6, y + 0.95), (0.45, 0.45))
    field = blended([head, trunk, capsule(screen, (x, y), (x, y + 0.6), (0.2, 0.2))], 0.05)
    body = shaded(solid(screen, field, stuff("retina", screen, (0.42, 0.24, 0.17), 1.2)), field, 0.2)
    rng = dice(seed, 11)
    roots, out = around((x, y + 0.1), (0.28, 0.3), rng.uniform(-0.3, np.pi + 0.3, 2600))
    roots = roots * 1.0 + rng.normal(0, 0.04, roots.shape)
    crown, up = around((x, y - 0.15), (0.33, 0.33), rng.uniform(np.pi, 2 * np.pi, 1400))
    knees = np.concatenate([tufts(seed, 12, roots, out, 0.22, time), tufts(seed, 13, crown, up, 0.1, time)])
    dark = tones(seed, 14, len(knees), (0.03, 0.015, 0.008), (0.32, 0.17, 0.07))
    hair = strands(screen, knees, dark, widths(screen, seed, 15, len(knees), 1.6))
    return stacked([body, hair]), seen("ihc", screen, time, 0.9)


def _runner(screen: Screen, seed: int, time: float) -> tuple[Sheet, np.ndarray]:
    """Somebody with a spear who runs across, thin and fast, before another person in the same orange."""

    ahead = -1.1 + dice(seed, 7).uniform(0, 0.5)

    def at(moment: float) -> Sheet:
        x, beat = ahead + 0.13 * moment, np.sin(moment / 1.6)
        hip, neck = (x, 0.15), (x + 0.12, -0.35)
        limbs = [
            capsule(screen, hip, neck, (0.13, 0.15)),
            capsule(screen, (x + 0.16, -0.55), (x + 0.17, -0.5), (0.12, 0.11)),
        ]
        for side in (-1, 1):
            knee = (x + 0.28 * side * beat, 0.5)
            limbs += [
                capsule(screen, hip, knee, (0.10, 0.075)),
                capsule(screen, knee, (knee[0] - 0.2 + 0.12 * side * beat, 0.9), (0.07, 0.05)),
            ]
            hand = (x + 0.1 - 0.35 * side * beat, -0.05)
            limbs += [capsule(screen, neck, hand, (0.075, 0.045))]
        field = blended(limbs, 0.02)
        cloth = shifted(stuff("astronaut", screen, (0.55, 0.14, 0.05), 2.5), screen, x, 0)
        body = shaded(solid(screen, field, cloth), field, 0.09)
        grip = np.array([x + 0.1 + 0.35 * beat, -0.05])
        reach = np.array([0.65, -0.19 * beat])
        spear = capsule(screen, grip - reach, grip + reach, (0.008, 0.004))
        return stacked([solid(screen, spear, np.array([0.12, 0.09, 0.05])), body])

    return through_shutter(at, time, 0.5), seen("astronaut", screen, time)


def _fringe(screen: Screen, seed: int, time: float) -> tuple[Sheet, np.ndarray]:
    """A shawl that the frame cuts, with tassels, before rows of type."""
    x = -0.75 + 0.15 * np.sin(time / 7)
    field = blended(
        [
            capsule(screen, (x - 1.4, -0.7), (x, -0.7), (0.5, 0.42)),
            capsule(screen, (x - 1.2, 0.9), (x - 0.2, 0.7), (0.8, 0.5)),
        ],
        0.08,
    )
    weave = stuff("ihc", screen, (0.34, 0.05, 0.09), 3.0)
    body = shaded(solid(screen, field, shifted(weave, screen, float(x), 0)), field, 0.3)
    height = dice(seed, 21).uniform(-1, 1.1, 700)
    edge = x + 0.35 + 0.06 * np.sin(9 * height)
    knees = tufts(seed, 22, np.column_stack([edge, height]), np.full(700, 0.35), 0.42, time)
    tassels = strands(
        screen, knees, tones(seed, 23, 700, (0.2, 0.02, 0.04), (0.6, 0.2, 0.2)), widths(screen, seed, 24, 700, 2.2)
    )
    return stacked([tassels, body]), _typed(screen, seed, time)


def _typed(screen: Screen, seed: int, time: float) -> np.ndarray:
    """Rows of type (H, W, 3) that scroll: uprights, bows and bars of a made-up alphabet, and rules between them."""
    x, y = screen.points()
    row = np.floor((y + 1.2 + time / 200) / 0.16)
    line, down = (y + 1.2 + time / 200) - row * 0.16, 0.16
    sort = np.floor((x + 0.37 * row) / 0.085)
    along = (x + 0.37 * row) - sort * 0.085
    kind = np.abs(np.sin(12.9898 * sort + 78.233 * row + seed)) * 43758.5453 % 1
    upright = np.abs(along - 0.02) < 0.008
    bow = np.abs(np.hypot(along - 0.042, line - 0.085) - 0.028) < 0.008
    bar = np.abs(line - (0.05 + 0.05 * kind)) < 0.007
    ink = ((upright & (kind < 0.7)) | (bow & (kind > 0.3)) | (bar & (kind > 0.55))) & (along < 0.07) & (line > 0.035)
    ink &= line < 0.13
    ink |= np.abs(line - down) < 0.004
    paper = np.where((row % 5 == 2)[..., None], np.array([0.55, 0.42, 0.1]), np.array([0.7, 0.68, 0.62]))
    sharp = np.where(ink[..., None], np.array([0.02, 0.02, 0.05]), paper).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(sharp, (0, 0), 0.7), np.float32)


def _plumage(screen: Screen, seed: int, time: float) -> tuple[Sheet, np.ndarray]:
    """A bird whose wing has loose barbs, grey before grey, with light from behind."""
    x, beat = 0.1 * np.sin(time / 11), 0.35 * np.sin(time / 3)
    body = capsule(screen, (x - 0.35, 0.25), (x + 0.35, 0.0), (0.16, 0.24))
    head = capsule(screen, (x + 0.62, -0.2), (x + 0.66, -0.2), (0.13, 0.12))
    wing = capsule(screen, (x + 0.2, 0.0), (x - 0.5, -0.5 - beat), (0.16, 0.06))
    field = blended([body, head, wing, capsule(screen, (x + 0.4, 0), (x + 0.6, -0.15), (0.18, 0.1))], 0.03)
    plume = shaded(solid(screen, field, stuff("camera", screen, (0.10, 0.10, 0.11), 2.0)), field, 0.12, (0.3, -0.9))
    share = dice(seed, 31).uniform(0, 1, 1800)
    roots = np.column_stack([x + 0.2 - 0.7 * share, -share * (0.5 + beat)]) + dice(seed, 32).normal(0, 0.05, (1800, 2))
    knees = tufts(seed, 33, roots, np.full(1800, np.pi * 0.78), 0.36, time)
    barbs = strands(
        screen, knees, tones(seed, 34, 1800, (0.05, 0.05, 0.06), (1.3, 1.2, 1.1)), widths(screen, seed, 35, 1800, 1.4)
    )
    return stacked([barbs, plume]), seen("camera", screen, time, 1.1)


def _swimmer(screen: Screen, seed: int, time: float) -> tuple[Sheet, np.ndarray]:
    """Somebody in rippled water, below the waist out of sight, with wet hair and splashes."""
    x = -0.3 + 0.1 * np.sin(time / 5)
    head = capsule(screen, (x, -0.3), (x, -0.15), (0.22, 0.19))
    trunk = blended(
        [
            head,
            capsule(screen, (x - 0.35, 0.5), (x + 0.35, 0.5), (0.26, 0.26)),
            capsule(screen, (x, 0), (x, 0.3), (0.12, 0.14)),
            capsule(screen, (x + 0.35, 0.4), (x + 0.9, -0.4 - 0.3 * np.sin(time / 3)), (0.1, 0.06)),
            capsule(screen, (x, 0.6), (x, 1.2), (0.5, 0.5)),
        ],
        0.04,
    )
    body = shaded(solid(screen, trunk, stuff("retina", screen, (0.46, 0.27, 0.2))), trunk, 0.14)
    roots, _ = around((x, -0.27), (0.2, 0.22), dice(seed, 41).uniform(np.pi * 0.95, np.pi * 2.05, 1600))
    knees = tufts(seed, 42, roots, np.where(roots[:, 0] < x, np.pi * 0.62, np.pi * 0.38), 0.45, time)
    hair = strands(
        screen, knees, tones(seed, 43, 1600, (0.01, 0.01, 0.01), (0.2, 0.2, 0.22)), widths(screen, seed, 44, 1600, 1.5)
    )
    drops = dice(seed, 45).uniform(-1, 1, (60, 2)) * (0.5, 0.4) + (x + 0.8, -0.3)
    drops = drops + np.column_stack([np.zeros(60), 0.6 * ((time / 11 + np.arange(60) / 60) % 1) ** 2])
    spray = strands(
        screen,
        drops[:, None] + np.array([[0, 0], [0, 0.02], [0.01, 0.05]]),
        np.full((60, 3), 0.8),
        widths(screen, seed, 46, 60, 6),
    )
    return stacked([body, hair, spray]), _water(screen, seed, time)


def _water(screen: Screen, seed: int, time: float) -> np.ndarray:
    """Ripples (H, W, 3): crests of waves that bend each other, some of them glinting."""
    x, y = screen.points()
    turn = dice(seed, 47).uniform(0, 6, 8)
    bend = 0.08 * np.sin(3 * x + time / 6 + turn[0]) + 0.05 * np.sin(5 * x - 4 * y + time / 9 + turn[1])
    waves = sum(
        np.sin((22 + 9 * index) * (y + bend) + (1.5 + index) * x + time / (3 + index) + turn[index + 2])
        / (1 + 0.4 * index)
        for index in range(5)
    )
    light = np.clip(0.35 + 0.28 * np.asarray(waves), 0, None)[..., None] ** 2
    return np.asarray(np.array([0.02, 0.06, 0.08]) + light * np.array([0.5, 0.62, 0.66]), np.float32)


def _near(screen: Screen, seed: int, time: float) -> tuple[Sheet, np.ndarray]:
    """A near, defocused head and shoulder that the frame cuts on three sides, before a clock that moved."""
    x = 0.35 + 0.12 * np.sin(time / 6)
    field = blended(
        [
            capsule(screen, (x, -0.35), (x, 0.05), (0.55, 0.45)),
            capsule(screen, (x - 0.5, 1.2), (x + 1.2, 1.0), (0.6, 0.7)),
        ],
        0.08,
    )
    body = shaded(solid(screen, field, stuff("coins", screen, (0.2, 0.22, 0.3), 2.4)), field, 0.4)
    roots, out = around((x, -0.3), (0.52, 0.52), dice(seed, 51).uniform(np.pi * 0.9, np.pi * 2.1, 2200))
    knees = tufts(seed, 52, roots, out, 0.2, time)
    hair = strands(
        screen, knees, tones(seed, 53, 2200, (0.1, 0.04, 0.01), (0.7, 0.34, 0.1)), widths(screen, seed, 54, 2200, 2.4)
    )
    return out_of_focus(stacked([body, hair]), 4 * screen.height / 1080 * 1.5), seen("clock_motion", screen, time)


CLIPS: dict[str, Draw] = {
    "dandelion": _dandelion,
    "creature": _creature,
    "bearded": _bearded,
    "runner": _runner,
    "fringe": _fringe,
    "plumage": _plumage,
    "swimmer": _swimmer,
    "near": _near,
}


def shot(name: str, size: tuple[int, int], seed: int, time: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the plate (H, W, 3), linear and without grain, and the exact alpha (H, W) of a clip at a time in frames.

    Args:
        name: of `CLIPS`.
        size: (width, height) in pixels.
        seed: of what is random.
        time: in frames since the first.
    """
    sheet, ground = CLIPS[name](Screen(*size), seed, time)
    return before(sheet, ground)
