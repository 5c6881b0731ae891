"""Renders one frame of one clip of the suite: plate, exact alpha, exact foreground, each frame on its own."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from videomama_client.errors import BadInput
from videomama_client.wording import counted

from videomama_server.arrays import FloatArray
from videomama_server.synthetic.kinds import KINDS
from videomama_server.synthetic.paint.backgrounds import BACKGROUNDS, background
from videomama_server.synthetic.paint.canvas import Stage, blurred

MIN_FRAMES, MAX_FRAMES = 24, 64
MIN_SIDE = 64
_LEAST = 1e-5  # coverage that counts
_GRAIN = 70  # key of the random stream of one frame's grain


@dataclass(frozen=True)
class ClipSpec:
    """All that decides the pixels of one clip; equal values give equal bits.

    Raises:
        BadInput: there is no such kind or background, or the picture is too small to show it.
    """

    kind: str
    background: str
    width: int = 960
    height: int = 540
    frames: int = 24
    first: int = 1001
    seed: int = 1

    def __post_init__(self) -> None:
        for word, known, what in ((self.kind, KINDS, "kind"), (self.background, BACKGROUNDS, "background")):
            if word not in known:
                raise BadInput(f"there is no {what} called {word!r}", f"There are: {', '.join(known)}.")
        if min(self.width, self.height) < MIN_SIDE or self.frames < 1:
            raise BadInput(
                f"{counted(self.frames, 'frame')} of {self.width}x{self.height} are too few or too small",
                f"Ask for a frame at least, and for {MIN_SIDE} pixels a side.",
            )

    @property
    def name(self) -> str:
        """Name of the clip and of its folder."""
        return f"{self.kind}_{self.background}"

    @property
    def numbers(self) -> range:
        """The frame numbers."""
        return range(self.first, self.first + self.frames)

    @property
    def stage(self) -> Stage:
        """What the clip is painted on; its seed differs by kind, so that no two kinds have the same painting behind."""
        return Stage(self.width, self.height, self.seed * 65_536 + zlib.crc32(self.kind.encode()) % 65_536)


@dataclass(frozen=True)
class ClipFrame:
    """One frame, float32, scene-linear Rec. 709: `clean` is foreground x alpha + behind x (1 - alpha), exactly.

    Attributes:
        plate: (H, W, 3), `clean` with grain; highlights pass 1.0, the grain may dip below 0.
        alpha: (H, W), 0..1, of the subject as far as nobody hides it.
        foreground: (H, W, 3), straight (not premultiplied), without grain; 0 where alpha is 0.
        behind: (H, W, 3), what the subject is composited over.
        clean: (H, W, 3).
    """

    plate: FloatArray
    alpha: FloatArray
    foreground: FloatArray
    behind: FloatArray
    clean: FloatArray


def render_frame(spec: ClipSpec, number: int) -> ClipFrame:
    """Render one frame; the same bits whichever other frames are rendered, and however long the clip is."""
    stage, time, kind = spec.stage, float(number - spec.first), KINDS[spec.kind]
    view = kind.paint(stage, time, background(spec.background, stage, time))
    alpha = _snapped(view.subject[..., 3])
    foreground = np.asarray(view.subject[..., :3] / np.maximum(alpha, _LEAST)[..., None], np.float32)
    behind = view.behind
    if view.front is not None:
        alpha, behind = _hidden(alpha, behind, view.front)
    cover = alpha[..., None]
    foreground = np.asarray(np.where(cover > 0, foreground * kind.exposure, 0), np.float32)
    behind = np.asarray(behind * kind.exposure, np.float32)
    clean = np.asarray(foreground * cover + behind * (1 - cover), np.float32)
    plate = clean + _grain(clean, kind.grain, stage.generator(number, _GRAIN))
    return ClipFrame(plate, alpha, foreground, behind, clean)


def _snapped(alpha: FloatArray) -> FloatArray:
    """Make what is 0 or 1 but for rounding exactly that."""
    inside = np.where(alpha > 1 - _LEAST, 1, alpha)
    return np.asarray(np.where(alpha < _LEAST, 0, inside), np.float32)


def _hidden(alpha: FloatArray, behind: FloatArray, front: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What is seen of a subject that stands behind `front`, and what it then is composited over.

    With b = behind, s = subject, f = front: f over s over b is s.a (1 - f.a) of the subject's colour, and the rest of
    the light comes from the other two. Dividing that rest by 1 - alpha makes it a background.
    """
    seen = _snapped(alpha * (1 - front[..., 3]))
    light = front[..., :3] + behind * ((1 - front[..., 3]) * (1 - alpha))[..., None]
    other = np.where(seen[..., None] < 1, light / np.maximum(1 - seen, _LEAST)[..., None], 0)
    return seen, np.asarray(other, np.float32)


def _grain(clean: FloatArray, strength: float, rng: np.random.Generator) -> FloatArray:
    """Film grain (H, W, 3): a little wider than a pixel, stronger in the bright, different per channel."""
    noise = rng.standard_normal(clean.shape, dtype=np.float32)
    size = np.float32(strength) * (0.002 + 0.018 * np.sqrt(np.clip(clean, 0, 1)))
    return np.asarray(blurred(noise, 0.6) * size, np.float32)


def comped(foreground: FloatArray, alpha: FloatArray, colour: FloatArray) -> FloatArray:
    """Composite a straight foreground (H, W, 3) by an alpha (H, W) over one linear colour (3,)."""
    cover = alpha[..., None]
    return np.asarray(foreground * cover + colour * (1 - cover), np.float32)
