"""The tracks of a Tracker4: the text of its knob, and the numbers in it. The double tracks nothing.

A text has columns, each `{kind flags width name label shown}`, and then one list of values for each track.
"""

from __future__ import annotations

from typing import Any

from nuke_standin.animation import Component, component
from nuke_standin.knobs_text import String_Knob
from nuke_standin.references import ExpressionError
from nuke_standin.words import Word, split


class Table_Knob(String_Knob):  # noqa: N801 - named as Nuke's are
    """The table of a Tracker; expressions reach its numbers as `tracks.1.track_x`."""

    def _number_at(self, path: list, context: Any) -> float:
        return component_of(self._text, path).at(self._node, context)


def read(text: str) -> list[dict[str, Word]]:
    """Return the tracks, each as its values by column; raises ExpressionError."""
    parts = split(text)
    if len(parts) != 3:
        raise ExpressionError("tracks that cannot be read: not a head, columns and rows")
    names = [split(column.text)[3].text for column in split(parts[1].text)]
    return [dict(zip(names, split(row.text))) for row in split(parts[2].text)]


def component_of(text: str, path: list[str]) -> Component:
    """Return one number of a track: `path` is its place, counted from 1, and the column."""
    tracks = read(text)
    if len(path) != 2 or not path[0].isdigit() or not 1 <= int(path[0]) <= len(tracks):
        raise ExpressionError(f"no track {'.'.join(path)!r}")
    found: Any = tracks[int(path[0]) - 1].get(path[1])
    if found is None:
        raise ExpressionError(f"tracks have no column {path[1]!r}")
    return component(found)
