"""Finds the alphas that another tool made of the same clips: a folder with a folder per clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from videomama_client.errors import BadInput

from videomama_server.datasets.clip import GroundTruthClip, numbered


def with_alphas(clips: Sequence[GroundTruthClip], name: str, folder: Path) -> list[GroundTruthClip]:
    """Return the clips with the alphas of one more tool.

    Args:
        clips: to be found in the folder by their names, slashes as folders.
        name: of the tool.
        folder: with the results; `FOLDER/CLIP/NAME.####.png`, frame numbers as those of the plate.

    Raises:
        BadInput: the folder is not there, has no results of any clip, or not all frames of one.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder", f"Name the folder of the results of {name}.")
    if not any((folder / clip.name).is_dir() for clip in clips):
        raise BadInput(
            f"{folder} has no results of these clips", f"Put those of the first one into {folder / clips[0].name}."
        )
    return [_with(clip, name, folder / clip.name) for clip in clips]


def _with(clip: GroundTruthClip, name: str, place: Path) -> GroundTruthClip:
    if not place.is_dir():
        return clip
    if name in clip.others:
        raise BadInput(f"{clip.name} has two results called {name}", "Give one of them another name.")
    try:
        return replace(clip, others={**clip.others, name: numbered(place)[1]})
    except BadInput as error:
        raise BadInput(f"{name}, {clip.name}: {error.message}", f"Give {place} the frames of the plate.") from error
