"""What an engine is: the small Protocol between engines and the pipeline that feeds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from videomama_client.settings import MatteSettings

FloatArray = NDArray[np.float32]


@dataclass
class EngineFrame:
    """One frame of the region of interest, as engines see it.

    Attributes:
        number: absolute frame number.
        mask: (H, W) float32, 0..1, finite.
        full_size: (height, width) in pixels of the whole plate, the measure that radii scale with.
        load_plate: makes `plate`; called at most once, and only by engines that look at the plate.
    """

    number: int
    mask: FloatArray
    full_size: tuple[int, int]
    load_plate: Callable[[], FloatArray]

    @cached_property
    def plate(self) -> FloatArray:
        """(H, W, 3) float32, 0..1, finite: the plate, display-referred (sRGB)."""
        return self.load_plate()


@dataclass(frozen=True)
class WindowShape:
    """How many frames an engine sees at once, and how many of them neighbouring windows share."""

    length: int
    overlap: int


class Engine(Protocol):
    """A way of computing alpha.

    `prepare` is called once per frame and its result reused by every window that holds the frame; it must
    depend on that frame and the settings alone. `refine` is called once per window. Both are deterministic.
    """

    name: str
    fingerprint: str  # changes whenever the same input would give other pixels
    window: WindowShape  # the default shape; settings may ask for another

    def prepare(self, frame: EngineFrame, settings: MatteSettings) -> Any:
        """Return what `refine` needs of one frame."""
        ...

    def refine(self, prepared: Sequence[Any], settings: MatteSettings) -> FloatArray:
        """Return the alphas (T, H, W), float32, 0..1, of the T consecutive frames of one window."""
        ...
