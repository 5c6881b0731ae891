"""The suite to develop on: painted silhouettes and several kinds of hair, with photographs on them and behind them.

Each clip is one of the difficulties that painted studios do not have. `suites.py` writes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from painted_behind import boards, streaks
from scipy.interpolate import PchipInterpolator
from stills import detail, spread, still
from videomama_server.synthetic.paint.canvas import Ink, Layer, Stage, blurred, lit, relief
from videomama_server.synthetic.paint.figure import Outfit, Pose, figure
from videomama_server.synthetic.paint.moving import chained, empty, exposed, in_pixels, moved, rotation, shift

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
Draw = Callable[[Stage, float], tuple[np.ndarray, np.ndarray]]  # subject (H, W, 4), premultiplied, and (H, W, 3) behind


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
        locks: of so many strands share a course.
        span: from which share of the head's half outline to which it grows, 0 at the crown.
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
    """

    outline: tuple[tuple[float, float], ...]
    hair: Hair
    skin: str
    cloth: str
    colours: tuple[tuple[float, float, float], tuple[float, float, float]]
    head: float = 48.0
    glow: float = 0.0
    light: float = 1.0


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
