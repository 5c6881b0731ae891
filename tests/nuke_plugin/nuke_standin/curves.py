"""The `curves` of a Roto: nested lists of words, read into closed shapes that do not move.

What a shape has beyond that (keyframes, expressions, strokes, open ends, feather, transforms) is refused by its name.
What flags and attributes mean was read off scripts; those whose meaning is not known are refused too.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from nuke_standin.words import Word, split

_CLOSED = "8192"
_SHOWN = "512"
_COLOURS = ("r", "g", "b", "a")
_LOOKS = ("osw", "osf", "str", "spx", "spy", "sb", "tt", "ltn", "ltm", "ro", "go", "bo", "ao")  # brushes, overlays
_IDENTITY = (0, 0, 0, 0, 0, 0, 1, 1, 1, 0)  # translate, rotate, scale and skew, after the center


class CurveError(RuntimeError):
    """Something in a Roto that the double does not draw; the text begins with its name."""


class Shape(NamedTuple):
    """A closed shape: points of (tangent in, place, tangent out), colour red to alpha, opacity, inverted or not."""

    name: str
    points: list
    colour: list
    opacity: float
    inverted: bool


def read(text: str) -> list[Shape]:
    """Return the shapes of a text, the lowest first; raises CurveError."""
    if not text.strip():
        return []
    top = split(split(text)[0].text) if len(split(text)) == 1 else split(text)
    found: list[Shape] = []
    for word in top:
        words = split(word.text)
        if words and words[0].text == "n":
            for one in words[1:]:
                found += _element(one)
    return found


def _element(word: Word) -> list[Shape]:
    words = split(word.text)
    kind, name = words[0].text, words[1].text if len(words) > 1 else ""
    if kind == "layer":
        return _layer(name, words[2:])
    if kind == "curvegroup":
        return [_shape(name, words[2:])]
    raise CurveError(f"{name or kind}: strokes and curves of the kind {kind}")


def _layer(name: str, words: list[Word]) -> list[Shape]:
    """Return a layer's shapes; the first of the list lies on top, as in Nuke's panel."""
    found: list[Shape] = []
    for word in words:
        inside = split(word.text)
        head = inside[0].text if inside else ""
        if head in ("t", "tx"):
            _check_transform(name, head, inside[1:])
        elif head == "a":
            _check_layer(name, inside[1:])
        elif head != "f":
            found = _element(word) + found
    return found


def _check_layer(name: str, words: list[Word]) -> None:
    odd = [word.text for word in words[::2] if not word.text.startswith("pt")]
    if odd:
        raise CurveError(f"{name}: the attribute {odd[0]} of a layer")


def _check_transform(name: str, head: str, words: list[Word]) -> None:
    """Take a center; anything that moves a shape away from where its points are is refused."""
    values = [_constant(name, word) for word in words][1 if head == "tx" else 0 :]
    rest = values[3:]
    if rest and tuple(rest[: len(_IDENTITY)]) != _IDENTITY[: len(rest)]:
        raise CurveError(f"{name}: a transform")


def _shape(name: str, words: list[Word]) -> Shape:
    flags, kind, lines = words[0].text, words[1].text, split(words[2].text)
    if (flags, kind) != (_SHOWN, "bezier"):
        raise CurveError(f"{name}: a {kind} with the flags {flags}")
    points = _points(name, lines[0])
    if len(lines) > 1 and lines[1].text != "idem":
        _check_feather(name, points, _points(name, lines[1]))
    found: dict[str, float] = {}
    for word in words[3:]:
        inside = split(word.text)
        if inside[0].text in ("t", "tx"):
            _check_transform(name, inside[0].text, inside[1:])
        elif inside[0].text == "a":
            found = _attributes(name, inside[1:])
    colour = [found.get(one, 1.0) for one in _COLOURS]
    return Shape(name, points, colour, found.get("opc", 1.0), bool(found.get("inv", 0.0)))


def _attributes(name: str, words: list[Word]) -> dict[str, float]:
    found = {}
    for key, word in zip(words[::2], words[1::2]):
        if key.text in (*_COLOURS, "opc", "inv"):
            found[key.text] = _constant(name, word)
        elif key.text not in _LOOKS:
            raise CurveError(f"{name}: the attribute {key.text}")
    return found


def _points(name: str, word: Word) -> list:
    """Return triples of points from `{cc {f FLAGS} {px FRAME point ...}}` or `{cc {f FLAGS} {p point ...}}`."""
    parts = {words[0].text: words[1:] for words in (split(one.text) for one in split(word.text)[1:])}
    if [one.text for one in parts.get("f", [])] != [_CLOSED]:
        raise CurveError(f"{name}: an open shape, or one with other flags")
    listed = parts["px"][1:] if "px" in parts else parts.get("p", [])
    pairs = [_pair(name, one) for one in listed]
    if len(pairs) % 3 or len(pairs) < 6:
        raise CurveError(f"{name}: {len(pairs)} points, which are no shape")
    return [pairs[at : at + 3] for at in range(0, len(pairs), 3)]


def _pair(name: str, word: Word) -> tuple:
    numbers = split(word.text)
    if len(numbers) != 2 or any(number.kind == "brace" for number in numbers):
        raise CurveError(f"{name}: points that move, or that an expression places")
    return tuple(_number(name, number.text) for number in numbers)


def _check_feather(name: str, points: list, feather: list) -> None:
    """A feather that adds nothing has no offset, and the shape's own tangents."""
    same = len(points) == len(feather) and all(
        soft[1] == (0, 0) and soft[0] == hard[0] and soft[2] == hard[2] for hard, soft in zip(points, feather)
    )
    if not same:
        raise CurveError(f"{name}: feather")


def _constant(name: str, word: Word) -> float:
    """Return a number, or the only key of a curve."""
    inside: Any = split(word.text) if word.kind == "brace" else [word]
    if word.kind == "brace" and len(inside) == 1 and inside[0].kind == "brace":
        inside = split(inside[0].text)[1:]
    if len(inside) != 1 or inside[0].kind == "brace":
        raise CurveError(f"{name}: something that changes with time, or that an expression drives")
    return _number(name, inside[0].text)


def _number(name: str, text: str) -> float:
    """Read a decimal number, or `x` and the bits of a float in hexadecimal."""
    try:
        return struct.unpack(">f", bytes.fromhex(text[1:].zfill(8)))[0] if text.startswith("x") else float(text)
    except (ValueError, struct.error):
        raise CurveError(f"{name}: {text!r} is no number") from None
