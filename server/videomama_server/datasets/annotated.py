"""Clips with masks of several objects, perhaps on some frames alone; what labels are made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from videomama_client.errors import BadInput

from videomama_server.arrays import BoolArray
from videomama_server.datasets.clip import Files
from videomama_server.media import sequences

ReadMask = Callable[[], BoolArray]


@dataclass(frozen=True)
class AnnotatedClip:
    """A clip with masks.

    Attributes:
        name: unique in its data set; words divided by slashes.
        data: name of the data set's layout.
        plate: its files, or pictures of a movie.
        objects: by name, what reads the mask (H, W) of each annotated frame; a mask may be empty.
        sources: the files or folders that it was read from.
    """

    name: str
    data: str
    plate: Files
    objects: Mapping[str, Mapping[int, ReadMask]]
    sources: tuple[Path, ...]

    def __post_init__(self) -> None:
        if not self.objects:
            raise BadInput(f"{self.name} has no masks", "Copy the clip again.")
        for masks in self.objects.values():
            without = sorted(set(masks) - set(self.plate))
            if without:
                listed = sequences.format_range(without)
                raise BadInput(f"{self.name} has masks without plate on frames {listed}", "Copy the clip again.")
