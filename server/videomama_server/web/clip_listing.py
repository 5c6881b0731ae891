"""Says which frames of a clip there are, as the judge page shows them, also while a job writes more."""

from __future__ import annotations

from typing import Any

from videomama_client.errors import VideoMaMaError

from videomama_server.media import color, sequences
from videomama_server.web.clip_files import ALPHA, GROUND, PLATE, ROLES, Clip, ClipFiles, FoundFile

Found = dict[str, dict[int, FoundFile]]


def listing(files: ClipFiles, clip: Clip, frame_ranges: str) -> dict[str, Any]:
    """Return the frames of a clip as JSON can hold them.

    Args:
        files: where they lie.
        clip: their patterns.
        frame_ranges: the frames of the job; empty for those of the alphas, or else of the plates.

    Returns:
        ``frames``: their numbers, ascending. ``stamps``: for each role a text by frame that changes when the file does.
        ``names``: of each role's files. ``said``: for each role that has none, why. ``width``, ``height``,
        ``colorspace``: of the first plate, or of what else there is; 0 and empty where nothing can be read.

    Raises:
        BadInput: the frame ranges are not ones.
    """
    found, said = _found(files, clip)
    wanted = sequences.parse_range(frame_ranges) if frame_ranges else _frames(found)
    width, height, space = _look(files, clip, found, wanted)
    return {
        "frames": list(wanted),
        "stamps": {role: {frame: file.stamp for frame, file in there.items()} for role, there in found.items()},
        "names": {role: sequences.parse(clip.pattern(role)).name for role in found},
        "said": said,
        "width": width,
        "height": height,
        "colorspace": space,
    }


def _found(files: ClipFiles, clip: Clip) -> tuple[Found, dict[str, str]]:
    """Return the files of each role, and for each that has none what is wrong."""
    found, said = Found(), dict[str, str]()
    for role in filter(lambda role: getattr(clip, role), ROLES):
        try:
            found[role] = files.found(clip, role)
        except VideoMaMaError as error:
            said[role] = f"{error.message.removesuffix('.')}. {error.hint}".strip()
    return found, said


def _frames(found: Found) -> list[int]:
    for role in (ALPHA, PLATE):
        if found.get(role):
            return sorted(found[role])
    return sorted({frame for role, there in found.items() if role != GROUND for frame in there})


def _look(files: ClipFiles, clip: Clip, found: Found, wanted: list[int]) -> tuple[int, int, str]:
    """Return width, height and the colour space of the first frame whose header can be read."""
    there = [frame for frame in wanted if any(frame in found[role] for role in found if role != GROUND)]
    if not there:
        return 0, 0, ""
    try:
        display = files.display(clip, there[0])
    except VideoMaMaError:
        return 0, 0, ""
    try:
        seen = files.probed(clip, there[0])
    except VideoMaMaError:
        return display.w, display.h, ""
    return display.w, display.h, color.resolve(clip.how.colorspace, seen.is_float, seen.declared)
