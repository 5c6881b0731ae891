"""Draws the pictures of docs/masks.md: the prompts on frames of the generated clip, and how a clip is walked.

.venv/bin/python bench/prompt_pictures.py docs/images
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from videomama_server.media.frames import write_picture
from videomama_server.media.srgb import to_display
from videomama_server.synthetic.demo_clip import ClipShape, render_frame

SIZE = (640, 360)
YES, NO, BOX, PAINT = (51, 230, 77), (242, 64, 51), (255, 204, 51), (51, 153, 255)
WHITE, INK, GREY = (255, 255, 255), (30, 30, 36), (90, 90, 102)


def plate_and_alpha(number: int) -> tuple[np.ndarray, np.ndarray]:
    frame = render_frame(ClipShape(), number)
    plate = cv2.resize(to_display(np.clip(frame.plate, 0, 1)), SIZE, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(np.clip(plate * 255, 0, 255), np.uint8), cv2.resize(
        frame.alpha, SIZE, interpolation=cv2.INTER_AREA
    )


def caption(picture: np.ndarray, text: str) -> np.ndarray:
    bar = np.full((40, picture.shape[1], 3), INK, np.uint8)
    cv2.putText(bar, text, (12, 27), cv2.FONT_HERSHEY_SIMPLEX, 0.6, WHITE, 1, cv2.LINE_AA)
    return np.vstack([picture, bar])


def prompts() -> np.ndarray:
    """Return clicks, a box and a key mask on the same frame."""
    plate, alpha = plate_and_alpha(ClipShape().first)
    down, across = np.nonzero(alpha > 0.9)
    middle = int(across.mean()), int(down.mean())
    clicks, box, paint = plate.copy(), plate.copy(), plate.copy()
    cv2.circle(clicks, middle, 9, YES, -1, cv2.LINE_AA)
    cv2.circle(clicks, (30, 30), 9, NO, -1, cv2.LINE_AA)
    cv2.rectangle(box, (int(across.min()), int(down.min())), (int(across.max()), int(down.max())), BOX, 3)
    inside = alpha > 0.5
    paint[inside] = paint[inside] // 2 + np.array(PAINT, np.uint8) // 2
    return np.hstack([caption(clicks, "--click"), caption(box, "--box"), caption(paint, "--key-mask")])


def walks() -> np.ndarray:
    """Return a clip of twelve frames with prompts on two, and how both are followed in both directions."""
    sheet = np.full((210, 1240, 3), INK, np.uint8)
    xs = [50 + 104 * at for at in range(12)]
    for at, x in enumerate(xs):
        prompted = at in (3, 8)
        cv2.rectangle(sheet, (x - 38, 75), (x + 38, 125), YES if prompted else GREY, 3 if prompted else 1)
        cv2.putText(sheet, str(1001 + at), (x - 24, 106), cv2.FONT_HERSHEY_SIMPLEX, 0.55, WHITE, 1, cv2.LINE_AA)
    for begin, end in ((3, 7), (8, 11)):
        cv2.arrowedLine(sheet, (xs[begin], 50), (xs[end] + 38, 50), BOX, 2, cv2.LINE_AA, 0, 0.04)
    for begin, end in ((3, 0), (8, 4)):
        cv2.arrowedLine(sheet, (xs[begin], 150), (xs[end] - 38, 150), PAINT, 2, cv2.LINE_AA, 0, 0.04)
    for text, y, colour in (("forward from each frame with prompts", 30, BOX), ("backward", 180, PAINT)):
        cv2.putText(sheet, text, (12, y), cv2.FONT_HERSHEY_SIMPLEX, 0.55, colour, 1, cv2.LINE_AA)
    return sheet


def main(folder: Path) -> None:
    for name, picture in (("prompts", prompts()), ("walks", walks())):
        write_picture(folder / f"{name}.png", (picture / np.float32(255)).astype(np.float32), dtype="uint8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
