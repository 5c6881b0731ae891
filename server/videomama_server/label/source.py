"""Writes what a label is made from: plates and masks of its frames, in the layout that training reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from videomama_client.errors import BadInput, placed
from videomama_client.messages import MASK, PLATE

from videomama_server.arrays import BoolArray
from videomama_server.datasets.annotated import AnnotatedClip, ReadMask
from videomama_server.files import file_copies
from videomama_server.media import sequences
from videomama_server.media.frames import write_picture
from videomama_server.media.movie_frame import in_movie

_PAIR = 2  # of frames that are no neighbours: nothing says that they are a clip


@dataclass(frozen=True)
class Span:
    """The frames of a label.

    Attributes:
        frames: ascending, equally far apart; empty where no annotation shows the object.
        shown: annotated frames among them whose mask is not empty.
        absent: annotated frames among them whose mask is empty.
    """

    frames: list[int]
    shown: list[int]
    absent: list[int]

    @property
    def unfit(self) -> str:
        """Why no label can be made of these frames; empty where one can."""
        if not self.frames:
            return "empty: no mask shows the object"
        is_clip = len(self.frames) > _PAIR or sequences.even_step(self.frames)
        return "" if is_clip else "short: two masks apart from each other, and no engine that makes those between"

    @property
    def has_gaps(self) -> bool:
        """Whether masks are to be made."""
        return len(self.frames) > len(self.shown) + len(self.absent)


def span_of(clip: AnnotatedClip, name: str, is_made: bool) -> Span:
    """Return the frames of one object's label, from the first annotation that shows it to the last.

    Args:
        clip: with its masks.
        name: of the object.
        is_made: whether an engine makes the masks between annotated frames; else these alone are labelled.

    Raises:
        BadInput: a mask cannot be read, or annotated frames are not equally far apart and no engine is named.
    """
    masks = clip.objects[name]
    shown = [number for number in sorted(masks) if read(masks, number).any()]
    if not shown:
        return Span([], [], [])
    annotated = [number for number in sorted(masks) if shown[0] <= number <= shown[-1]]
    absent = sorted(set(annotated) - set(shown))
    if is_made:
        return Span([number for number in sorted(clip.plate) if shown[0] <= number <= shown[-1]], shown, absent)
    if len(annotated) > _PAIR and not sequences.even_step(annotated):
        raise BadInput(
            f"the masks of {clip.name}, {name}, are not equally far apart: {sequences.format_range(annotated)}",
            "Name an engine with --maker, which makes the masks between them.",
        )
    return Span(annotated, shown, absent)


def read(masks: Mapping[int, ReadMask], number: int) -> BoolArray:
    """Return the mask (H, W) of a frame; what is wrong with it names the frame."""
    with placed(MASK, number):
        return masks[number]()


def write_plates(clip: AnnotatedClip, numbers: list[int], folder: Path) -> Path:
    """Write the plates of some frames into `folder`, made if need be, and return their pattern.

    Pictures of a movie become EXR of half floats; files are copied.

    Raises:
        BadInput, NotPermitted: a picture cannot be read.
        OSError: the disk is full or failing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    suffix = ".exr" if in_movie(clip.plate[numbers[0]]) else clip.plate[numbers[0]].suffix.lower()
    pattern = folder / f"plate.####{suffix}"
    for number in numbers:
        with placed(PLATE, number, clip.plate[number]):
            _write_plate(clip.plate[number], sequences.parse(str(pattern)).path(number))
    return pattern


def write_masks(masks: Mapping[int, ReadMask], numbers: list[int], folder: Path) -> Path:
    """Write the masks of some frames into `folder`, made if need be, and return their pattern; raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    pattern = folder / "mask.####.png"
    for number in numbers:
        mask = np.asarray(read(masks, number), np.float32)
        write_picture(sequences.parse(str(pattern)).path(number), mask, ("Y",), "uint8")
    return pattern


def _write_plate(plate: Path, target: Path) -> None:
    if in_movie(plate):
        from videomama_server.media.movies.extraction import extract  # needs the extra `movies`

        extract(plate, target, "half")
    else:
        file_copies.copy(plate, target)
