"""Paints a subject out of a plate with OpenCV's inpainting: a small remover without weights, for --then-run.

Each frame is painted by itself, so the filling flickers; it shows how a program takes plates and hole masks over.

    python inpaint.py PLATE HOLE_MASKS OUTPUT FRAMES
"""

import sys
from collections.abc import Iterator

import cv2
import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

RADIUS = 5  # pixels around a hole that are looked at


def frame_numbers(text: str) -> Iterator[int]:
    """Yield the frames of a range such as `1001-1010,1020` or `1001-1009x2`."""
    for part in text.split(","):
        span, _, step = part.partition("x")
        first, _, last = span.partition("-")
        yield from range(int(first), int(last or first) + 1, int(step or 1))


def path_of(pattern: str, frame: int) -> str:
    """Return the file of one frame of a pattern such as `plate.####.exr`."""
    digits = pattern.count("#")
    return pattern.replace("#" * digits, str(frame).zfill(digits))


def read(path: str) -> tuple[NDArray[np.float32], oiio.ImageSpec]:
    """Return the pixels (H, W, C) of a picture as float32, and what its header says."""
    source = oiio.ImageInput.open(path)
    if source is None:
        sys.exit(f"cannot read {path}: {oiio.geterror()}")
    pixels, spec = source.read_image("float"), source.spec()
    if pixels is None:
        sys.exit(f"cannot read {path}: {source.geterror()}")
    source.close()
    return np.asarray(pixels, np.float32).reshape(spec.height, spec.width, spec.nchannels), spec


def write(path: str, pixels: NDArray[np.float32], spec: oiio.ImageSpec) -> None:
    """Write pixels under another name, with the header of the picture that they come from."""
    out = oiio.ImageOutput.create(path)
    if out is None or not out.open(path, spec) or not out.write_image(pixels):
        sys.exit(f"cannot write {path}: {oiio.geterror()}")
    out.close()


def filled(plate: NDArray[np.float32], hole: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return a plate (H, W, C) whose hole (H, W) is painted over, with values between the least and the most around it.

    OpenCV paints 16-bit pixels. All pixels outside the hole stay as they are, whatever their range.
    """
    painted = plate.copy()
    if hole.all() or not hole.any():
        return painted
    for channel in range(plate.shape[2]):
        values = plate[..., channel]
        low, high = values[~hole].min(), values[~hole].max()
        scale = 65535 / (high - low) if high > low else 0.0
        whole = np.where(hole, 0, (values - low) * scale).astype(np.uint16)
        filling = cv2.inpaint(whole, hole.astype(np.uint8), RADIUS, cv2.INPAINT_TELEA)
        painted[..., channel][hole] = low + filling[hole] / scale if scale else low
    return painted


def main() -> None:
    """Paint the frames that the command line names."""
    plates, holes, output, frames = sys.argv[1:]
    for frame in frame_numbers(frames):
        plate, spec = read(path_of(plates, frame))
        hole, _ = read(path_of(holes, frame))
        write(path_of(output, frame), filled(plate, hole[..., 0] > 0.5), spec)


if __name__ == "__main__":
    main()
