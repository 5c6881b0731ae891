"""A clip whose alpha is right, made of arrays, and faults to plant in it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from videomama_server.media import frames
from videomama_server.qc import files
from videomama_server.qc.flags import judge
from videomama_server.qc.scores import Gauge, with_seams

HEIGHT, WIDTH = 180, 320
FIRST, COUNT = 1001, 16


@dataclass
class ArrayClip:
    """Plates (H, W, 3), masks and alphas (H, W) by frame number; a test spoils what it likes."""

    plate: dict[int, np.ndarray]
    mask: dict[int, np.ndarray]
    alpha: dict[int, np.ndarray]

    @property
    def numbers(self):
        return sorted(self.alpha)

    def scores(self):
        gauge = Gauge()
        return with_seams([gauge.add(n, self.plate[n], self.mask[n], self.alpha[n]) for n in self.numbers])

    def flags(self):
        """What is flagged: frames by kind."""
        return {flag.kind: flag.frame_numbers for flag in judge(self.scores())}


def texture(seed, shape):
    noise = np.random.default_rng(seed).random((*shape, 3), dtype=np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 1, cv2.NORM_MINMAX)


def blob(x, y, wobble=0.0):
    """How far (H, W) each pixel lies inside a head on shoulders, in pixels."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    head = 38 + wobble - np.hypot(columns - x, rows - y)
    shoulders = 45 + wobble - np.hypot((columns - x) / 1.4, rows - y - 95)
    return np.maximum(head, shoulders)


def right_clip(count=COUNT, speed=2.0, seed=3):
    """A textured subject that moves over a textured background; masks are hard and err by a pixel or two."""
    rng = np.random.default_rng(seed)
    behind, own = texture(seed, (HEIGHT, WIDTH)), texture(seed + 1, (HEIGHT, WIDTH + 200))
    clip = ArrayClip({}, {}, {})
    for index in range(count):
        x = 120 + speed * index
        alpha = np.clip(blob(x, 70) / 5 + 0.5, 0, 1).astype(np.float32)
        cover = alpha[..., None]
        shift = np.float32([[1, 0, speed * index - 40], [0, 1, 0]])
        front = cv2.warpAffine(own, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
        grain = rng.normal(0, 0.01, (HEIGHT, WIDTH, 3))
        clip.plate[FIRST + index] = np.clip(front * cover + behind * (1 - cover) + grain, 0, 1).astype(np.float32)
        clip.mask[FIRST + index] = (blob(x + rng.normal(0, 1), 70, rng.normal(0, 1)) > 0).astype(np.float32)
        clip.alpha[FIRST + index] = alpha
    return clip


@pytest.fixture
def clip():
    return right_clip()


@pytest.fixture
def make_clip():
    """Make a clip of another length or speed: `make_clip(count=1)`."""
    return right_clip


@pytest.fixture
def written(tmp_path):
    """Write a clip as files: `written(clip)` returns the patterns of plate, mask and alpha."""

    def write(clip):
        for number in clip.numbers:
            frames.write_picture(tmp_path / f"plate.{number}.png", clip.plate[number], dtype="uint16")
            frames.write_picture(tmp_path / f"mask.{number}.exr", clip.mask[number], ("A",))
            frames.write_picture(tmp_path / f"alpha.{number}.exr", clip.alpha[number], ("A",), "float")
        return tuple(str(tmp_path / f"{role}.####.{end}") for role, end in zip(ROLES, ENDINGS, strict=True))

    return write


ROLES, ENDINGS = ("plate", "mask", "alpha"), ("png", "exr", "exr")


@pytest.fixture
def fail_on(monkeypatch):
    """Make the measuring of some frames fail, as they are looked at or later: `fail_on("glimpse", 1003)`."""

    def fail(where, *numbers):
        real_sight, real_take = files.sight, Gauge.take

        def sight(frame, seen, alpha):
            if where == "glimpse" and frame in numbers:
                raise ValueError("shapes")
            return real_sight(frame, seen, alpha)

        def take(gauge, now):
            if where == "gauge" and now.frame in numbers:
                raise ValueError("shapes")
            return real_take(gauge, now)

        monkeypatch.setattr(files, "sight", sight)
        monkeypatch.setattr(Gauge, "take", take)

    return fail
