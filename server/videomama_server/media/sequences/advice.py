"""Says why a pattern matches no file and which one a person may have meant."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from difflib import SequenceMatcher, get_close_matches
from pathlib import Path

from videomama_client.errors import BadInput, NotPermitted

from videomama_server.media.limits import READABLE
from videomama_server.media.links import dead_link
from videomama_server.media.movie_frame import MOVIES as READABLE_MOVIES
from videomama_server.media.sequences.listing import Listed, folder_content, listed, taken_apart
from videomama_server.media.sequences.pattern import Pattern
from videomama_server.media.sequences.ranges import format_range

MOVIES = frozenset({".mov", ".mp4", ".m4v", ".mxf", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".r3d", ".braw"})
_LISTED = 5
_COMPARED = 1000  # sequences of a folder: comparing names takes time
_ALIKE = 0.6  # of two names, 0..1: from here on one may stand for the other


def refuse_movie(pattern: Pattern) -> None:
    """Raise `BadInput` for a movie of a kind that is not read, with the line that extracts its frames."""
    if pattern.suffix.lower() in READABLE_MOVIES and not pattern.is_movie:
        raise BadInput(
            f"{pattern.text} names several movies", "Give one movie: it has all frames in one file, such as plate.mov."
        )
    if pattern.suffix.lower() in MOVIES - READABLE_MOVIES:
        source = pattern.folder / pattern.name
        target = pattern.folder / f"{pattern.head.rstrip('._-') or 'frame'}.%04d.png"
        line = f"ffmpeg -i {shlex.quote(str(source))} -pix_fmt rgb48be {shlex.quote(str(target))}"
        raise BadInput(f"{pattern.text} is a movie of a kind that is not read", f"Extract its frames first: {line}")


def refuse_format(pattern: Pattern) -> None:
    """Raise `BadInput` for files whose ending says that they are not pictures that are read."""
    if pattern.suffix.lower() not in READABLE:
        named = pattern.suffix or "a name without an ending"
        raise BadInput(
            f"cannot read {pattern.text}: {named} is not a format that is read", f"Use {', '.join(sorted(READABLE))}."
        )


def no_match(pattern: Pattern) -> BadInput:
    """Return the error for a pattern that matches nothing: it lists what is there and proposes what to write."""
    path = pattern.folder / pattern.name
    if path.is_dir():
        return _folder_given(path)
    if not pattern.folder.is_dir():
        return _no_folder(pattern)
    if dead := dead_link(path):
        return BadInput(f"{path} {dead}", "Restore the file, or set the link again.", file=str(path))
    groups = _nearest_first(listed(pattern.folder, READABLE)[:_COMPARED], pattern)
    return BadInput(f"no frames match {pattern.text}; {_holds(pattern.folder, groups)}", _hint(pattern, groups))


def refuse_stray_frames(patterns: Mapping[str, Pattern]) -> None:
    """Raise `BadInput` where one pattern is a single frame of a sequence and another is a sequence.

    Only that frame would be done, and without its neighbours. Where all are single pictures, a person wants a still.

    Args:
        patterns: of what is read, by role.
    """
    several = [role for role, pattern in patterns.items() if not pattern.single]
    for role, pattern in patterns.items():
        whole = _sequence_of(pattern) if several else None
        if whole is not None:
            raise BadInput(
                f"the {role} {pattern.text} is a single frame of {whole}, and the {several[0]} is a sequence",
                f"Did you mean {pattern.folder / whole.name}? To do one frame alone, name it with --frames.",
            )


def _sequence_of(pattern: Pattern) -> Listed | None:
    """Return the sequence on disk that a single picture is a frame of, if there is one."""
    if not pattern.single or not taken_apart(pattern.name)[1]:
        return None
    groups = listed(pattern.folder, READABLE) if pattern.folder.is_dir() else []
    return next((group for group in groups if group.is_sequence and pattern.name in group.names), None)


def _folder_given(folder: Path) -> BadInput:
    groups = sorted(listed(folder, READABLE), key=lambda group: not group.is_sequence)
    hint = "Give the pattern of its files."
    if groups:
        first = folder / groups[0].name
        several = len([group for group in groups if group.is_sequence]) > 1
        hint = f"Give the pattern of one of them, such as {first}." if several else f"Did you mean {first}?"
    return BadInput(f"{folder} is a folder; {_holds(folder, groups)}", hint)


def _no_folder(pattern: Pattern) -> BadInput:
    above = next(place for place in (*pattern.folder.parents, Path()) if place.is_dir())
    missing = pattern.folder.relative_to(above).parts[0]
    close = get_close_matches(missing, _folders(above), 1, _ALIKE)
    hint = f"Did you mean {above / close[0]}?" if close else f"{above} is there; check what follows."
    return BadInput(f"no frames match {pattern.text}: there is no folder {above / missing}", hint)


def _folders(folder: Path) -> list[str]:
    """Return the names of the folders in a folder, as far as they can be seen."""
    try:
        return [entry.name for entry in folder_content(folder) if entry.is_dir()]
    except (NotPermitted, OSError):
        return []


def _holds(folder: Path, groups: list[Listed]) -> str:
    """Say what a folder holds, what is most alike first."""
    if groups:
        shown = ", ".join(map(str, groups[:_LISTED]))
        more = ", and more" if len(groups) > _LISTED else ""
        return f"the folder holds {shown}{more}"
    movies = sorted(entry.name for entry in folder_content(folder) if entry.suffix.lower() in MOVIES)
    return f"the folder holds a movie, {movies[0]}, and no pictures" if movies else "the folder holds no pictures"


def _hint(pattern: Pattern, groups: list[Listed]) -> str:
    best = max(groups, key=lambda group: _likeness(group, pattern), default=None)
    if best is None or _likeness(best, pattern) < _ALIKE:
        return "Check the folder and the name."
    if best.pattern == pattern.name and best.frames:
        return f"Name frames that are there: {format_range(best.frames)}."
    return f"Did you mean {pattern.folder / best.name}?"


def _nearest_first(groups: list[Listed], pattern: Pattern) -> list[Listed]:
    return sorted(groups, key=lambda group: (not group.is_sequence, -_likeness(group, pattern)))


def _likeness(group: Listed, pattern: Pattern) -> float:
    """Return how alike names are, 0..1, whatever their numbers and the case of their letters."""
    head, _, tail = taken_apart(pattern.name) if pattern.single else (pattern.head, "", pattern.tail)
    return 0.75 * _alike(head, group.head) + 0.25 * _alike(tail, group.tail)


def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, one.casefold(), other.casefold()).ratio()
