# ruff: noqa: N802 - these are Nuke's names
"""What the API asks of a node's picture; the half that knows pixels answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Optional

from nuke_standin import knobs, ranges, session
from nuke_standin.formats import Info
from nuke_standin.node_core import NodeCore


class PicturedNode(NodeCore):
    """The part of Node that has to do with pictures."""

    def format(self) -> Any:
        return self._facts().format

    def width(self) -> int:
        return self._facts().format.width()

    def height(self) -> int:
        return self._facts().format.height()

    def pixelAspect(self) -> float:
        return self._facts().format.pixelAspect()

    def bbox(self) -> Info:
        x, y, r, t = self._facts().bbox
        return Info(x, y, r - x, t - y)

    def channels(self) -> list:
        return list(self._facts().channels)

    def firstFrame(self) -> int:
        return int(self._facts().first)

    def lastFrame(self) -> int:
        return int(self._facts().last)

    def frameRange(self) -> ranges.FrameRange:
        facts = self._facts()
        return ranges.FrameRange(int(facts.first), int(facts.last), 1)

    def upstreamFrameRange(self, i: int) -> Optional[ranges.FrameRange]:
        node = self._input(i)
        return node.frameRange() if node is not None else None

    def metadata(self, key: Any = None, time: Optional[float] = None, view: Optional[str] = None) -> Any:
        raise NotImplementedError("the double knows no metadata")

    def hasError(self) -> bool:
        return self.error()

    def error(self) -> bool:
        """Tell whether the node or what feeds it cannot be evaluated here and now."""
        from nuke_standin import evaluate

        return bool(evaluate.error(self, knobs.here_and_now()))

    def treeHasError(self) -> bool:
        return any(node.error() for node in upstream(self))

    def opHashes(self) -> list:
        """Return one number per view; equal ones mean equal settings upstream, not equal files."""
        return [int(_digest(self, view)[:15], 16) for view in session.current().views()]


def upstream(node: Any) -> Iterator[Any]:
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if id(here) in seen:
            continue
        seen.add(id(here))
        yield here
        waiting += [one for one in here._inputs if one is not None]


def _digest(node: Any, view: str) -> str:
    found = hashlib.sha256(view.encode())
    for one in upstream(node):
        silent = ("name", "xpos", "ypos", "selected", "label", "tile_color", "note_font")
        state = [(name, repr(knob._state())) for name, knob in one._knobs.items() if name not in silent]
        found.update(repr((one._class_name(), state)).encode("utf-8", "surrogateescape"))
    return found.hexdigest()
