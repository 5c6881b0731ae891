"""Foregrounds over backgrounds, made while training runs: in linear light, moving, and seen through a camera."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from videomama_client.errors import BadInput

from videomama_server.arrays import FloatArray
from videomama_server.media import srgb
from videomama_server.media.reduction import averaged, reduced_size
from videomama_server.train.data import drawn
from videomama_server.train.data.camera import Camera, out_of_focus
from videomama_server.train.data.drawn import Drawn, Request
from videomama_server.train.data.foregrounds import Foreground
from videomama_server.train.data.motion import Trajectory

_TRIES = 10
_LEAST = 0.005  # share of the first frame that the subject must cover
_ANOTHER = 0.2  # share of samples in which another foreground stands behind the subject


class Composites:
    """Foregrounds, each before a background that is drawn for the sample, and each time at another place."""

    def __init__(self, foregrounds: Sequence[Foreground], backgrounds: Sequence[tuple[Path, ...]]) -> None:
        """Composite `foregrounds` over `backgrounds`, as `foregrounds.find_backgrounds` finds them."""
        self.foregrounds, self.backgrounds = foregrounds, backgrounds

    def __len__(self) -> int:
        """Return how many foregrounds there are."""
        return len(self.foregrounds)

    def draw(self, index: int, wanted: Request, rng: np.random.Generator) -> Drawn:
        """See `Source.draw`.

        Raises:
            BadInput: the subject has no pixels, or a file cannot be read.
        """
        subject = self.foregrounds[index]
        camera = Camera.draw(rng, wanted.height)
        layers = self._subject(subject, wanted, camera, rng)
        behind = self._behind(wanted, camera, rng)
        alpha = layers[..., 3]
        light = layers[..., :3] + behind * (1 - alpha[..., None])
        plate = np.stack([camera.recorded(srgb.to_display(np.clip(frame, 0, 1)), rng) for frame in light])
        return Drawn(subject.name, plate, np.clip(alpha, 0, 1).astype(np.float32))

    def _subject(self, one: Foreground, wanted: Request, camera: Camera, rng: np.random.Generator) -> FloatArray:
        """Return a foreground (T, H, W, 4), multiplied by alpha, at a place where something of it is seen."""
        for _ in range(_TRIES):
            layers = _moving(one, wanted, camera, rng)
            if layers[0, ..., 3].mean() >= _LEAST:
                return layers
        raise BadInput(f"{one.name} cannot be seen: its alpha is empty", "Remove it from the data set.")

    def _behind(self, wanted: Request, camera: Camera, rng: np.random.Generator) -> FloatArray:
        """Return backgrounds (T, H, W, 3), linear, some with another foreground before them."""
        clip = self.backgrounds[int(rng.integers(len(self.backgrounds)))]
        steps = drawn.there_and_back(len(clip), int(rng.integers(len(clip))), wanted.frames)
        light = np.stack(
            [out_of_focus(_filling(drawn.read_light(clip[step]), wanted), camera.behind) for step in steps]
        )
        if rng.random() >= _ANOTHER:
            return light
        another = _moving(self.foregrounds[int(rng.integers(len(self)))], wanted, camera, rng)
        return np.asarray(another[..., :3] + light * (1 - another[..., 3:]), np.float32)


def _moving(one: Foreground, wanted: Request, camera: Camera, rng: np.random.Generator) -> FloatArray:
    """Return a foreground's frames (T, H, W, 4), multiplied by alpha; stills are moved, clips move by themselves."""
    still = len(one.colour) == 1
    path = Trajectory.draw(rng, moves=still)
    steps = drawn.there_and_back(len(one.colour), int(rng.integers(len(one.colour))), wanted.frames)
    read = {step: _multiplied(*one.read(step)) for step in set(steps)}
    frames = []
    for frame, step in enumerate(steps):
        instants = camera.instants(frame) if still else [float(frame)]  # a clip brings its own blur
        seen = [_placed(read[step], path.matrix(time, read[step].shape[:2], wanted), wanted) for time in instants]
        frames.append(out_of_focus(np.mean(seen, axis=0, dtype=np.float32), camera.defocus))
    return np.stack(frames)


def _multiplied(colour: FloatArray, alpha: FloatArray) -> FloatArray:
    return np.asarray(np.dstack([colour * alpha[..., None], alpha]), np.float32)


def _placed(layer: FloatArray, matrix: FloatArray, wanted: Request) -> FloatArray:
    """Warp a layer (h, w, 4) into the picture; one that shrinks much is reduced first, or thin parts would break up."""
    shrink = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if shrink < 0.5:
        height, width = layer.shape[:2]
        layer = averaged(layer, reduced_size((height, width), 2 * shrink))
        back = np.array([[width / layer.shape[1], 0], [0, height / layer.shape[0]]], np.float32)
        matrix = np.column_stack([matrix[:, :2] @ back, matrix[:, 2]])
    return np.asarray(cv2.warpAffine(layer, matrix, wanted.size, flags=cv2.INTER_LINEAR), np.float32)


def _filling(picture: FloatArray, wanted: Request) -> FloatArray:
    """Return the middle of a picture, as much as has the wanted aspect."""
    width, height = wanted.within(picture.shape)
    x, y = (picture.shape[1] - width) // 2, (picture.shape[0] - height) // 2
    return drawn.resized(picture[y : y + height, x : x + width], wanted.size)
