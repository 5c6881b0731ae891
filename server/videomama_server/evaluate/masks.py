"""Writes the masks that engines are given: those beside the data, copied, exact alphas made rough, or followed ones."""

from __future__ import annotations

import shutil
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from videomama_client.errors import BadInput, placed

from videomama_server.datasets.clip import Files, GroundTruthClip
from videomama_server.evaluate.asked import AskedMasks
from videomama_server.evaluate.measure import Tell
from videomama_server.media import frames, sequences
from videomama_server.media.frames import Picture
from videomama_server.synthetic import degrade

_HALF = 0.5


def files(clip: GroundTruthClip, masks: AskedMasks, folder: Path) -> dict[int, Path]:
    """Return where the masks of a clip go in `folder`, by frame.

    Raises:
        BadInput: its own masks are asked for, and it has none.
    """
    found = copied(clip, masks)
    ending = found[clip.numbers[0]].suffix.lower() if found else ".exr"
    return {number: folder / f"mask.{number:04d}{ending}" for number in clip.numbers}


def copied(clip: GroundTruthClip, masks: AskedMasks) -> Files | None:
    """Return the masks beside the data that are taken as they are; None where they are to be made.

    Raises:
        BadInput: the clip has none of its own, or those of a tracker are not of all frames.
    """
    if masks.degradation is not None:
        return None
    if masks.maker is None:
        return _of_clip(clip)
    found = clip.made.get(masks.maker.name)
    lacking = sorted(set(clip.numbers) - set(found)) if found else []
    if lacking:
        missing = sequences.format_range(lacking)
        raise BadInput(f"the {masks.maker.name} masks of {clip.name} lack frames {missing}", "Copy them again.")
    return found


def write(clip: GroundTruthClip, masks: AskedMasks, targets: Files, tell: Tell) -> None:
    """Write the masks of a clip, of which 0 and 1 are the only values where they are made here.

    Args:
        clip: whose masks or exact alphas are taken.
        masks: which masks; not those that an engine is to make.
        targets: as `files` returned them; their folder is there.
        tell: called after every frame.

    Raises:
        BadInput: a source is unreadable; the message names the frame.
        OSError: the folder cannot be written.
    """
    found = copied(clip, masks)
    if found is not None:
        for number in clip.numbers:
            _copy(clip, masks, found[number], targets[number])
            tell()
        return
    assert masks.degradation is not None  # an engine's masks are made by the server
    degraded = replace(masks.degradation, seed=_seed(masks.degradation, clip.name)).of(len(clip.numbers))
    for index, number in enumerate(clip.numbers):
        truth = _truth(clip, number)
        mask = degraded.mask(index, truth.pixels[..., 0])
        frames.write_picture(targets[number], mask, ("A",), geometry=truth.geometry)
        tell()


def write_first(clip: GroundTruthClip, target: Path) -> None:
    """Write the mask of the first frame, of which 0 and 1 are the only values: the clip's own, else the exact alpha's.

    Args:
        clip: whose first frame.
        target: an EXR or a PNG.

    Raises:
        BadInput: a source is unreadable; the message names the frame.
        OSError: the folder cannot be written.
    """
    first = clip.numbers[0]
    if clip.mask is None:
        source = _truth(clip, first)
    else:
        with placed("mask", first):
            source = frames.read_mask(clip.mask[first])
    _write_cut(source, target)


def cut(source: Path, target: Path) -> None:
    """Write a mask that an engine made as 0 and 1, as trackers' masks are published, and remove the soft one.

    Raises:
        BadInput: the source is unreadable.
        OSError: the folder cannot be written.
    """
    _write_cut(frames.read_mask(source), target)
    source.unlink()


def _write_cut(source: Picture, target: Path) -> None:
    mask = (source.pixels[..., 0] >= _HALF).astype(np.float32)
    plain = target.suffix == ".png"
    frames.write_picture(target, mask, ("Y",) if plain else ("A",), "uint8" if plain else "half", source.geometry)


def _truth(clip: GroundTruthClip, number: int) -> Picture:
    assert clip.truth is not None  # clips without truth keep their own masks
    with placed("exact alpha", number):
        return frames.read_mask(clip.truth[number], colours=clip.colour)


def _copy(clip: GroundTruthClip, masks: AskedMasks, source: Path, target: Path) -> None:
    """Copy a mask; of one with the colours of several objects only the subject's."""
    if masks.maker is None or not clip.colour:
        shutil.copyfile(source, target)
        return
    with placed("mask"):
        found = frames.read_mask(source, colours=clip.colour)
    frames.write_picture(target, found.pixels[..., 0], ("Y",), "uint8", geometry=found.geometry)


def _of_clip(clip: GroundTruthClip) -> Files:
    if clip.mask is None:
        raise BadInput(f"{clip.name} has no masks of its own", "Name a degradation with --masks, such as mixed.")
    return clip.mask


def _seed(asked: degrade.Degradation, name: str) -> int:
    """Each clip draws for itself, or all would share one factor and one bad frame."""
    return asked.seed * 65_536 + zlib.crc32(name.encode()) % 65_536
