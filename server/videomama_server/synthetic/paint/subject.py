"""The demo clip's subject without the hair: a jacket seen from behind, one shoulder out of focus, one arm waving."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np

from videomama_server.arrays import FloatArray
from videomama_server.synthetic.paint.canvas import Ink, Layer, Stage, blurred, cloud_noise, lit, relief, smooth_noise

_MARGIN = 60  # design units painted beyond the picture, so that moving sprites never show their end
_ELBOW = (214.0, 462.0)  # design units
_DENIM = (0.075, 0.155, 0.245)
_SKIN = (0.60, 0.34, 0.235)

_TORSO = (
    (-34, 262), (-62, 282), (-112, 300), (-158, 318), (-184, 346), (-198, 400), (-210, 470), (-216, 640),
    (206, 640), (212, 580), (232, 530), (262, 496), (252, 458), (222, 428), (192, 384), (172, 348),
    (138, 318), (84, 296), (40, 280), (16, 262),
)  # fmt: skip


def pose(stage: Stage, time: float) -> FloatArray:
    """Matrix (2, 3) that takes the subject's place at rest, in pixels, to its place at `time` in frames."""
    phase = 2 * np.pi * time / 40
    turn = np.deg2rad(1.6) * np.sin(phase + 0.4)
    shift = np.array([11 * np.sin(phase), 3.5 * np.sin(2 * phase + 1)]) * stage.scale
    return _rotation(stage, (-20.0, 560.0), turn, shift)


def torso(stage: Stage, moved: FloatArray) -> Layer:
    """Return the jacket over the whole picture, moved by a matrix (2, 3) in pixels."""
    return Layer(_warped(_torso_sprite(stage), moved, (stage.width, stage.height), (0, 0)))


def waving_arm(stage: Stage, moved: FloatArray, time: float, samples: int = 21) -> Layer:
    """Return the forearm and hand with the motion blur of a half-open shutter centred on `time`.

    Coverage and premultiplied colour are both averaged over `samples` instants, which is what a camera does.
    """
    (left, top), (right, bottom) = stage.pixels(np.array([[90.0, 120.0], [400.0, 540.0]])).astype(int)
    total = np.zeros((bottom - top, right - left, 4), np.float32)
    for instant in time + 0.5 * ((np.arange(samples) + 0.5) / samples - 0.5):
        swing = np.deg2rad(5 + 12 * np.sin(2 * np.pi * instant / 10))
        turned = _joined(moved, _rotation(stage, _ELBOW, float(swing), np.zeros(2)))
        total += _warped(_arm_sprite(stage), turned, (right - left, bottom - top), (left, top))
    return Layer(np.asarray(total / samples, np.float32), int(left), int(top))


def _rotation(stage: Stage, about: tuple[float, float], turn: float, shift: np.ndarray) -> FloatArray:
    centre = stage.pixels(np.array(about))
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.column_stack([spin, centre - spin @ centre + shift]).astype(np.float32)


def _joined(outer: FloatArray, inner: FloatArray) -> FloatArray:
    """Matrix (2, 3) that applies `inner`, then `outer`."""
    return np.column_stack([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2] + outer[:, 2]])


def _warped(sprite: Layer, moved: FloatArray, size: tuple[int, int], origin: tuple[int, int]) -> FloatArray:
    # Pixel edges are at integers here, pixel centres in OpenCV: half a pixel goes in and comes out.
    into = np.array([[1, 0, sprite.left + 0.5], [0, 1, sprite.top + 0.5]], np.float32)
    out = np.array([[1, 0, -origin[0] - 0.5], [0, 1, -origin[1] - 0.5]], np.float32)
    matrix = _joined(out, _joined(moved, into))
    return np.asarray(cv2.warpAffine(sprite.rgba, matrix, size, flags=cv2.INTER_LINEAR), np.float32)


@lru_cache(maxsize=2)
def _torso_sprite(stage: Stage) -> Layer:
    scale, rng = stage.scale, stage.generator(10)
    edge = round(_MARGIN * scale)
    ink = Ink((-edge, 0, stage.width + edge, stage.height + edge), finer=2)
    outline = _rounded(np.array(_TORSO, np.float32))
    ink.fill(stage.pixels(outline), np.ones(3, np.float32))
    flat = ink.layer()
    cover = flat.rgba[..., 3]
    folds = _folds(rng, cover.shape, scale)
    normal = relief(cover, 58 * scale, folds)
    albedo = _denim(rng, cover.shape, scale) * _seams(stage, flat)[..., None]
    rgba = np.dstack([lit(albedo, normal) * cover[..., None], cover])
    return Layer(_defocused(stage, rgba, flat.left), flat.left, flat.top)


def _rounded(outline: FloatArray) -> FloatArray:
    """Cut the corners of a closed polygon (P, 2) three times (Chaikin, 1974)."""
    for _ in range(3):
        after = np.roll(outline, -1, axis=0)
        outline = np.stack([0.75 * outline + 0.25 * after, 0.25 * outline + 0.75 * after], axis=1).reshape(-1, 2)
    return outline


def _folds(rng: np.random.Generator, size: tuple[int, int], scale: float) -> FloatArray:
    """Heights (H, W) in pixels of creases that run down the cloth."""
    wide = smooth_noise(rng, size, (120 * scale, 34 * scale)) * 5
    fine = smooth_noise(rng, size, (46 * scale, 16 * scale)) * 1.2
    return np.asarray(blurred(wide + fine, 2.2 * scale) * scale, np.float32)


