"""Makes the clips that weights are learned from: shapes and strands by code of their own, and painted kinds.

They share no seeds, silhouettes and textures with the suites, and of the photographs only a cat, who is a background
here. `learned_weights.py` uses them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from stills import spread, still
from videomama_server.media.srgb import to_display
from videomama_server.synthetic.kinds import KINDS
from videomama_server.synthetic.render import ClipSpec, render_frame

WIDTH, HEIGHT = 480, 270
FRAMES = 3
SHAPES = 68  # clips of shapes with strands
PAINTED = range(301, 307)  # seeds of the painted kinds
_FIRST = 5000  # seed of the shapes
_FINER = 3  # times the picture that lines are drawn at
_BITS = 4  # of a fraction of a pixel, as OpenCV draws
_JOINTS = 12  # of a strand
_TURN = 2 * np.pi
_LETTERS = list("AEKMNRSTW38")
Pictures = tuple[list[np.ndarray], list[np.ndarray]]  # plates (H, W, 3), display-referred, and exact alphas (H, W)


def clips() -> Iterator[tuple[str, int]]:
    """Yield kind and seed of every clip; the kind of those with strands is `shape`."""
    for number in range(SHAPES):
        yield "shape", _FIRST + number
    for seed in PAINTED:
        for kind in KINDS:
            yield kind, seed


def name(kind: str, seed: int) -> str:
    """Return what a clip is called."""
    return f"s{seed - _FIRST}" if kind == "shape" else f"p_{kind}_{seed}"


def pictures(kind: str, seed: int) -> Pictures:
    """Return plates and exact alphas of a clip."""
    return _shape_clip(seed) if kind == "shape" else _painted(kind, seed)


def _cloud(
    rng: np.random.Generator, size: tuple[int, int], power: float, stretch: float = 1.0, angle: float = 0.0
) -> np.ndarray:
    """Return noise (H, W) whose strength falls with its frequency, along an angle slower than across."""
    down, along = np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])[None]
    one = along * np.cos(angle) + down * np.sin(angle)
    other = -along * np.sin(angle) + down * np.cos(angle)
    frequency = np.sqrt(one * one * stretch + other * other / stretch)
    frequency[0, 0] = 1
    real, imaginary = rng.standard_normal(frequency.shape), rng.standard_normal(frequency.shape)
    spectrum = (real + 1j * imaginary) * frequency ** (-power)
    spectrum[0, 0] = 0
    noise = np.fft.irfft2(spectrum, s=size)
    return np.asarray((noise - noise.mean()) / (noise.std() + 1e-9), np.float32)


def _colour(rng: np.random.Generator, low: float = 0.02, high: float = 0.7) -> np.ndarray:
    bright = np.exp(rng.uniform(np.log(low), np.log(high)))
    tint = np.exp(rng.normal(0, 0.35, 3))
    return np.asarray(np.clip(bright * tint / tint.mean(), 0.003, 1.2), np.float32)


def _texture(rng: np.random.Generator, size: tuple[int, int], colour: np.ndarray | None = None) -> np.ndarray:
    colour = _colour(rng) if colour is None else colour
    light = _cloud(rng, size, rng.uniform(0.6, 1.8), rng.choice([1, 1, 4, 25]), rng.uniform(0, np.pi))
    hue = _cloud(rng, size, 1.5)
    tone = np.stack([light] * 3, -1) + 0.3 * hue[..., None] * rng.normal(0, 1, 3)
    return np.asarray(colour * np.exp(rng.choice([0.1, 0.3, 0.6]) * tone), np.float32)


def _behind(rng: np.random.Generator, colour: np.ndarray) -> np.ndarray:
    """Return what is behind a subject of that colour, with a margin to pan over."""
    size = (HEIGHT + 40, WIDTH + 80)
    which = rng.integers(5)
    if which == 0:
        ground = _photograph(rng, size)
    elif which == 1:
        ground = _texture(rng, size)
    elif which == 2:
        ground = _texture(rng, size, colour * rng.uniform(0.7, 1.4))
    elif which == 3:
        ground = _boards(rng, size)
    else:
        ground = cv2.GaussianBlur(_texture(rng, size), (0, 0), rng.choice([2, 6]))
    return np.asarray(np.maximum(ground, 0), np.float32)


def _photograph(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Return a photograph as it is, mirrored or turned, brighter or darker (H, W, 3)."""
    photograph = still("chelsea")
    photograph = photograph[:, ::-1] if rng.random() < 0.5 else photograph
    photograph = photograph.transpose(1, 0, 2) if rng.random() < 0.5 else photograph
    return spread(np.ascontiguousarray(photograph), size, rng.uniform(0.5, 2)) * rng.uniform(0.4, 1.4)


