# ruff: noqa: N802, N803 - these are Nuke's names
"""Sizes of pictures: formats, boxes, and the context (frame, view) in which something is evaluated."""

from __future__ import annotations

from typing import Any, Optional

from nuke_standin import session
from nuke_standin.session import Guarded

ROOT_FORMAT = "2048 1556 0 0 2048 1556 1 2K_Super_35(full-ap)"
NAMED = (
    "640 480 0 0 640 480 1 PC_Video",
    "1280 720 0 0 1280 720 1 HD_720",
    "1920 1080 0 0 1920 1080 1 HD_1080",
    "3840 2160 0 0 3840 2160 1 UHD_4K",
    ROOT_FORMAT,
    "1828 1556 0 0 1828 1556 2 2K_Cinemascope",
    "2048 1080 0 0 2048 1080 1 2K_DCP",
    "4096 3112 0 0 4096 3112 1 4K_Super_35(full-ap)",
    "256 256 0 0 256 256 1 square_256",
    "512 512 0 0 512 512 1 square_512",
    "1024 1024 0 0 1024 1024 1 square_1K",
    "2048 2048 0 0 2048 2048 1 square_2K",
)


class Format(Guarded):
    """Width, height, the box inside them, pixel aspect and a name."""

    def __init__(
        self, width: int, height: int, x: int = 0, y: int = 0, r: int = 0, t: int = 0, pixelAspect: float = 1.0
    ) -> None:
        self._size = (int(width), int(height))
        self._box = (int(x), int(y), int(r) or int(width), int(t) or int(height))
        self._aspect = float(pixelAspect)
        self._name: Optional[str] = None

    def width(self) -> int:
        return self._size[0]

    def height(self) -> int:
        return self._size[1]

    def x(self) -> int:
        return self._box[0]

    def y(self) -> int:
        return self._box[1]

    def r(self) -> int:
        return self._box[2]

    def t(self) -> int:
        return self._box[3]

    def pixelAspect(self) -> float:
        return self._aspect

    def name(self) -> Optional[str]:
        return self._name

    def setName(self, name: str) -> None:
        self._name = name

    def add(self, name: str) -> None:
        """Name the format and put it among the formats that a person can choose."""
        self._name = name
        session.current().formats.append(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Format) and _facts(self) == _facts(other)

    def __hash__(self) -> int:
        return hash(_facts(self))

    def __repr__(self) -> str:
        return f"<Format {self._text()}>"

    def _text(self) -> str:
        numbers = [*self._size, *self._box, f"{self._aspect:g}"]
        return " ".join(str(part) for part in [*numbers, *([self._name] if self._name else [])])


def _facts(of: Format) -> tuple:
    return (of._size, of._box, of._aspect, of._name)


def parsed(text: str) -> Format:
    """Read `w h x y r t aspect name`, `w h aspect name`, `w h`, or the name of a known format."""
    words = text.split()
    numbers: list[float] = []
    while words and len(numbers) < 7 and _number(words[0]) is not None:
        numbers.append(float(words.pop(0)))
    if len(numbers) < 2:
        return _named(text.strip())
    if len(numbers) in (2, 3):
        found = Format(int(numbers[0]), int(numbers[1]), pixelAspect=numbers[2] if len(numbers) == 3 else 1.0)
    elif len(numbers) in (6, 7):
        found = Format(*(int(n) for n in numbers[:6]), pixelAspect=numbers[6] if len(numbers) == 7 else 1.0)
    else:
        raise ValueError(f"no format: {text!r}")
    found._name = " ".join(words) or None
    return found


def _number(word: str) -> Optional[float]:
    try:
        return float(word)
    except ValueError:
        return None


def _named(name: str) -> Format:
    for known in session.current().formats:
        if known._name == name:
            return known
    raise ValueError(f"no format named {name!r}")


class Info(Guarded):
    """A bounding box: x, y, width and height. It has no r or t."""

    def __init__(self, x: float, y: float, w: float, h: float) -> None:
        self._box = (float(x), float(y), float(w), float(h))

    def x(self) -> float:
        return self._box[0]

    def y(self) -> float:
        return self._box[1]

    def w(self) -> float:
        return self._box[2]

    def h(self) -> float:
        return self._box[3]


class Layer(Guarded):
    """A layer that exists from now on."""

    def __init__(self, name: str, channels: Any = ()) -> None:
        self._name = name
        session.current().layers.add(name, list(channels))

    def name(self) -> str:
        return self._name

    def channels(self) -> list[str]:
        return session.current().layers.channels(self._name)


class OutputContext(Guarded):
    """Frame and view. Views count from 1; 0 is the default view, which viewcount includes."""

    def __init__(self) -> None:
        here = session.current()
        self._frame = here.frame()
        self._view = 1

    def frame(self) -> float:
        return self._frame

    def setFrame(self, frame: float) -> None:
        self._frame = float(frame)

    def view(self) -> int:
        return self._view

    def setView(self, view: int) -> None:
        if not 0 <= view < self.viewcount():
            raise ValueError(f"no view {view}")
        self._view = view

    def viewcount(self) -> int:
        return len(session.current().views()) + 1

    def viewname(self, n: int) -> str:
        return session.current().views()[n - 1] if n else "default"

    def viewshort(self, n: int) -> str:
        return self.viewname(n)[:1]

    def viewFromName(self, name: str) -> int:
        return session.current().views().index(name) + 1
