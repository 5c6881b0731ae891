"""A picture of the stand-in: format, box and channels at once, pixels when somebody asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from nuke_standin.pixels.boxes import Box, Format
from nuke_standin.pixels.channel_sets import in_order

Plane = np.ndarray
"""(height, width) float32 over a box; row 0 is the lowest, as Nuke counts."""


class PictureError(Exception):
    """What a render says when a picture cannot be had, in words for the artist."""


@dataclass
class Picture:
    """`fetch(name)` gives a plane over `box`; `padded` says that the outermost pixels of `box` are black padding.

    Outside its box a picture repeats its edge, as in Nuke: black outside is a border of black pixels inside the box.
    """

    format: Format
    box: Box
    channels: tuple[str, ...]
    fetch: Callable[[str], Plane]
    padded: bool = False
    _planes: dict[str, Plane] = field(default_factory=dict)

    def whole(self, name: str) -> Plane:
        """The plane over the picture's own box; zero where the channel does not exist."""
        if name not in self._planes:
            if name in self.channels:
                plane = np.asarray(self.fetch(name), np.float32)
            else:
                plane = np.zeros((self.box.height, self.box.width), np.float32)
            if plane.shape != (self.box.height, self.box.width):
                raise PictureError(f"channel {name} has {plane.shape} pixels where the box is {self.box}")
            self._planes[name] = plane
        return self._planes[name]

    def plane(self, name: str, box: Box) -> Plane:
        """The plane over any box, with the edge repeated outside."""
        whole = self.whole(name)
        if box == self.box:
            return whole
        rows = np.clip(np.arange(box.y, box.t) - self.box.y, 0, self.box.height - 1)
        columns = np.clip(np.arange(box.x, box.r) - self.box.x, 0, self.box.width - 1)
        return whole[np.ix_(rows, columns)]

    def derived(
        self,
        fetch: Callable[[str], Plane],
        *,
        channels: tuple[str, ...] | None = None,
        box: Box | None = None,
        padded: bool | None = None,
    ) -> Picture:
        """A picture of this one's format with other pixels."""
        return Picture(
            self.format,
            self.box if box is None else box,
            self.channels if channels is None else in_order(channels),
            fetch,
            self.padded if padded is None else padded,
        )


def black(form: Format) -> Picture:
    """No channels at all: zero wherever it is asked."""
    return Picture(form, form.box, (), _nothing)


def _nothing(name: str) -> Plane:
    raise PictureError(f"no channel {name}")
