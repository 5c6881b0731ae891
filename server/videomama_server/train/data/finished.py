"""Clips that are finished: plates with alphas that an artist, a renderer or a labelling made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from videomama_client.errors import BadInput

from videomama_server.datasets.clip import GroundTruthClip
from videomama_server.media import sequences
from videomama_server.train.data import drawn
from videomama_server.train.data.drawn import Drawn, Request

_SMALLEST = 0.5  # share of the largest crop that a crop may be, along a side


class FinishedClips:
    """Crops of clips with exact alphas; a crop keeps the aspect of pixels and lies still for the frames of a sample."""

    def __init__(self, clips: Sequence[GroundTruthClip]) -> None:
        """Take clips.

        Raises:
            BadInput: one has no alphas, or only masks of colours.
        """
        without = [clip.name for clip in clips if clip.truth is None]
        if without:
            raise BadInput(
                f"{without[0]} has no exact alphas", "Put them into a folder called truth beside its plates."
            )
        hard = [clip.name for clip in clips if clip.colour]
        if hard:
            raise BadInput(f"{hard[0]} has masks of colours, not alphas", "Name folders of clips with soft alphas.")
        self.clips = clips

    def __len__(self) -> int:
        """Return how many clips there are."""
        return len(self.clips)

    def draw(self, index: int, wanted: Request, rng: np.random.Generator) -> Drawn:
        """See `Source.draw`.

        Raises:
            BadInput: plate and alpha differ in size, or a file cannot be read.
        """
        clip = self.clips[index]
        assert clip.truth is not None  # checked above
        numbers = clip.numbers
        steps = drawn.there_and_back(len(numbers), int(rng.integers(len(numbers))), wanted.frames)
        chosen = [numbers[step] for step in steps]
        crop: tuple[slice, slice] | None = None
        plates, alphas = [], []
        for number in chosen:
            plate, alpha = drawn.read_display(clip.plate[number]), drawn.read_alpha(clip.truth[number])
            if plate.shape[:2] != alpha.shape:
                file = clip.truth[number]
                raise BadInput(f"{file} does not have the size of its plate", "Make the clip again.")
            crop = crop or _crop(alpha.shape, wanted, rng)
            plates.append(drawn.resized(plate[crop], wanted.size))
            alphas.append(drawn.resized(alpha[crop], wanted.size))
        return Drawn(f"{clip.name} {sequences.format_range(sorted(set(chosen)))}", np.stack(plates), np.stack(alphas))


def _crop(shape: tuple[int, ...], wanted: Request, rng: np.random.Generator) -> tuple[slice, slice]:
    """Draw a part of a picture of this shape that has the wanted aspect."""
    width, height = wanted.within(shape, rng.uniform(_SMALLEST, 1))
    x, y = int(rng.integers(shape[1] - width + 1)), int(rng.integers(shape[0] - height + 1))
    return slice(y, y + height), slice(x, x + width)
