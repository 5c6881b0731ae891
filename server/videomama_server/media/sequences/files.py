"""Which file holds which frame of a sequence."""

from __future__ import annotations

from pathlib import Path

from videomama_client.errors import BadInput, NotPermitted, placed

from videomama_server.media.sequences import advice
from videomama_server.media.sequences.listing import folder_content, listed
from videomama_server.media.sequences.pattern import Pattern, parse


def find(pattern: Pattern, role: str = "") -> dict[int, Path]:
    """Return the files there are, by frame number, in ascending order.

    Args:
        pattern: of the files.
        role: what errors call them: plate, mask, alpha.

    Raises:
        BadInput: no file matches (the error lists what is there), or two files have the same number.
        NotPermitted: the folder cannot be listed.
    """
    with placed(role):
        return _found(pattern)


def _found(pattern: Pattern) -> dict[int, Path]:
    advice.refuse_movie(pattern)
    if pattern.is_movie:
        return _movie(pattern)
    found = _single(pattern) if pattern.single else _scan(pattern)
    if pattern.frames is not None:
        found = {frame: found[frame] for frame in pattern.frames if frame in found}
    if not found:
        raise advice.no_match(pattern)
    advice.refuse_format(pattern)
    return dict(sorted(found.items()))


def in_folder(folder: Path, suffixes: frozenset[str]) -> Pattern:
    """Return the pattern of the only sequence in `folder` whose files end in one of `suffixes`.

    Raises:
        BadInput: none or several.
        NotPermitted: the folder cannot be listed.
    """
    groups = listed(folder, suffixes)
    for group in groups:
        if not group.frames or not group.tail.startswith("."):
            raise BadInput(f"{folder / group.names[0]} has no frame number", "Rename it, or move it to another folder.")
    if len(groups) != 1:
        named = ", ".join(f"{group.head}#{group.tail}" for group in groups) or "none"
        raise BadInput(f"{folder} must hold one sequence; found {named}", "Keep one sequence in the folder.")
    return parse(str(folder / groups[0].pattern))


def _movie(pattern: Pattern) -> dict[int, Path]:
    path = pattern.path(pattern.first)
    if not _is_file(path):
        raise advice.no_match(pattern)
    from videomama_server.media.movies.numbering import frames_of  # not before there is a movie

    return frames_of(path, pattern.first if pattern.frames else None)


def _single(pattern: Pattern) -> dict[int, Path]:
    path = pattern.path(1)
    return {pattern.first: path} if _is_file(path) else {}


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        raise NotPermitted(f"cannot look at {path}: {error.strerror}", "Check the folder's permissions.") from error


def _scan(pattern: Pattern) -> dict[int, Path]:
    found: dict[int, Path] = {}
    for entry in folder_content(pattern.folder):
        frame = pattern.number(entry.name)
        if frame is None:
            continue
        if frame in found:
            raise BadInput(
                f"frame {frame} of {pattern.text} is there twice: {found[frame].name} and {entry.name}",
                "Remove one of them.",
            )
        found[frame] = entry
    return found
