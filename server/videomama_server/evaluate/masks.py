"""Writes the masks that engines are given: those of the data, copied, or exact alphas made rough."""

from __future__ import annotations

import shutil
import zlib
from dataclasses import replace
from pathlib import Path

from videomama_client.errors import BadInput, placed

from videomama_server.evaluate.asked import AskedMasks
from videomama_server.evaluate.clip import Files, GroundTruthClip
from videomama_server.evaluate.measure import Tell
from videomama_server.media import frames
from videomama_server.synthetic import degrade


def files(clip: GroundTruthClip, masks: AskedMasks, folder: Path) -> dict[int, Path]:
    """Return where the masks of a clip go in `folder`, by frame.

    Raises:
        BadInput: its own masks are asked for, and it has none.
    """
    ending = ".exr" if masks.degradation else _of_clip(clip)[clip.numbers[0]].suffix.lower()
    return {number: folder / f"mask.{number:04d}{ending}" for number in clip.numbers}


def write(clip: GroundTruthClip, masks: AskedMasks, targets: Files, tell: Tell) -> None:
    """Write the masks of a clip, of which 0 and 1 are the only values where they are made here.

    Args:
        clip: whose masks or exact alphas are taken.
        masks: which masks.
        targets: as `files` returned them; their folder is there.
        tell: called after every frame.

    Raises:
        BadInput: a source is unreadable; the message names the frame.
        OSError: the folder cannot be written.
    """
    if masks.degradation is None:
        for number, source in _of_clip(clip).items():
            shutil.copyfile(source, targets[number])
            tell()
        return
    truth_of = clip.truth
    assert truth_of is not None  # clips without truth keep their own masks
    degraded = replace(masks.degradation, seed=_seed(masks.degradation, clip.name)).of(len(clip.numbers))
    for index, number in enumerate(clip.numbers):
        with placed("exact alpha", number):
            truth = frames.read_mask(truth_of[number])
        mask = degraded.mask(index, truth.pixels[..., 0])
        frames.write_picture(targets[number], mask, ("A",), geometry=truth.geometry)
        tell()


def _of_clip(clip: GroundTruthClip) -> Files:
    if clip.mask is None:
        raise BadInput(f"{clip.name} has no masks of its own", "Name a degradation with --masks, such as mixed.")
    return clip.mask


def _seed(asked: degrade.Degradation, name: str) -> int:
    """Each clip draws for itself, or all would share one factor and one bad frame."""
    return asked.seed * 65_536 + zlib.crc32(name.encode()) % 65_536
