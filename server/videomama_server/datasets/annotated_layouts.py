"""Finds clips with masks in the layouts of SA-V, DAVIS and YouTube-VOS, and in plain folders; which one it is, too."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from videomama_client.errors import BadInput

from videomama_server.arrays import BoolArray
from videomama_server.datasets import rle
from videomama_server.datasets.annotated import AnnotatedClip, ReadMask
from videomama_server.datasets.clip import PICTURES, numbered
from videomama_server.datasets.detection import Layout, detect, folders
from videomama_server.media import frames, sequences

Read = Callable[[], AnnotatedClip]
_HALF = 0.5
_EVERY = 4  # SA-V: pictures of a movie from one annotation to the next, 6 a second of 24
_KINDS = ("manual", "auto")  # of SA-V's annotations


class SavMovies:
    """SA-V as it is published for training: movies, and JSON files of run lengths beside them."""

    name = "sa-v"
    expects = "sa-v: sav_000/{sav_000001.mp4, sav_000001_manual.json, sav_000001_auto.json}"

    def find(self, folder: Path) -> dict[str, Read]:
        """See `Layout.find`."""
        found: dict[str, Read] = {}
        for movie in sorted(folder.rglob("*.mp4")):
            noted = {kind: movie.with_name(f"{movie.stem}_{kind}.json") for kind in _KINDS}
            there = {kind: path for kind, path in noted.items() if path.is_file()}
            if there:
                whole = movie.relative_to(folder).with_suffix("").as_posix()
                name = whole if movie.stem in found else movie.stem
                found[name] = partial(self._read, name, movie, there)
        return found

    def _read(self, name: str, movie: Path, noted: Mapping[str, Path]) -> AnnotatedClip:
        objects: dict[str, dict[int, ReadMask]] = {}
        for kind, path in noted.items():
            for place, masks in enumerate(_masklets(path)):
                for number, mask in enumerate(masks):
                    objects.setdefault(f"{kind}-{number:03d}", {})[_EVERY * place] = partial(rle.decode, mask)
        plate = sequences.find(sequences.parse(f"{movie}@0"))
        return AnnotatedClip(name, self.name, plate, objects, (movie, *noted.values()))


class SavPictures:
    """SA-V as it is published for validation and test: pictures, and a folder of masks for each object."""

    name = "sa-v-pictures"
    expects = "sa-v-pictures: JPEGImages_24fps/VIDEO/00000.jpg, Annotations_6fps/VIDEO/000/00000.png"

    def find(self, folder: Path) -> dict[str, Read]:
        """See `Layout.find`."""
        clips = folders(folder / "Annotations_6fps")
        return {one.name: partial(self._read, folder / "JPEGImages_24fps" / one.name, one) for one in clips}

    def _read(self, plate: Path, masks: Path) -> AnnotatedClip:
        objects = {one.name: _masks_in(one) for one in folders(masks)}
        return AnnotatedClip(masks.name, self.name, numbered(plate)[1], objects, (plate, masks))


class YouTubeVos:
    """YouTube-VOS: pictures, and one picture of coloured objects on every fifth frame."""

    name = "youtube-vos"
    expects = "youtube-vos: JPEGImages/VIDEO/00000.jpg, Annotations/VIDEO/00000.png"

    def find(self, folder: Path) -> dict[str, Read]:
        """See `Layout.find`; `folder` is the data set's, or that of one part, such as `train`."""
        parts = [one for one in (folder, *folders(folder)) if (one / "Annotations").is_dir()]
        found: dict[str, Read] = {}
        for part in parts:
            for masks in folders(part / "Annotations"):
                if sequences.listed(masks, PICTURES):
                    name = masks.name if part == folder else f"{part.name}/{masks.name}"
                    found[name] = partial(_coloured, name, self.name, part / "JPEGImages" / masks.name, masks)
        return found


