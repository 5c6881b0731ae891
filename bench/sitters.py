"""People and animals from the waist up: smooth silhouettes with the grain of photographs, and hair of several kinds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.interpolate import PchipInterpolator
from stills import detail, spread, still
from videomama_server.synthetic.paint.canvas import Ink, Layer, Stage, lit, relief
from videomama_server.synthetic.paint.moving import chained, empty, in_pixels, moved, rotation, shift

TURN = 2 * np.pi
BUST = (  # half outline: how wide at which height, design units from the chin; it is mirrored and leaves the frame
    (0, -118), (34, -108), (54, -76), (58, -40), (50, -8), (32, 18), (30, 44), (62, 60), (118, 76), (146, 112),
    (158, 180), (166, 420),
)  # fmt: skip
STOUT = (
    (0, -104), (42, -96), (68, -62), (72, -24), (64, 14), (52, 34), (54, 52), (110, 64), (176, 96), (206, 160),
    (216, 420),
)  # fmt: skip
CAT = (
    (0, -60), (26, -64), (52, -108), (70, -70), (78, -20), (60, 24), (44, 44), (60, 70), (96, 130), (120, 220),
    (130, 420),
)  # fmt: skip


@dataclass(frozen=True)
class Hair:
    """A kind of hair, lengths in design units, angles in radians.

    Attributes:
        count: strands.
        length: mean of them.
        colours: linear, the darkest and the brightest.
        curl: how far a strand winds to either side.
        windings: how often it does.
        fall: how much it hangs, 0 for hair that stands off.
        wind: how far it sways.
        span: from which share of the head's half outline to which it grows, 0 at the crown.
        locks: groups of strands, each with a course of its own.
    """

    count: int
    length: float
    colours: tuple[tuple[float, float, float], tuple[float, float, float]]
    curl: float = 0.2
    windings: float = 1.2
    fall: float = 0.5
    wind: float = 0.25
    span: tuple[float, float] = (0.0, 0.34)
    locks: int = 120


DARK = ((0.02, 0.012, 0.008), (0.26, 0.14, 0.06))
CURLS = Hair(4200, 44, DARK, 1.4, 2.4, 0.3, 0.15)
WISPS = Hair(900, 52, ((0.5, 0.36, 0.2), (1.9, 1.5, 1.0)), 0.35, 1.3, 0.4, 0.35, locks=300)
LONG = Hair(5200, 150, DARK, 0.2, 1.5, 1.25, 0.25, (0.0, 0.28))
BLOND = Hair(3600, 110, ((0.30, 0.21, 0.10), (0.80, 0.64, 0.38)), 0.3, 1.1, 1.0, 0.3, (0.0, 0.3))
BRISTLES = Hair(5200, 22, ((0.05, 0.035, 0.02), (0.34, 0.26, 0.17)), 0.1, 0.5, 0.1, 0.05, (0.0, 1.0), 900)


@dataclass(frozen=True)
class Sitter:
    """Somebody from the waist up.

    Attributes:
        outline: half of it.
        hair: on the head.
        skin: a photograph that gives head and neck their grain, and `cloth` the clothes.
        colours: linear, of the skin and of the clothes.
        head: height at which the clothes begin, design units from the chin.
        glow: light from behind, on the edges.
        light: how much falls on the front.
    """

    outline: tuple[tuple[float, float], ...]
    hair: Hair
    skin: str
    cloth: str
    colours: tuple[tuple[float, float, float], tuple[float, float, float]]
    head: float = 48.0
    glow: float = 0.0
    light: float = 1.0


def curve(outline: tuple[tuple[float, float], ...], points: int = 400) -> np.ndarray:
    """Return the whole outline (P, 2), x and y, from one lower end over the crown to the other."""
    half = np.array(outline, np.float64)
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(half, axis=0).T))])
    fine = PchipInterpolator(along, half)(np.linspace(0, along[-1], points // 2))
    return np.concatenate([fine[:0:-1] * (-1, 1), fine])


@lru_cache(maxsize=4)
def _body(stage: Stage, who: Sitter) -> Layer:
    """The sitter without hair about the chin, which is at (0, 0)."""
    path = curve(who.outline) * stage.scale
    low, high = np.floor(path.min(axis=0)) - 2, np.ceil(path.max(axis=0)) + 2
    ink = Ink((int(low[0]), int(low[1]), int(high[0]), int(high[1])))
    ink.fill(path.astype(np.float32), np.ones(3, np.float32))
    flat = ink.layer()
    cover = flat.rgba[..., 3]
    rows = ((np.arange(cover.shape[0]) + flat.top) / stage.scale)[:, None, None]
    clothed = np.clip((rows - who.head) / 3, 0, 1)
    skin, cloth = (
        np.array(colour) * detail(spread(still(name), cover.shape, repeats), strength)
        for name, colour, repeats, strength in (
            (who.skin, who.colours[0], 1, 0.35),
            (who.cloth, who.colours[1], 1.5, 0.8),
        )
    )
    albedo = (skin * (1 - clothed) + cloth * clothed).astype(np.float32)
    normal = relief(cover, 46 * stage.scale)
    rim = np.clip(1.02 - normal[..., 2:], 0, 1) ** 2 * who.glow
    rgb = lit(albedo, normal) * who.light + rim * np.array([1.0, 0.82, 0.6])
    return Layer(np.dstack([rgb * cover[..., None], cover]).astype(np.float32), flat.left, flat.top)


def _strands(stage: Stage, who: Sitter, time: float) -> tuple[np.ndarray, np.ndarray]:
    """Return paths (N, P, 2) about the chin in design units, and colours (N, 3) of the hair."""
    hair, rng = who.hair, stage.generator(80)
    lock = np.arange(hair.count) % hair.locks
    path, own = curve(who.outline), rng.normal(0, 1, (4, hair.count))
    shared = rng.uniform(-1, 1, (4, hair.locks))[:, lock] + 0.12 * own
    middle = len(path) // 2
    share = hair.span[0] + (hair.span[1] - hair.span[0]) * np.abs(shared[0])
    place = np.clip(middle + np.sign(shared[0]) * share * middle, 1, len(path) - 2).astype(int)
    tangent = path[place + 1] - path[place - 1]
    angle = np.arctan2(-tangent[:, 0], tangent[:, 1]) + 0.35 * shared[1]  # outwards: the subject is on the right
    along = np.linspace(0, 1, 18)[None]
    down = np.arctan2(np.sin(np.pi / 2 - angle), np.cos(np.pi / 2 - angle))[:, None]
    phase = TURN * shared[2][:, None]
    winding = hair.curl * np.sin(TURN * hair.windings * along + phase) * (0.8 + 0.2 * shared[3][:, None])
    sway = hair.wind * along * np.sin(TURN * time / 14 + 0.4 * phase - 2 * along)
    bent = angle[:, None] + down * np.clip(hair.fall * along * 1.4, 0, 1) + winding + sway
    step = hair.length * rng.gamma(3, 0.28, (hair.count, 1)) / along.shape[1]
    walk = np.stack([np.cos(bent), np.sin(bent)], axis=-1) * step[..., None]
    root = path[place] * np.sqrt(rng.uniform(0.35, 1.0, (hair.count, 1)))
    shine = np.clip(rng.beta(1.4, 3, (hair.count, 1)), 0, 1)
    colours = np.array(hair.colours[0]) * (1 - shine) + np.array(hair.colours[1]) * shine
    return root[:, None] + np.cumsum(walk, axis=1), colours.astype(np.float32)


def sitter(stage: Stage, who: Sitter, place: np.ndarray, time: float) -> np.ndarray:
    """Return somebody, premultiplied (H, W, 4), whose chin a matrix (2, 3) in design units puts in its place."""
    picture = empty(stage)
    matrix = in_pixels(stage, place.astype(np.float32))
    moved(_body(stage, who), matrix, (stage.width, stage.height)).over(picture)
    points, colours = _strands(stage, who, time)
    widths = stage.generator(81).uniform(0.22, 0.6, len(colours)) * stage.scale
    ink = Ink((0, 0, stage.width, stage.height), peak=2.0)
    paths = (points @ matrix[:, :2].T * stage.scale + matrix[:, 2]).astype(np.float32)
    ink.lines(paths, colours, widths)
    ink.layer().over(picture)
    return picture


def nodding(x: float, y: float, time: float, much: float = 1.0) -> np.ndarray:
    """Matrix (2, 3), design units, of somebody who sits at x, y and moves a little."""
    sway = shift(float(x + 14 * much * np.sin(TURN * time / 34)), float(y + 4 * much * np.sin(TURN * time / 21)))
    return chained(sway, rotation(float(0.06 * much * np.sin(TURN * time / 27 + 1))))
