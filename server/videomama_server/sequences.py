"""Numbered files on disk: patterns, frame ranges, and which file holds which frame."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import fileseq
from videomama_client.errors import BadInput

MAX_FRAMES = 1_000_000
_HASH1 = fileseq.PAD_STYLE_HASH1  # a run of n hashes is n digits, as in Nuke
_LISTED = 40
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # letters that would end a line, or steer a terminal


@dataclass(frozen=True)
class Pattern:
    """Where the frames of a sequence lie: folder, name around the number, digits, and a range if it names one.

    `digits` 0 stands for a single picture without a number, which counts as frame 1.
    """

    text: str
    folder: Path
    head: str
    digits: int
    tail: str
    frames: tuple[int, ...] | None

    def path(self, frame: int) -> Path:
        """Return the file of one frame."""
        number = str(frame).zfill(self.digits) if self.digits else ""  # the sign counts as a digit, as in Nuke
        return self.folder / f"{self.head}{number}{self.tail}"


def parse(text: str) -> Pattern:
    """Read `plate.####.exr`, `plate.%04d.exr`, `plate.1001-1040#.exr`, or the path of one picture.

    A single `#` reads any padding and writes four digits.

    Raises:
        BadInput: the pattern makes no sense.
    """
    path = Path(text)
    if not path.name or _UNSEEN.search(text) or not _encodes(text):
        raise BadInput(f"{text!r} is no file name", "Give a path such as plate.####.exr.")
    try:
        ranged = re.search(r"([-\d,xy:]+)[#@%]", path.name)
        _check_span(ranged[1] if ranged else "")
        sequence = fileseq.FileSequence(path.name, pad_style=_HASH1)  # a folder may hold # and @ in its name
    except (fileseq.FileSeqException, ValueError) as error:
        raise BadInput(f"cannot read the pattern {text}: {error}", "Write it as plate.####.exr.") from error
    frame_set = sequence.frameSet()
    digits = 4 if _any_padding(path.name) else sequence.zfill()
    return Pattern(
        text=text,
        folder=path.parent,
        head=sequence.basename(),
        digits=digits if sequence.padding() else 0,
        tail=sequence.extension(),
        frames=None if frame_set is None else tuple(int(frame) for frame in frame_set),
    )


def with_view(text: str, view: str) -> str:
    """Put a view in the place of `%V` in a pattern, and its first letter in that of `%v`.

    Raises:
        BadInput: the pattern has such a place, and no view is named.
    """
    if not view and re.search("%[Vv]", text):
        raise BadInput(f"{text} has a place for a view, and no view is named", "Name one with --view.")
    return text.replace("%V", view).replace("%v", view[:1])


def find(pattern: Pattern) -> dict[int, Path]:
    """Return the files there are, by frame number, in ascending order.

    Raises:
        BadInput: no file matches, or two files have the same number.
    """
    if pattern.digits == 0:
        path = pattern.path(1)
        found = {1: path} if path.is_file() else {}
    else:
        found = _scan(pattern)
    if pattern.frames is not None:
        found = {frame: found[frame] for frame in pattern.frames if frame in found}
    if not found:
        raise BadInput(f"no frames match {pattern.text}", "Check the folder, the name and the number of digits.")
    return dict(sorted(found.items()))


def in_folder(folder: Path, suffixes: frozenset[str]) -> Pattern:
    """Return the pattern of the only sequence in `folder` whose files end in one of `suffixes`.

    Raises:
        BadInput: none or several.
    """
    try:
        names = sorted(p.name for p in folder.iterdir() if p.suffix.lower() in suffixes and not p.name.startswith("."))
    except OSError as error:
        raise BadInput(f"cannot list {folder}: {error.strerror}", "Check the project folder.") from error
    shapes: dict[tuple[str, str], int] = {}
    for name in names:
        stem, dot, tail = name.rpartition(".")
        match = re.fullmatch(r"(.*?)(\d+)", stem)
        if match is None:
            raise BadInput(f"{folder / name} has no frame number", "Rename it, or take it out of the folder.")
        key = (match[1], dot + tail)
        shapes[key] = min(shapes.get(key, 99), len(match[2]))
    if len(shapes) != 1:
        listed = ", ".join(f"{head}#{tail}" for head, tail in shapes) or "none"
        raise BadInput(f"{folder} must hold one sequence; found {listed}", "Keep one sequence in the folder.")
    (head, tail), digits = next(iter(shapes.items()))
    return Pattern(str(folder / f"{head}{'#' * digits}{tail}"), folder, head, digits, tail, None)


def parse_range(text: str) -> list[int]:
    """Read `1001-1040`, `1-10x2, 20` into ascending frame numbers; raises `BadInput`."""
    try:
        _check_span(text)
        frames = fileseq.FrameSet(text.replace(" ", ""))
        numbers = sorted({int(frame) for frame in frames})
        whole = all(float(frame) == int(frame) for frame in frames)
    except (fileseq.FileSeqException, ValueError) as error:
        raise BadInput(f"{text!r} is no frame range", "Write it as 1001-1040, or 1-10x2,20.") from error
    if not whole or not numbers or len(numbers) > MAX_FRAMES:
        raise BadInput(f"{text!r} is no range of whole frames", "Write it as 1001-1040, or 1-10x2,20.")
    return numbers


def format_range(frames: Iterable[int]) -> str:
    """Write frame numbers as a person would, `1001-1003, 1007`; long lists are cut with a count."""
    numbers = set(frames)
    runs = _runs(numbers)
    if len(runs) > _LISTED:
        return f"{', '.join(runs[:_LISTED])} and more ({len(numbers)} frames in all)"
    return ", ".join(runs)


def whole_range(frames: Iterable[int]) -> str:
    """Write frame numbers as `format_range` does, but all of them: `parse_range` reads the same numbers back."""
    return ", ".join(_runs(frames))


def _runs(frames: Iterable[int]) -> list[str]:
    numbers = sorted(set(frames))
    runs: list[str] = []
    start = 0
    for index, number in enumerate(numbers):
        if index + 1 == len(numbers) or numbers[index + 1] != number + 1:
            runs.append(str(number) if numbers[start] == number else f"{numbers[start]}-{number}")
            start = index + 1
    return runs


def _encodes(text: str) -> bool:
    """Whether a file can have this name."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def _any_padding(name: str) -> bool:
    """Whether a pattern names its number by a single `#`."""
    return "#" in name and "##" not in name


def _check_span(text: str) -> None:
    """Raise ValueError for ranges that are too long, before fileseq counts their frames one by one."""
    if sum(abs(int(last) - int(first)) for first, last in re.findall(r"(-?\d+)-(-?\d+)", text)) > MAX_FRAMES:
        raise ValueError(f"more than {MAX_FRAMES} frames")


def _scan(pattern: Pattern) -> dict[int, Path]:
    matcher = re.compile(re.escape(pattern.head) + r"(-?\d+)" + re.escape(pattern.tail))
    lenient = _any_padding(Path(pattern.text).name)
    found: dict[int, Path] = {}
    if not pattern.folder.is_dir():
        return found
    for entry in pattern.folder.iterdir():
        match = matcher.fullmatch(entry.name)
        if match is None or not (lenient or pattern.path(int(match[1])).name == entry.name):
            continue
        if int(match[1]) in found:
            twin = found[int(match[1])].name
            raise BadInput(f"frame {int(match[1])} is there twice: {twin} and {entry.name}", "Remove one of them.")
        found[int(match[1])] = entry
    return found
