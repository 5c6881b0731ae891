"""Backgrounds that mislead: advertising boards with letters, and water whose streaks look like hair."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from videomama_server.synthetic.paint.canvas import Stage, blurred, smooth_noise

WORDS = ("MIRA COLA", "NORDBANK", "open 24h", "TEXTIL & SOHN", "1987", "FASTLINE", "agora", "VELO")


def boards(stage: Stage, time: float) -> np.ndarray:
    """Return boards (H, W, 3), linear: two rows of letters over each other, lines, and a net, while the camera pans."""
    wide = _boards(stage)
    x = (wide.shape[1] - stage.width) * (0.5 + 0.45 * np.sin(2 * np.pi * time / 80))
    matrix = np.array([[1, 0, x], [0, 1, 0]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(wide, matrix, (stage.width, stage.height), flags=flags), np.float32)


@lru_cache(maxsize=2)
def _boards(stage: Stage) -> np.ndarray:
    rng, scale = stage.generator(90), stage.scale
    picture = np.full((stage.height, round(stage.width * 1.4), 3), (0.03, 0.05, 0.09), np.float32)
    for row, (top, tall) in enumerate(((60, 110), (190, 90), (300, 120))):
        x = -rng.uniform(0, 80)
        while x < picture.shape[1] / scale:
            wide = rng.uniform(190, 320)
            tone = rng.uniform(0.02, 0.7) * np.clip(rng.random(3) + 0.15, 0, 1)
            corners = [(round(a * scale), round(b * scale)) for a, b in ((x, top), (x + wide, top + tall))]
            cv2.rectangle(picture, *corners, tone.tolist(), -1)
            written = np.zeros(picture.shape[:2], np.uint8)  # OpenCV writes into 8 bits only
            place = (round((x + 8) * scale), round((top + 0.72 * tall) * scale))
            size, thick = (1.5 + 0.3 * row) * scale, max(1, round((4 + 2 * row) * scale))
            word = WORDS[int(rng.integers(len(WORDS)))]
            cv2.putText(written, word, place, cv2.FONT_HERSHEY_DUPLEX, size, 255, thick, cv2.LINE_AA)
            letters = (written / np.float32(255))[..., None]
            picture = picture * (1 - letters) + np.float32(0.9 if tone.mean() < 0.2 else 0.02) * letters
            x += wide + 6
    for y in range(430, 540, 9):  # a net
        cv2.line(picture, (0, round(y * scale)), (picture.shape[1], round(y * scale)), (0.5, 0.5, 0.5), 1, cv2.LINE_AA)
    for x in np.arange(0, picture.shape[1], 9 * scale):
        cv2.line(picture, (round(x), round(430 * scale)), (round(x), stage.height), (0.5, 0.5, 0.5), 1, cv2.LINE_AA)
    return blurred(picture, 0.6 * scale)


def streaks(stage: Stage, time: float) -> np.ndarray:
    """Return water (H, W, 3), linear: long, thin lights and shadows that run on and slide past each other."""
    rng = stage.generator(91)
    size, scale = (stage.height, stage.width), stage.scale
    total = np.zeros(size, np.float32)
    for layer, (thin, long) in enumerate(((2.0, 90), (3.5, 160), (7.0, 240))):
        field = smooth_noise(rng, (size[0], size[1] + round(400 * scale)), (thin * scale, long * scale))
        along = round((200 + (60 + 30 * layer) * np.sin(2 * np.pi * time / 70 + layer)) * scale)
        total += field[:, along : along + size[1]]
    bend = 10 * scale * smooth_noise(rng, size, (80 * scale, 160 * scale))
    x, y = np.meshgrid(np.arange(size[1], dtype=np.float32), np.arange(size[0], dtype=np.float32))
    total = cv2.remap(total, x, (y + bend).astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    light = np.clip(0.5 + 0.4 * total, 0, 1.6)[..., None] ** 2.2
    return np.asarray(np.array([0.03, 0.05, 0.06]) + light * np.array([0.34, 0.38, 0.40]), np.float32)
