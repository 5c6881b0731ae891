"""Keeps results from taking the place of the files that they are made from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from videomama_client.errors import BadInput

from videomama_server.media.sequences.pattern import Pattern


def refuse_overwriting(out: Pattern, read: Mapping[str, Mapping[int, Path]]) -> None:
    """Raise `BadInput` when a file of `out` would replace one that is read, under whatever name either goes.

    Args:
        out: what is written, for any of the frames that are read.
        read: files by role and frame, such as those of the plate.
    """
    folder = out.folder.resolve()
    written = {folder / out.path(frame).name for files in read.values() for frame in files}
    for role, files in read.items():
        for frame, path in files.items():
            file = path.parent.resolve() / path.name
            if not written.isdisjoint((Path(os.path.realpath(path)), file)) or _one_name(
                folder / out.path(frame).name, file
            ):
                raise BadInput(f"the output {out.text} would overwrite the {role}", "Choose another name.")


def refuse_sharing(outs: Mapping[str, Pattern], frames: Iterable[int]) -> None:
    """Raise `BadInput` when a file of one result would replace one of another.

    Args:
        outs: where results go, by what a person knows them by, such as `alphas`.
        frames: that may be written.
    """
    numbers = list(frames)
    owners: dict[tuple[Path, str], str] = {}
    for owner, out in outs.items():
        folder = out.folder.resolve()
        for name in {out.path(frame).name.casefold() for frame in numbers}:
            other = owners.setdefault((folder, name), owner)
            if other != owner:
                raise BadInput(f"{other} and {owner} would go to one file ({out.text})", "Give each a name of its own.")


def _one_name(target: Path, file: Path) -> bool:
    """Whether two paths are one entry of one folder: mounted twice, or on a disk that takes A for a."""
    if target.name.casefold() != file.name.casefold():
        return False
    try:
        here, there = target.lstat(), file.lstat()
    except OSError:
        return False
    return os.path.samestat(here, there) and here.st_nlink == 1
