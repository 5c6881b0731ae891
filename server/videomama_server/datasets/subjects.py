"""Reads what the clips of a folder show, such as people, animals or things, from a table beside them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from videomama_client.errors import BadInput

from videomama_server.datasets.clip import Data

FILE = "groups.csv"
_COLUMNS = ("clip", "group")


def with_subjects(data: Data) -> Data:
    """Return the data with the subject of every clip that `groups.csv` in its folder names.

    A line of the table names a clip, or folders above it in its name: `comp_hard/00012` is all subjects of that clip.

    Raises:
        BadInput: the table cannot be read, or it names something that is no clip; the message names the line.
    """
    path = data.folder / FILE
    if not path.is_file():
        return data
    named = _read(path)
    every = [*(clip.name for clip in data.clips), *(broken.name for broken in data.broken)]
    for name, (line, _) in named.items():
        if not any(_is_in(clip, name) for clip in every):
            raise BadInput(
                f"{path}, line {line}: there is no clip {name}", "Write the clip's name as the report has it."
            )
    return replace(data, clips=[replace(clip, subject=_subject(clip.name, named)) for clip in data.clips])


def _read(path: Path) -> dict[str, tuple[int, str]]:
    """Return line and group by the name of a clip."""
    form = f"Its first line is {','.join(_COLUMNS)}; the others are a clip and what it shows, such as 0001,people."
    try:
        rows = csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines(), strict=True)
        lines = [(rows.line_num, row) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"cannot read {path}: {error}", form) from error
    if not set(_COLUMNS) <= set(rows.fieldnames or ()):
        raise BadInput(f"{path} has no columns {' and '.join(_COLUMNS)}", form)
    found: dict[str, tuple[int, str]] = {}
    for line, row in lines:
        clip, group = ((row[column] or "").strip() for column in _COLUMNS)
        if not clip or not group or clip in found:
            wrong = f"names {clip} a second time" if clip in found else "lacks a clip or its group"
            raise BadInput(f"{path}, line {line}, {wrong}", form)
        found[clip] = line, group
    return found


def _subject(clip: str, named: Mapping[str, tuple[int, str]]) -> str:
    """Return the group of a clip by the longest name that it is in; empty for none."""
    fits = [name for name in named if _is_in(clip, name)]
    return named[max(fits, key=len)][1] if fits else ""


def _is_in(clip: str, name: str) -> bool:
    return clip == name or clip.startswith(f"{name}/")