def _denim(rng: np.random.Generator, size: tuple[int, int], scale: float) -> FloatArray:
    """Albedo (H, W, 3) of washed blue cloth with a weave."""
    weave = rng.standard_normal(size).astype(np.float32)
    weave = blurred(weave, 0.7 * scale) * 0.16
    wash = cloud_noise(rng, size, 90 * scale, 4) * 0.3
    tone = np.clip(1 + weave + wash, 0.4, 1.8)[..., None]
    return np.asarray(np.array(_DENIM, np.float32) * tone, np.float32)


def _seams(stage: Stage, flat: Layer) -> FloatArray:
    """Darkening (H, W), 0..1, along the yoke, the back and the shoulder seams."""
    ink = Ink((flat.left, flat.top, flat.left + flat.rgba.shape[1], flat.top + flat.rgba.shape[0]), finer=2)
    lines = (
        [(-176, 372), (-90, 392), (-16, 398), (60, 390), (150, 366)],
        [(-16, 398), (-14, 520), (-14, 640)],
        [(-150, 316), (-160, 380), (-150, 450), (-156, 640)],
        [(132, 318), (148, 380), (138, 450), (146, 640)],
    )
    for line in lines:
        path = stage.pixels(np.array([line], np.float32))
        ink.lines(path, np.ones((1, 3), np.float32), np.array([2 * stage.scale]))
    return np.asarray(1 - 0.55 * blurred(ink.layer().rgba[..., 3], 0.8 * stage.scale), np.float32)


def _defocused(stage: Stage, rgba: FloatArray, left: int) -> FloatArray:
    """Blur (H, W, 4) ever more towards the right, where the shoulder leaves the plane of focus."""
    column = (np.arange(rgba.shape[1]) + left - stage.width / 2) / stage.scale
    out = rgba
    for sigma, begin in ((2.5, 40.0), (5.0, 95.0), (7.5, 150.0)):
        weight = np.clip((column - begin) / 60, 0, 1).astype(np.float32)[None, :, None]
        out = out * (1 - weight) + blurred(rgba, sigma * stage.scale) * weight
    return np.asarray(out, np.float32)


@lru_cache(maxsize=2)
def _arm_sprite(stage: Stage) -> Layer:
    """Forearm, half in a rolled sleeve, and open hand, upright over the elbow."""
    low, high = stage.pixels(np.array([[100.0, 140.0], [340.0, 540.0]])).astype(int)
    box = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    skin, sleeve = Ink(box), Ink(box)
    _limb(stage, skin, [(0, 0, 24), (12, -80, 22), (16, -150, 14.5), (17, -170, 14)])
    _limb(stage, skin, [(18, -174, 17), (18, -196, 21), (19, -206, 20)])
    for lean, length, base, thick in ((-24, 48, -15, 5.2), (-8, 60, -5, 5.8), (5, 63, 6, 5.8), (20, 54, 16, 5.2)):
        reach_x, reach_y = length * np.sin(np.deg2rad(lean)), -length * np.cos(np.deg2rad(lean))
        parts = ((0.0, thick + 1.2), (0.6, thick), (1.0, thick - 1))
        _limb(stage, skin, [(18 + base + part * reach_x, part * reach_y - 210, wide) for part, wide in parts])
    _limb(stage, skin, [(4, -182, 8), (-14, -204, 6.5), (-22, -222, 5)])
    _limb(stage, sleeve, [(0, 24, 31), (4, -30, 30), (10, -72, 28)])
    rgba = _shaded(stage, skin.layer(), _SKIN, 10, 11)
    cuff = _shaded(stage, sleeve.layer(), _DENIM, 26, 12)
    picture = rgba.copy()
    Layer(cuff).over(picture)
    return Layer(_soft_elbow(stage, picture, box[1]), box[0], box[1])


def _limb(stage: Stage, ink: Ink, joints: list[tuple[float, float, float]]) -> None:
    """Draw a rounded, tapering limb through joints (x, y, radius), in design units from the elbow."""
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    for start, end in pairwise(joints):
        both = np.concatenate([np.array(joint[:2]) + joint[2] * circle for joint in (start, end)])
        hull = np.asarray(cv2.convexHull((both + _ELBOW).astype(np.float32)), np.float32)[:, 0]
        ink.fill(stage.pixels(hull), np.ones(3, np.float32))


def _shaded(stage: Stage, flat: Layer, colour: tuple[float, ...], depth: float, key: int) -> FloatArray:
    rng, cover = stage.generator(key), flat.rgba[..., 3]
    normal = relief(cover, depth * stage.scale)
    tone = 1 + 0.22 * cloud_noise(rng, cover.shape, 30 * stage.scale, 4)
    albedo = np.array(colour, np.float32) * tone[..., None]
    return np.dstack([lit(np.asarray(albedo, np.float32), normal) * cover[..., None], cover]).astype(np.float32)


def _soft_elbow(stage: Stage, rgba: FloatArray, top: int) -> FloatArray:
    """Defocus the elbow of (H, W, 4) as far as the shoulder it belongs to, and let it merge with the upper arm."""
    row = (np.arange(rgba.shape[0]) + top) / stage.scale
    weight = np.clip((row - 330) / 110, 0, 1).astype(np.float32)[:, None, None]
    joined = np.clip((_ELBOW[1] + 26 - row) / 46, 0, 1).astype(np.float32)[:, None, None]
    return np.asarray((rgba * (1 - weight) + blurred(rgba, 6 * stage.scale) * weight) * joined, np.float32)
