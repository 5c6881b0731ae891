"""Finds foregrounds with alphas, and backgrounds, in the layouts in which they are published.

Stills and clips: VideoMatte240K (fgr/0001/, pha/0001/), RobustVideoMatting's (0001/fgr, 0001/pha), AIM-500 and
P3M-10k (original/, mask/), Adobe's (fg/, alpha/), VideoMatting108 (a folder of pictures with an alpha channel per
clip) and EXR sequences with R, G, B and A. WebDataset's: 000123.fg.jpg with 000123.alpha.png, or 000123.jpg with
000123.png. A folder may lie in a shard.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from videomama_client.errors import BadInput

from videomama_server.arrays import FloatArray
from videomama_server.datasets.clip import PICTURES
from videomama_server.datasets.detection import folders
from videomama_server.media import sequences
from videomama_server.train.data import drawn
from videomama_server.train.data.shards import ShardPath

_PAIRS = (
    ("fgr", "pha"),
    ("fg", "alpha"),
    ("foreground", "alpha"),
    ("original", "mask"),
    ("original_image", "mask"),
    ("image", "alpha"),
)
_FRAMES = ("fgr", "pha")  # pictures that lie right in these are the frames of one clip; in others they are stills
_PARTS = frozenset(name for pair in _PAIRS for name in pair)
_NO_ALPHA = frozenset({".jpg", ".jpeg"})  # of two files of one name, the colour
_LAST_NUMBER = re.compile(r"\d+$")
_DEPTH = 3  # folders between the one that is named and a pair
_PREMULTIPLIED = frozenset({".exr", ".tif", ".tiff"})  # files whose colour comes multiplied by their alpha


@dataclass(frozen=True)
class Foreground:
    """A subject on its own.

    Attributes:
        name: for people.
        colour: files of its frames, in order; one for a still.
        alpha: likewise; empty where the files of the colour have an alpha channel.
    """

    name: str
    colour: tuple[Path, ...]
    alpha: tuple[Path, ...] = ()

    def read(self, index: int) -> tuple[FloatArray, FloatArray]:
        """Return colour (H, W, 3), scene-linear and not multiplied by alpha, and alpha (H, W), of one frame.

        Raises:
            BadInput: the two differ in size, or a file cannot be read.
        """
        path = self.colour[index]
        if self.alpha:
            colour, alpha = drawn.read_light(path), drawn.read_alpha(self.alpha[index])
        else:
            colour, alpha = _with_alpha(path)
        if colour.shape[:2] != alpha.shape:
            raise BadInput(f"{path} and its alpha differ in size", "Copy the data set again.")
        return colour, alpha


def find_foregrounds(folder: Path) -> list[Foreground]:
    """Return the foregrounds below a folder.

    Raises:
        BadInput: there are none, or a picture has no alpha.
    """
    found = sorted(_found(folder, folder, _DEPTH), key=lambda one: one.name)
    if not found:
        pairs = ", ".join("/".join(pair) for pair in _PAIRS)
        raise BadInput(
            f"no foregrounds were found in {folder}", f"Expected are folders {pairs}, or pictures with alpha."
        )
    return found


def find_backgrounds(folder: Path) -> list[tuple[Path, ...]]:
    """Return the backgrounds below a folder: clips, which are pictures numbered without gaps, and stills.

    Pictures that lie in no folder of a shard are stills.

    Raises:
        BadInput: there are none.
    """
    found = [frames for place in _below(folder) for frames in _clips_of(_pictures(place), _is_flat(place, folder))]
    if not found:
        raise BadInput(f"no backgrounds were found in {folder}", "Put pictures, or folders of frames, into it.")
    return found


def _below(folder: Path) -> Iterator[Path]:
    """Yield a folder and all below it."""
    yield folder
    for inside in folders(folder):
        yield from _below(inside)


def _is_flat(place: Path, root: Path) -> bool:
    """Whether pictures in `place` are samples of a shard, and not frames of a clip, whatever their names."""
    return isinstance(place, ShardPath) and place == root


def _clips_of(pictures: Sequence[Path], flat: bool) -> Iterator[tuple[Path, ...]]:
    groups: dict[tuple[str, str], dict[int, Path]] = {}
    for path in pictures:
        number = _LAST_NUMBER.search(path.stem)
        if flat or number is None:
            yield (path,)
        else:
            groups.setdefault((path.stem[: number.start()], path.suffix), {})[int(number[0])] = path
    for group in groups.values():
        clip = tuple(path for _, path in sorted(group.items()))
        yield from [clip] if sequences.even_step(group) else [(path,) for path in clip]


def _found(folder: Path, root: Path, depth: int) -> Iterator[Foreground]:
    pair = next((names for names in _PAIRS if all((folder / name).is_dir() for name in names)), None)
    if pair:
        yield from _of_pair(folder, pair, root)
        return
    pictures = _pictures(folder)
    if pictures:
        yield from _of_pictures(folder, pictures, root)
    if not pictures and depth:
        for inside in folders(folder):
            yield from _found(inside, root, depth - 1)


def _of_pictures(folder: Path, pictures: list[Path], root: Path) -> Iterator[Foreground]:
    """Yield what pictures side by side are: pairs that share a name, or frames with an alpha channel."""
    keyed = _by_key(pictures)
    if any(len(parts) > 1 or "" not in parts for parts in keyed.values()):
        for key, parts in keyed.items():
            colour, alpha = _both(folder, key, parts)
            yield Foreground(_name(colour, root), (colour,), (alpha,))
    elif _is_flat(folder, root):
        for picture in pictures:
            yield _of_channel(picture, [picture], root)
    else:
        yield _of_channel(folder, pictures, root)


def _by_key(pictures: Sequence[Path]) -> dict[str, dict[str, Path]]:
    """Return pictures by their name, and by what they are: a part such as `alpha`, their ending, or nothing."""
    found: dict[str, dict[str, Path]] = {}
    for path in pictures:
        stem, _, part = path.stem.rpartition(".")
        named = bool(stem) and part in _PARTS
        parts = found.setdefault(stem if named else path.stem, {})
        parts[part if named else path.suffix.lower() if parts else ""] = path
    return found


def _both(folder: Path, key: str, parts: Mapping[str, Path]) -> tuple[Path, Path]:
    """Return colour and alpha of a key."""
    for colour, alpha in _PAIRS:
        if parts.keys() == {colour, alpha}:
            return parts[colour], parts[alpha]
    without = [path for path in parts.values() if path.suffix.lower() in _NO_ALPHA]
    others = [path for path in parts.values() if path not in without]
    if len(without) == len(others) == 1 and "" in parts:
        return without[0], others[0]
    there = ", ".join(path.name for path in parts.values())
    raise BadInput(
        f"{folder} has no pair of foreground and alpha for {key}, only {there}",
        f"Write both, such as {key}.fg.jpg and {key}.alpha.png.",
    )


def _of_pair(folder: Path, names: tuple[str, str], root: Path) -> Iterator[Foreground]:
    colours, alphas = (folder / name for name in names)
    for clip in folders(colours):
        yield _matched(_name(clip, root), _pictures(clip), alphas / clip.name)
    pictures = _pictures(colours)
    if pictures and names == _FRAMES:
        yield _matched(_name(folder, root), pictures, alphas)
    else:
        for picture in pictures:
            yield _matched(_name(picture, root), [picture], alphas)


def _matched(name: str, colours: list[Path], alphas: Path) -> Foreground:
    by_stem = {path.stem: path for path in _pictures(alphas)} if alphas.is_dir() else {}
    missing = [path for path in colours if path.stem not in by_stem]
    if missing or not colours:
        what = f"{missing[0]} has no alpha in {alphas}" if missing else f"{name} has no frames"
        raise BadInput(what, "Copy the data set again.")
    return Foreground(name, tuple(colours), tuple(by_stem[path.stem] for path in colours))


def _of_channel(folder: Path, pictures: list[Path], root: Path) -> Foreground:
    if not drawn.has_alpha(pictures[0]):
        raise BadInput(f"{pictures[0]} has no alpha channel", "Put colours into a folder fg and alphas into alpha.")
    return Foreground(_name(folder, root), tuple(pictures))


def _with_alpha(path: Path) -> tuple[FloatArray, FloatArray]:
    colour, alpha = drawn.read_light(path), drawn.read_alpha(path)
    if path.suffix.lower() in _PREMULTIPLIED:
        colour = np.asarray(np.clip(colour / np.maximum(alpha, 1e-4)[..., None], 0, 1), np.float32)
    return colour, alpha


def _name(place: Path, root: Path) -> str:
    if place == root:
        return root.name
    return place.relative_to(root.parent if isinstance(root, ShardPath) else root).as_posix()


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES and path.is_file())
