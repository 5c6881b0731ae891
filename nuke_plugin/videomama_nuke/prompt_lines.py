"""Prompts as lines of text, such as `dog: add 1001:640.5,300.5`, in the pixels that Nuke shows. Knows no Nuke.

Nuke counts upwards from the lower left corner, and a pixel's centre lies at a half. Jobs count downwards, in whole
pixels.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from videomama_client.errors import BadInput
from videomama_client.prompts import BOX, MASK, POINT, TEXT, Prompt

ADD, SUBTRACT, AROUND, SAY, PAINTED, ABSENT = "add", "subtract", "box", "say", "painted", "absent"
_LINE = re.compile(r"(?:([A-Za-z]\w*)\s*:\s+)?(\w+)\s+(\S.*)")
_PLACE = re.compile(r"(-?\d+)\s*:\s*(\S.*)")
_FORMS = {
    ADD: "add 1001:640.5,300.5",
    SUBTRACT: "subtract 1001:80.5,40.5",
    AROUND: "box 1001:10,10,410,510",
    SAY: "say the dog",
    PAINTED: "painted 1001",
    ABSENT: "absent 1010-1020",
}
_CENTRE = 0.5  # of a pixel


def read(text: str, height: int) -> tuple[Prompt, ...]:
    """Return the prompts of a text of lines; the file of a painted frame is left open.

    Args:
        text: as the knob has it; empty lines count for nothing.
        height: of the plate's format, in pixels.

    Raises:
        BadInput: a line is not a prompt; the message has the line.
    """
    return tuple(_read(one, height) for one in _lines(text) if one.word != ABSENT)


def absent(text: str) -> dict[str, str]:
    """Return the frames in which objects are not in the picture, by their names; raises as `read`."""
    found: dict[str, list[str]] = {}
    for one in _lines(text):
        if one.word == ABSENT:
            found.setdefault(one.name, []).append(one.rest)
    return {name: ",".join(ranges) for name, ranges in found.items()}


def line_of(word: str, value: str, frame: int | None = None, name: str = "") -> str:
    """Return a line, such as `dog: add 1001:640.5,300.5`.

    Args:
        word: what kind of prompt it is.
        value: place or words; empty for a painted frame.
        frame: that it is on; None for words, which are of the whole clip.
        name: of the object that it is of.
    """
    where = "" if frame is None else f"{frame}:" if value else str(frame)
    return f"{f'{name}: ' if name else ''}{word} {where}{value}"


@dataclass(frozen=True)
class _Line:
    """A line in its parts: the object that it is of, its kind, and what follows."""

    text: str
    name: str
    word: str
    rest: str


def _lines(text: str) -> list[_Line]:
    return [_parted(line.strip()) for line in text.splitlines() if line.strip()]


def _parted(line: str) -> _Line:
    found = _LINE.fullmatch(line)
    if found is None or found[2] not in _FORMS:
        raise BadInput(f"the prompt {line!r} cannot be read", f"Write a line such as: {'; '.join(_FORMS.values())}.")
    return _Line(line, found[1] or "", found[2], found[3])


def _read(one: _Line, height: int) -> Prompt:
    line, name, word, rest = one.text, one.name, one.word, one.rest
    if word == SAY:
        return Prompt(TEXT, text=rest, object=name)
    if word == PAINTED:
        if not re.fullmatch(r"-?\d+", rest):
            raise _wrong(line, word)
        return Prompt(MASK, int(rest), object=name)
    place = _PLACE.fullmatch(rest)
    numbers = list(_numbers(place[2])) if place else []
    if place is None or len(numbers) != (4 if word == AROUND else 2):
        raise _wrong(line, word)
    frame = int(place[1])
    if word == AROUND:
        return Prompt(BOX, frame, _box(numbers, height, line), object=name)
    x, y = numbers
    return Prompt(POINT, frame, (x - _CENTRE, height - y - _CENTRE), word == ADD, object=name)


def _numbers(text: str) -> Iterator[float]:
    for word in text.split(","):
        try:
            number = float(word)
        except ValueError:
            return
        if not math.isfinite(number):
            return
        yield number


def _box(numbers: list[float], height: int, line: str) -> tuple[float, ...]:
    left, bottom, right, top = numbers
    if right <= left or top <= bottom:
        raise BadInput(f"the box of the prompt {line!r} is empty", "Write left, bottom, right, top.")
    return left, height - top, right - left, top - bottom


def _wrong(line: str, word: str) -> BadInput:
    return BadInput(f"the prompt {line!r} cannot be read", f"Write it as {_FORMS[word]}.")
