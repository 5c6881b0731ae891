"""Reads DAVIS: plates, and a picture of colours per frame, in which each colour is the mask of one object."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from videomama_client.errors import BadInput

from videomama_server.datasets.clip import GroundTruthClip, Read, numbered
from videomama_server.datasets.detection import folders
from videomama_server.media import frames

_PLATES, _TRUTHS, _MADE = "JPEGImages", "Annotations", "Masks"
_SIZES = ("480p", "1080p", "Full-Resolution")
_GREY = ""  # the only object of a picture without colours


class Davis:
    """DAVIS 2016 and 2017, each object of the first frame as a clip of its own; its exact masks know no softness.

    `Masks/NAME/CLIP` has what a tracker made, in the same colours: that is our own addition.
    """

    name = "davis"
    data = "DAVIS"
    expects = "davis: DAVIS/{JPEGImages/480p/bear/00000.jpg, Annotations/480p/bear/00000.png, ImageSets/2017/val.txt}"

    def find(self, folder: Path) -> dict[str, Read]:
        """See `Layout.find`; where there are lists of a `val` set, only its clips are found."""
        if not all((folder / part).is_dir() for part in (_PLATES, _TRUTHS)):
            return {}
        plates, truths = (folder / part / _size(folder) for part in (_PLATES, _TRUTHS))
        listed = _listed(folder)
        found: dict[str, Read] = {}
        for place in folders(truths):
            if listed is None or place.name in listed:
                found |= self._objects(folder, plates / place.name, place)
        return found

    def _objects(self, root: Path, plates: Path, truths: Path) -> dict[str, Read]:
        """Return what reads each object of a clip; what is wrong with a clip is raised when it is read."""
        try:
            colours = _colours(numbered(truths)[1])
        except BadInput as error:
            return {truths.name: partial(_refused, error)}
        names = [f"{truths.name}/{at}" for at in range(1, 1 + len(colours))] if len(colours) > 1 else [truths.name]
        read = partial(self._read, root, plates, truths)
        return {name: partial(read, name, colour) for name, colour in zip(names, colours, strict=True)}

    def _read(self, root: Path, plates: Path, truths: Path, name: str, colour: str) -> GroundTruthClip:
        pattern, plate = numbered(plates)
        found = {one.name: one / truths.name for one in folders(root / _MADE)}
        made = {maker: numbered(place)[1] for maker, place in found.items() if place.is_dir()}
        truth = numbered(truths)[1]
        return GroundTruthClip(name, self.data, self.data, pattern, plate, truth, made=made, colour=colour)


def _refused(error: BadInput) -> GroundTruthClip:
    raise error


def _size(folder: Path) -> str:
    """Return the name of the size that plates and masks are both there in; empty where no folders are named so."""
    both = [name for name in _SIZES if all((folder / part / name).is_dir() for part in (_PLATES, _TRUTHS))]
    return both[0] if both else ""


def _listed(folder: Path) -> set[str] | None:
    """Return the names of the validation set; None where no list says which they are."""
    for year in ("2017", "2016"):
        path = folder / "ImageSets" / year / "val.txt"
        if path.is_file():
            return set(path.read_text(encoding="utf-8").split())
    return None


def _colours(truths: dict[int, Path]) -> list[str]:
    """Return the colours of the objects on the first frame, in the order of DAVIS' palette."""
    pixels = frames.read_plate(truths[min(truths)]).pixels
    values = np.unique(np.round(pixels * 255).astype(np.uint8).reshape(-1, pixels.shape[-1]), axis=0)
    if pixels.shape[-1] < 3 or (values == values[:, :1]).all():
        return [_GREY]
    objects = sorted((tuple(map(int, value[:3])) for value in values if value.any()), key=lambda rgb: rgb[::-1])
    return ["#{:02x}{:02x}{:02x}".format(*rgb) for rgb in objects]
