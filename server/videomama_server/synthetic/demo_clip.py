"""The demo clip: renders each frame's plate, exact alpha and rough mask, and writes them as numbered EXRs."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from videomama_server.arrays import FloatArray
from videomama_server.media import frames
from videomama_server.synthetic.paint.backdrop import backdrop
from videomama_server.synthetic.paint.canvas import Stage, blurred
from videomama_server.synthetic.paint.hair import hair_mass, loose_strands
from videomama_server.synthetic.paint.subject import pose, torso, waving_arm
from videomama_server.synthetic.paint.veil import veil
from videomama_server.synthetic.rough_mask import rough_mask

_GRAIN = 1  # key of the random stream of one frame's grain
_ROTO = 2  # and of its mask


@dataclass(frozen=True)
class ClipShape:
    """What makes one demo clip: size in pixels, number of frames, number of the first one, and the random seed."""

    width: int = 960
    height: int = 540
    frames: int = 24
    first: int = 1001
    seed: int = 7

    @property
    def numbers(self) -> range:
        """The frame numbers."""
        return range(self.first, self.first + self.frames)


@dataclass(frozen=True)
class DemoFrame:
    """One frame, float32; colour is scene-linear with Rec. 709 primaries, and the plate is foreground over backdrop.

    Attributes:
        plate: (H, W, 3), with grain; highlights pass 1.0, the grain may dip below 0.
        alpha: (H, W), 0..1, exact.
        foreground: (H, W, 3), straight (not premultiplied), without grain; 0 where alpha is 0.
        mask: (H, W), 0 or 1, rough.
    """

    plate: FloatArray
    alpha: FloatArray
    foreground: FloatArray
    mask: FloatArray


def render_frame(shape: ClipShape, number: int) -> DemoFrame:
    """Render one frame on its own; the same bits for the same shape and frame number."""
    stage = Stage(shape.width, shape.height, shape.seed)
    time = float(number - shape.first)
    subject = np.zeros((shape.height, shape.width, 4), np.float32)
    moved = pose(stage, time)
    for layer in (
        torso(stage, moved),
        waving_arm(stage, moved, time),
        veil(stage, moved, time),
        hair_mass(stage, moved, time),
        loose_strands(stage, moved, time),
    ):
        layer.over(subject)
    alpha = np.clip(subject[..., 3], 0, 1)
    cover = alpha[..., None]
    foreground = np.asarray(subject[..., :3] / np.maximum(cover, 1e-6), np.float32)
    plate = np.asarray(foreground * cover + backdrop(stage, time) * (1 - cover), np.float32)
    plate += _grain(plate, stage.generator(number, _GRAIN))
    return DemoFrame(plate, alpha, foreground, rough_mask(alpha, stage.generator(number, _ROTO)))


def _grain(plate: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Film grain (H, W, 3): a little wider than a pixel, a little stronger in the bright, different per channel."""
    noise = rng.standard_normal(plate.shape, dtype=np.float32)
    strength = 0.002 + 0.022 * np.sqrt(np.clip(plate, 0, 1))
    return np.asarray(blurred(noise, 0.6) * strength, np.float32)


@dataclass(frozen=True)
class DemoClip:
    """Where a written clip is: printf patterns of its pictures, and the frame numbers that exist."""

    plate: Path
    mask: Path
    truth: Path
    numbers: range

    def at(self, pattern: Path, number: int) -> Path:
        """Return the picture of one frame of one of the patterns."""
        return pattern.with_name(pattern.name % number)


def write_clip(folder: Path, shape: ClipShape) -> DemoClip:
    """Render a whole clip into `folder`, made if need be; pictures of an earlier one are replaced.

    Writes plate.####.exr (half R, G, B), mask.####.exr (half A) and truth.####.exr (float A).

    Raises:
        NotPermitted: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clip = DemoClip(folder / "plate.%04d.exr", folder / "mask.%04d.exr", folder / "truth.%04d.exr", shape.numbers)

    def write(number: int) -> None:
        frame = render_frame(shape, number)
        frames.write_picture(clip.at(clip.plate, number), frame.plate)
        frames.write_picture(clip.at(clip.mask, number), frame.mask, channels=("A",))
        frames.write_picture(clip.at(clip.truth, number), frame.alpha, channels=("A",), dtype="float")

    render_frame(shape, shape.first)  # fills the caches once, so that no two threads paint the same layer
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        list(pool.map(write, shape.numbers))  # the list raises what a thread raised
    return clip
