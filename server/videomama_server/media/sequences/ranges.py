"""Frame ranges as people write them, and the runs of equal step that frames fall into."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import fileseq
from videomama_client.errors import BadInput

MAX_FRAMES = 1_000_000
_LISTED = 40
_PROPOSED = 5  # runs that a hint names
_HOW = "Write it as 1001-1040, 1001-1039x2 or 1-10,20."


def parse_range(text: str) -> list[int]:
    """Read `1001-1040`, `1001-1039x2`, `-5--2` or `1-10x2, 20` into ascending frame numbers.

    This is the one meaning of a range, wherever one is written. `x2` takes every second frame from the first on.

    Raises:
        BadInput: not a range, not of whole frames, or of more than `MAX_FRAMES`.

    Example:
        >>> parse_range("1001-1005x2, 1010")
        [1001, 1003, 1005, 1010]
    """
    try:
        _check_span(text)
        parts = filter(None, text.replace(" ", "").split(","))
        frames = {frame for part in parts for frame in fileseq.FrameSet(part)}  # of all at once it takes their square
        numbers = sorted({int(frame) for frame in frames})
        whole = all(float(frame) == int(frame) for frame in frames)
    except (fileseq.FileSeqException, ValueError) as error:
        raise BadInput(f"{text!r} is not a valid frame range", _HOW) from error
    if not whole or not numbers or len(numbers) > MAX_FRAMES:
        raise BadInput(f"{text!r} is not a valid range of whole frames", _HOW)
    return numbers


def format_range(frames: Iterable[int]) -> str:
    """Write frame numbers as a person would, `1001-1003, 1007-1011x2`; long lists are cut with a count.

    Example:
        >>> format_range([1001, 1002, 1003, 1010])
        '1001-1003, 1010'
    """
    numbers = set(frames)
    pieces = _pieces(numbers)
    if len(pieces) > _LISTED:
        return f"{', '.join(pieces[:_LISTED])} and more ({len(numbers)} frames in all)"
    return ", ".join(pieces)


def whole_range(frames: Iterable[int]) -> str:
    """Write frame numbers as `format_range` does, but all of them: `parse_range` reads the same numbers back."""
    return ", ".join(_pieces(frames))


def clip_frames(text: str, there: Iterable[int]) -> list[int]:
    """Return the frames of a clip, ascending: those that `text` names, by default all from the first to the last.

    Args:
        text: a range; empty for the default.
        there: the plate frames that exist; only asked for the default.

    Raises:
        BadInput: `text` is not a range, or there are more than `MAX_FRAMES` from the first to the last.
    """
    if text:
        return parse_range(text)
    numbers = sorted(there)
    if numbers[-1] - numbers[0] >= MAX_FRAMES:
        raise BadInput(
            f"the plates run from frame {numbers[0]} to {numbers[-1]}, more than {MAX_FRAMES} frames",
            "Name the frames of the clip with --clip.",
        )
    return list(range(numbers[0], numbers[-1] + 1))


def runs(frames: Iterable[int]) -> list[range]:
    """Split frames into runs of equal step, ascending: `1-9x2, 20` are two, `1-10, 12-20x2` are `1-10` and `12-20x2`.

    A run goes on for as long as its step stays the same. A frame that is nearer to the next run's than to its own
    next frame never begins that run: `1, 5-9` are `1` and `5-9`. A single frame has the step 1.
    """
    numbers = sorted(set(frames))
    found: list[range] = []
    start = 0
    while start < len(numbers):
        end = _end_of_run(numbers, start)
        step = numbers[start + 1] - numbers[start] if end > start + 1 else 1
        found.append(range(numbers[start], numbers[end - 1] + 1, step))
        start = end
    return found


def even_step(frames: Iterable[int]) -> int:
    """Return how far apart frames are, or 0 where they are not equally far apart.

    Two frames with a gap tell nothing: 0.
    """
    found = runs(frames)
    if len(found) != 1 or (found[0].step > 1 and len(found[0]) < 3):
        return 0
    return found[0].step


def consecutive(frames: Iterable[int]) -> dict[int, int]:
    """Return a number for each frame, by which the frames of a run of any step follow each other one by one.

    Frames of different runs do not follow each other. Frames one apart keep their own numbers.
    """
    return {frame: run.start + place for run in runs(frames) for place, frame in enumerate(run)}


def spread(frames: Sequence[int], count: int) -> list[int]:
    """Return at most `count` of ascending frames, evenly, the first and the last among them; of one the middle."""
    if len(frames) <= count:
        return list(frames)
    if count == 1:
        return [frames[len(frames) // 2]]
    step = (len(frames) - 1) / (count - 1)
    return [frames[round(at * step)] for at in range(count)]


def gap_hint(there: Iterable[int]) -> str:
    """Say what to do where frames of a clip are missing.

    Args:
        there: the frames that every role has.
    """
    there = set(there)
    if not there:
        return "Plate and mask share no frame: number them alike."
    named = whole_range(there).replace(" ", "")
    if (step := even_step(there)) > 1:
        return f"The frames are {step} apart. If none is missing, name them: --clip {named}."
    if len(runs(there)) > _PROPOSED:
        return "Render them, or name the frames that exist with --clip, such as 1001-1040,1051-1090."
    return f"Render them, or name the frames that exist: --clip {named}."


def _end_of_run(numbers: Sequence[int], start: int) -> int:
    """Return the index after the last frame of the run that begins at `start`."""
    if start + 1 == len(numbers):
        return start + 1
    step = numbers[start + 1] - numbers[start]
    end = start + 2
    while end < len(numbers) and numbers[end] - numbers[end - 1] == step:
        end += 1
    apart = end == start + 2 and end < len(numbers) and numbers[end] - numbers[end - 1] < step
    return start + 1 if apart else end


def _pieces(frames: Iterable[int]) -> list[str]:
    return [piece for run in runs(frames) for piece in _written(run)]


def _written(run: range) -> list[str]:
    if len(run) < 3 and run.step > 1:
        return [str(frame) for frame in run]
    if len(run) == 1:
        return [str(run.start)]
    return [f"{run.start}-{run[-1]}" + (f"x{run.step}" if run.step > 1 else "")]


def _check_span(text: str) -> None:
    """Raise ValueError for ranges that are too long, before fileseq counts their frames one by one."""
    if sum(abs(int(last) - int(first)) for first, last in re.findall(r"(-?\d+)-(-?\d+)", text)) > MAX_FRAMES:
        raise ValueError(f"more than {MAX_FRAMES} frames")