class Davis:
    """DAVIS: pictures and masks of coloured objects, in a folder for each resolution."""

    name = "davis"
    expects = "davis: JPEGImages/480p/VIDEO/00000.jpg, Annotations/480p/VIDEO/00000.png"

    def find(self, folder: Path) -> dict[str, Read]:
        """See `Layout.find`."""
        sizes = folders(folder / "Annotations")
        found: dict[str, Read] = {}
        for size in sizes:
            for masks in folders(size):
                name = masks.name if len(sizes) == 1 else f"{size.name}/{masks.name}"
                plate = folder / "JPEGImages" / size.name / masks.name
                found[name] = partial(_coloured, name, self.name, plate, masks)
        return found


class PlainFolders:
    """Folders of one's own: a plate, and the masks of one object, or a folder of masks for each."""

    name = "plain"
    expects = "plain: SHOT/plate/NAME.1001.exr and SHOT/mask/NAME.1001.exr, or SHOT/mask/OBJECT/NAME.1001.exr"

    def find(self, folder: Path) -> dict[str, Read]:
        """See `Layout.find`; `folder` is a shot, or holds shots."""
        shots = [one for one in (folder, *folders(folder)) if (one / "plate").is_dir() and (one / "mask").is_dir()]
        return {one.absolute().name: partial(self._read, one) for one in shots}

    def _read(self, shot: Path) -> AnnotatedClip:
        masks = shot / "mask"
        objects = {one.name: _masks_in(one) for one in folders(masks)} or {"object": _masks_in(masks)}
        plate = numbered(shot / "plate")[1]
        return AnnotatedClip(shot.absolute().name, self.name, plate, objects, (shot / "plate", masks))


LAYOUTS: dict[str, Layout[AnnotatedClip]] = {
    layout.name: layout for layout in (SavMovies(), SavPictures(), YouTubeVos(), Davis(), PlainFolders())
}


def find_clips(folder: Path, layout: str = "") -> dict[str, Read]:
    """Return what reads each clip below a folder, by name in order, in a layout or in the first that fits.

    Raises:
        BadInput: no clip in any layout, or not in the one that is named.
        NotPermitted: the folder may not be listed.
    """
    _, found = detect(folder, LAYOUTS, layout, "clips with masks")
    return dict(sorted(found.items()))


def _masklets(path: Path) -> list[list[Any]]:
    """Return the masks of each annotated frame in a JSON file of SA-V."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["masklet"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path} is not a file of SA-V: {error}", "Copy it again.") from error
    if not isinstance(found, list) or not all(isinstance(one, list) for one in found):
        raise BadInput(f"{path} has no list of masks for each frame", "Copy it again.")
    return found


def _masks_in(folder: Path) -> dict[int, ReadMask]:
    return {number: partial(_mask, path) for number, path in numbered(folder)[1].items()}


def _mask(path: Path) -> BoolArray:
    return np.asarray(frames.read_mask(path).pixels[..., 0] >= _HALF)


def _coloured(name: str, data: str, plate: Path, masks: Path) -> AnnotatedClip:
    """Return a clip whose objects are the colours of its masks; black is the background."""
    files = numbered(masks)[1]
    colours = sorted({int(code) for path in files.values() for code in np.unique(_codes(path))} - {0})
    objects: dict[str, dict[int, ReadMask]] = {
        f"{code:06x}": {number: partial(_of_colour, path, code) for number, path in files.items()} for code in colours
    }
    return AnnotatedClip(name, data, numbered(plate)[1], objects, (plate, masks))


def _of_colour(path: Path, code: int) -> BoolArray:
    return np.asarray(_codes(path) == code)


def _codes(path: Path) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the colour of each pixel (H, W) as one number, such as 0x800000 for dark red."""
    parts = np.rint(frames.read_plate(path).pixels * 255).astype(np.int64)
    return np.asarray(parts @ np.array((65536, 256, 1)), np.int64)