def _boards(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Return rectangles and writing (H, W, 3)."""
    ground = np.tile(_colour(rng), (*size, 1)).astype(np.float32)
    for _ in range(rng.integers(10, 60)):
        x, y = int(rng.integers(0, size[1])), int(rng.integers(0, size[0]))
        colour = _colour(rng)
        if rng.random() < 0.5:
            corner = (int(x + rng.integers(4, 120)), int(y + rng.integers(4, 80)))
            cv2.rectangle(ground, (x, y), corner, colour.tolist(), -1)
            continue
        stencil, text = np.zeros(size, np.uint8), "".join(rng.choice(_LETTERS, 3))
        large, thick = float(rng.uniform(0.4, 2)), int(rng.integers(1, 4))
        cv2.putText(stencil, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, large, 255, thick, cv2.LINE_AA)
        cover = (stencil / np.float32(255))[..., None]
        ground = ground * (1 - cover) + colour * cover
    return np.asarray(cv2.GaussianBlur(ground, (0, 0), rng.choice([0.6, 0.6, 3])))


@dataclass(frozen=True)
class _Line:
    path: np.ndarray  # (P, 2), pixels about the subject's middle
    width: float  # pixels
    colour: np.ndarray


@dataclass(frozen=True)
class _Subject:
    """A shape with limbs and strands."""

    outline: np.ndarray
    middle: np.ndarray
    limbs: list[_Line]
    strands: list[_Line]
    texture: np.ndarray
    colour: np.ndarray


def _subject(rng: np.random.Generator) -> _Subject:
    size = rng.uniform(45, 85)
    outline = _blob(rng) * size * np.array([rng.uniform(0.7, 1.1), 1])
    middle = np.array([WIDTH / 2 + rng.uniform(-70, 70), HEIGHT / 2 + rng.uniform(-10, 60)])
    limbs = []
    for _ in range(rng.integers(0, 4)):
        root = outline[rng.integers(len(outline))]
        tip = root * rng.uniform(1.3, 2.2) + rng.normal(0, 15, 2)
        limbs.append(_Line(np.array([root * 0.5, tip]), rng.uniform(2, 14), np.zeros(3)))
    colour = _colour(rng)
    of_hair = _colour(rng, 0.01, 0.6) if rng.random() < 0.7 else colour * rng.uniform(0.5, 1.5)
    texture = _texture(rng, (HEIGHT + 80, WIDTH + 80), colour)
    return _Subject(outline, middle, limbs, _strands(rng, outline, of_hair), texture, colour)


def _blob(rng: np.random.Generator, points: int = 260) -> np.ndarray:
    angle = np.linspace(0, _TURN, points, endpoint=False)
    radius = np.ones(points)
    for wave in range(2, 9):
        radius += rng.normal(0, 0.22 / wave) * np.cos(wave * angle + rng.uniform(0, 6.3))
    return np.stack([np.cos(angle) * radius, np.sin(angle) * radius], 1)


def _strands(rng: np.random.Generator, outline: np.ndarray, colour: np.ndarray) -> list[_Line]:
    first, span = rng.uniform(0, 6.28), rng.uniform(0.5, 3.2)
    count = int(rng.choice([0, 120, 500, 1200]))
    length, curl, fall = rng.uniform(8, 60), rng.uniform(0, 1.3), rng.uniform(0, 1)
    locks = max(1, count // rng.integers(1, 12))
    courses = [(rng.normal(0, 0.5), rng.normal(0, 1)) for _ in range(locks)]
    found = []
    for number in range(count):
        turn, bend = courses[number % locks]
        where = first + rng.uniform(-span, span)
        root = outline[int((where % 6.283) / 6.283 * len(outline))] * rng.uniform(0.85, 1)
        heading = np.arctan2(root[1], root[0]) + turn
        step = length * np.exp(rng.normal(0, 0.4)) / _JOINTS
        width = rng.uniform(0.2, 1.0) if rng.random() < 0.9 else rng.uniform(1, 2.5)
        joint = np.arange(_JOINTS)
        course = heading + curl * np.sin(rng.uniform(0, 6.3) + joint * 0.7) + bend * 0.3 * joint / _JOINTS
        if fall > 0.3:
            course = course * (1 - fall * joint / 14) + fall * joint / 14 * np.pi / 2
        path = root + step * np.cumsum(np.stack([np.cos(course), np.sin(course)], 1), axis=0)
        found.append(_Line(np.vstack([root, path]), width, colour * np.exp(rng.normal(0, 0.25))))
    return found


@dataclass(frozen=True)
class _Motion:
    """How a subject moves in a frame's time: pixels, and radians."""

    shift: np.ndarray
    turn: float

    def to(self, path: np.ndarray, middle: np.ndarray, time: float) -> np.ndarray:
        """Return a path (P, 2) as OpenCV draws it at a time, in fractions of the finer picture's pixels."""
        cos, sin = np.cos(self.turn * time), np.sin(self.turn * time)
        placed = path @ np.array([[cos, -sin], [sin, cos]]).T + middle + self.shift * time
        return np.asarray(np.round(placed * _FINER * 2**_BITS), np.int32)


def _drawn(of: _Subject, motion: _Motion, time: float) -> np.ndarray:
    """Return the subject (H, W, 4), premultiplied, linear."""
    fine = (HEIGHT * _FINER, WIDTH * _FINER)
    stencil = np.zeros(fine, np.uint8)
    cv2.fillPoly(stencil, [motion.to(of.outline, of.middle, time)], 255, cv2.LINE_AA, _BITS)
    for limb in of.limbs:
        path = [motion.to(limb.path, of.middle, time)]
        cv2.polylines(stencil, path, False, 255, max(1, int(limb.width * _FINER)), cv2.LINE_AA, _BITS)
    cover = _reduced(stencil.astype(np.float32) / 255)
    left, top = (40 - round(float(away) * time) % 40 for away in motion.shift)
    colour = of.texture[top : top + HEIGHT, left : left + WIDTH] * cover[..., None]
    if not of.strands:
        return np.dstack([colour, cover])
    paint, hair = np.zeros((*fine, 3), np.float32), np.zeros(fine, np.uint8)
    for strand in of.strands:
        path, thick = [motion.to(strand.path, of.middle, time)], max(1, round(strand.width * _FINER))
        cv2.polylines(paint, path, False, strand.colour.tolist(), thick + 2, cv2.LINE_8, _BITS)
        cv2.polylines(hair, path, False, 255, thick, cv2.LINE_AA, _BITS)
    there = hair.astype(np.float32) / 255
    on_top, over = _reduced(paint * there[..., None]), _reduced(there)
    return np.dstack([on_top + colour * (1 - over[..., None]), over + cover * (1 - over)])


def _reduced(picture: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.float32)


def _shape_clip(seed: int) -> Pictures:
    rng = np.random.default_rng([seed, 77])
    subject = _subject(rng)
    motion = _Motion(rng.normal(0, rng.choice([0.5, 2, 7]), 2), rng.normal(0, 0.01))
    is_blurred, defocus = rng.random() < 0.35, rng.choice([0, 0, 0, 1.5, 3])
    exposure, grain = rng.choice([1, 1, 0.25, 0.08]), rng.choice([0.5, 1, 1, 3])
    wide, pan = _behind(rng, subject.colour), rng.normal(0, 1, 2)
    plates, alphas = [], []
    for frame in range(FRAMES):
        instants = frame + np.linspace(0, 0.6, 6) if is_blurred else [float(frame)]
        picture = np.mean([_drawn(subject, motion, time) for time in instants], axis=0)
        if defocus:
            disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * int(np.ceil(defocus)) + 1,) * 2)
            picture = cv2.filter2D(picture, -1, disk.astype(np.float32) / disk.sum())
        place = np.array([[1, 0, 40 + pan[0] * frame], [0, 1, 20 + pan[1] * frame]], np.float32)
        ground = cv2.warpAffine(wide, place, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        alpha = np.clip(picture[..., 3], 0, 1)
        alpha = np.where(alpha > 0.9999, 1, np.where(alpha < 1e-4, 0, alpha)).astype(np.float32)
        clean = (picture[..., :3] + ground * (1 - alpha[..., None])) * exposure
        noise = cv2.GaussianBlur(rng.standard_normal(clean.shape).astype(np.float32), (0, 0), 0.6)
        plates.append(_shown(clean + noise * grain * (0.002 + 0.018 * np.sqrt(np.clip(clean, 0, 1)))))
        alphas.append(alpha)
    return plates, alphas


def _painted(kind: str, seed: int) -> Pictures:
    """A painted clip; every other one stands before what shapes stand before."""
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode())])
    backgrounds = KINDS[kind].backgrounds
    spec = ClipSpec(kind, backgrounds[int(rng.integers(len(backgrounds)))], WIDTH, HEIGHT, 24, seed=seed)
    first = spec.first + int(rng.integers(0, 20))
    frames = [render_frame(spec, first + index) for index in range(FRAMES)]
    alphas = [frame.alpha for frame in frames]
    if rng.random() >= 0.5:
        return [_shown(frame.plate) for frame in frames], alphas
    solid = frames[0].alpha > 0.9
    wide = _behind(rng, frames[0].foreground[solid].mean(axis=0) if solid.any() else _colour(rng))
    plates = []
    for index, frame in enumerate(frames):
        ground = wide[20 : 20 + HEIGHT, 40 + index : 40 + index + WIDTH] * KINDS[kind].exposure
        cover = frame.alpha[..., None]
        plates.append(_shown(frame.foreground * cover + ground * (1 - cover) + frame.plate - frame.clean))
    return plates, alphas


def _shown(linear: np.ndarray) -> np.ndarray:
    return np.asarray(to_display(np.clip(linear, 0, 1)), np.float32)
