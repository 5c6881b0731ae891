"""What a source gives a sample: some frames of plate and alpha, and how pictures of a data set are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from videomama_server.arrays import FloatArray
from videomama_server.media import color, frames, srgb
from videomama_server.train.data.shards import on_disk


@dataclass(frozen=True)
class Request:
    """What is wanted of a source: `frames` neighbouring frames of `width` x `height` pixels."""

    frames: int
    width: int
    height: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, as OpenCV wants them."""
        return self.width, self.height

    def within(self, shape: tuple[int, ...], share: float = 1.0) -> tuple[int, int]:
        """Return width and height of the largest part of a picture that has this aspect, or of a share of its sides.

        Args:
            shape: height and width of the picture.
            share: above 0, at most 1.
        """
        scale = min(shape[1] / self.width, shape[0] / self.height) * share
        return max(1, round(self.width * scale)), max(1, round(self.height * scale))


@dataclass(frozen=True)
class Drawn:
    """Frames of a clip, float32.

    Attributes:
        name: of the clip and its frames, for people.
        plate: (T, H, W, 3), display-referred sRGB, 0..1.
        alpha: (T, H, W), exact, 0..1.
    """

    name: str
    plate: FloatArray
    alpha: FloatArray


class Source(Protocol):
    """Where samples come from."""

    def __len__(self) -> int:
        """Return how many clips, or foregrounds, there are."""
        ...

    def draw(self, index: int, wanted: Request, rng: np.random.Generator) -> Drawn:
        """Return frames of the clip at `index`; equal states of `rng` give equal pixels."""
        ...


def there_and_back(count: int, start: int, wanted: int) -> list[int]:
    """Return `wanted` neighbouring indices from `start` on; at an end of the clip the way turns round."""
    if count == 1:
        return [0] * wanted
    period = 2 * (count - 1)
    steps = [(start + step) % period for step in range(wanted)]
    return [step if step < count else period - step for step in steps]


def read_display(path: Path) -> FloatArray:
    """Read a plate (H, W, 3), display-referred sRGB, 0..1; see `frames.read_plate` for errors."""
    with on_disk(path) as file:
        return color.displayed(frames.shown(frames.read_plate(file)))


def read_light(path: Path) -> FloatArray:
    """Read a plate (H, W, 3) as scene-linear Rec. 709, 0..1: what is brighter than white is cut."""
    return srgb.to_light(read_display(path))


def read_alpha(path: Path) -> FloatArray:
    """Read an alpha (H, W), 0..1; see `frames.read_mask` for errors."""
    with on_disk(path) as file:
        pixels = frames.shown(frames.read_mask(file)).pixels[..., 0]
    return np.clip(np.nan_to_num(pixels), 0, 1).astype(np.float32)


def has_alpha(path: Path) -> bool:
    """Whether a picture has an alpha channel; see `frames.probe` for errors."""
    with on_disk(path) as file:
        return any(channel.component == "a" for channel in frames.probe(file).channels)


def resized(picture: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Return a picture (H, W) or (H, W, C) at a width and height."""
    if picture.shape[1::-1] == size:
        return picture
    shrinks = size[0] < picture.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=method), np.float32)
