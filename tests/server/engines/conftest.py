"""A small scene with a known alpha for the tests of the classic engine."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from videomama_server.media.srgb import to_display


@dataclass(frozen=True)
class Scene:
    plate: np.ndarray  # (H, W, 3), display-referred
    mask: np.ndarray  # (H, W), 0 or 1, a few pixels off
    alpha: np.ndarray  # (H, W), exact


def make_scene(seed=0, height=120, width=160, grain=0.004):
    """Return a soft green disc with spokes, mixed over a reddish wall in linear light."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    radius = np.hypot(x - width / 2, y - height / 2)
    disc = np.clip((height * 0.26 - radius) / 3 + 0.5, 0, 1)
    spokes = np.zeros((height, width), np.uint8)
    middle = np.array([width / 2, height / 2])
    for angle in np.linspace(0, 2 * np.pi, 24, endpoint=False):
        ray = np.array([np.cos(angle), np.sin(angle)])
        ends = [tuple(int(v) for v in (middle + ray * height * reach) * 16) for reach in (0.2, 0.33)]
        cv2.line(spokes, ends[0], ends[1], 255, 1, cv2.LINE_AA, 4)
    alpha = np.maximum(disc, spokes.astype(np.float32) / 255).astype(np.float32)
    wall = _texture(rng, height, width) * np.float32([0.5, 0.2, 0.15]) + 0.05
    cloth = _texture(rng, height, width) * np.float32([0.05, 0.25, 0.1]) + 0.02
    light = cloth * alpha[..., None] + wall * (1 - alpha[..., None])
    plate = to_display(np.clip(light, 0, 1)) + rng.normal(0, grain, light.shape)
    mask = (np.hypot(x - width / 2 - 2, y - height / 2 + 1) < height * 0.25).astype(np.float32)
    return Scene(np.clip(plate, 0, 1).astype(np.float32), mask, alpha)


def _texture(rng, height, width):
    coarse = rng.random((height // 12 + 2, width // 12 + 2)).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)[..., None]


@pytest.fixture(scope="session")
def scene():
    return make_scene()


@pytest.fixture
def scene_maker():
    return make_scene


@pytest.fixture(scope="session")
def gravel():
    """A disc of gravel before the same gravel, with a mask that is exact."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:160, :200].astype(np.float32)
    stones, ground = (cv2.GaussianBlur(rng.random((160, 200, 1), np.float32), (0, 0), 1.2) for _ in range(2))
    alpha = np.clip(50.3 - np.hypot(x - 98.6, y - 81.2), 0, 1)
    light = stones[..., None] * alpha[..., None] + ground[..., None] * (1 - alpha[..., None])
    spread = (light - light.mean()) / light.std() * 0.12 + 0.3
    plate = to_display(np.clip(spread, 0, 1).astype(np.float32)) * np.ones(3, np.float32)
    return Scene(np.ascontiguousarray(plate, np.float32), (alpha >= 0.5).astype(np.float32), alpha)
