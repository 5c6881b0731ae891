"""What an engine with a memory is: one that walks through a clip frame by frame, such as SAM 2 from a click.

The other kind of engine sees windows of frames, see `base.Engine`. Both are loaded and kept in the same way, and both
say of themselves what `base.EngineKind` asks. The shape of windows is nothing to this one: it has `WindowShape(1, 0)`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray
from videomama_client.settings import MatteSettings, Resolved
from videomama_client.stages import MAKER

from videomama_server.arrays import BoolArray, FloatArray
from videomama_server.engines.base import EngineFrame, Loaded, LoadedDefaults, RegionRule, WindowShape

Kept = dict[str, NDArray[Any]]
"""A state as it is kept on disk: plain arrays by name, no objects."""


@dataclass(frozen=True)
class FramePrompts:
    """What a person said of one object on one frame, in pixels of the frame as the engine sees it.

    Whole numbers are pixels, as `plate[y, x]` is: the pixel's own centre, which lies half a pixel further in continuous
    coordinates. Places may lie outside the frame where the person's box does.

    Attributes:
        frame: absolute frame number.
        points: (N, 2) float32: x and y, in the order in which they were given.
        labels: (N,) bool: True on the subject, False on the background.
        box: x, y, right, bottom; right and bottom are one past the last pixel; None where there is none.
        load_mask: reads the painted frame: (H, W) float32, 0..1, shaped as the settings ask; None where there is none.
    """

    frame: int
    points: FloatArray = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    labels: BoolArray = field(default_factory=lambda: np.zeros(0, bool))
    box: tuple[float, float, float, float] | None = None
    load_mask: Callable[[], FloatArray] | None = None


@dataclass(frozen=True)
class Brief:
    """All that a walk is told of its object before it begins.

    Attributes:
        prompts: of each frame that has some, ascending by frame. Those of other frames than the one that the walk
            begins on are there for engines that condition on all of them.
        text: the object in words; empty where there are none.
        start: the frame that the walk begins on: one with prompts, or where no prompt has a frame the clip's first.
        backward: whether the walk goes to lower frame numbers.
        encoded: reads a frame that has prompts, or the one that the walk begins on, and returns what `encode` makes of
            it; nothing of it is kept. Not for an engine that does not `remember`.
    """

    prompts: tuple[FramePrompts, ...]
    text: str
    start: int
    backward: bool
    encoded: Callable[[int], Any]


class SequentialEngine(Loaded, Protocol):
    """A way of computing masks, or alphas, that walks through a clip with a memory of what it saw.

    The pipeline walks forward and backward from each frame with prompts, to the next one with prompts or to the end of
    the clip. Between two of them both walks meet, and each counts the more the nearer its own prompt is. A walk is:
    `begin`, then for each frame, the first one included, `encode` and `step`. Gaps of the clip are stepped over.

    A walk is of one object, so a state is too; `encode` knows of no object.

    Kept states: after some steps the pipeline calls `export` and keeps what it returns on disk, and instead of walking
    the whole way again it calls `restore` later, perhaps in another process. From there on all masks must have the same
    bits as if the walk had gone on. So a state holds all that later steps depend on, and nothing depends on how often
    it was exported, on what other walks do, or on which frames a job asked for.
    `release` may come between two steps, when another engine needs the memory: what the engine itself holds is loaded
    again then, and states stay good.

    All of these are called by the job's own thread. Plates are made in others before, for an engine that `remembers`.
    """

    sequential: ClassVar[bool]  # True: tells this kind of engine from the other
    prompts: ClassVar[tuple[str, ...]]  # the kinds of `videomama_client.prompts` that it takes; none for none
    remembers: ClassVar[bool]  # False: a frame depends on prompts and its own plate alone; then no state is ever kept
    keep_every: ClassVar[int]  # steps between kept states; a state of some 10 MB and steps of 50 ms suit 16

    def absent(self, settings: Resolved) -> frozenset[int]:
        """Return the frames on which the settings say that the subject is not in the picture."""
        ...

    def encode(self, frame: EngineFrame, settings: Resolved) -> Any:
        """Return what `begin` and `step` need of a frame, such as its features; it depends on that frame alone.

        Args:
            frame: the whole plate, the same size for every frame of a job. Its mask is that of the job's own masks, or
                of the stage before; zeros where there are none.
            settings: of the job.
        """
        ...

    def begin(self, brief: Brief, settings: Resolved) -> Any:
        """Return the state of a walk before its first step.

        Raises:
            BadInput: nothing can be made of these prompts.
        """
        ...

    def step(self, state: Any, number: int, encoded: Any, settings: Resolved) -> FloatArray:
        """Walk on to the next frame, and return its mask (H, W), float32, 0..1: a probability where there is one.

        The state is changed in place. The first call is for the frame that the walk begins on.

        Args:
            state: of the walk.
            number: of the frame.
            encoded: what `encode` made of it.
            settings: of the job.
        """
        ...

    def export(self, state: Any) -> Kept:
        """Return a state as arrays of its own on the host; the walk goes on with the state itself."""
        ...

    def restore(self, kept: Mapping[str, NDArray[Any]], brief: Brief, settings: Resolved) -> Any:
        """Return the state that `export` was given, to the bit.

        Args:
            kept: what `export` returned, read from disk and found whole.
            brief: of the same walk; what follows from it alone need not be kept.
            settings: of the job.
        """
        ...


def is_sequential(engine: object) -> TypeGuard[SequentialEngine]:
    """Whether an engine, by its kind or itself, is a sequential one: its attribute `sequential` is true."""
    return bool(getattr(engine, "sequential", False))


def prompts_of(engine: object) -> tuple[str, ...]:
    """Return the kinds of prompts that an engine takes, by its kind or itself; only sequential ones take any."""
    return tuple(getattr(engine, "prompts", ())) if is_sequential(engine) else ()


class PlainSequentialEngine(LoadedDefaults):
    """What most sequential engines have in common: a maker of masks with nothing to decide.

    A subclass gives `name`, `protocol`, `fingerprint`, `prompts` and the five methods, and `record` where it has
    settings of its own. It is its own `EngineKind`.
    """

    role: ClassVar[str] = MAKER
    sequential: ClassVar[bool] = True
    prompts: ClassVar[tuple[str, ...]] = ()
    remembers: ClassVar[bool] = True
    keep_every: ClassVar[int] = 16
    window = WindowShape(1, 0)

    def rule(self, settings: MatteSettings) -> RegionRule:  # noqa: ARG002
        """Return that it sees whole plates."""
        return RegionRule(whole=True)

    def absent(self, settings: Resolved) -> frozenset[int]:  # noqa: ARG002
        """Return no frame: the settings say nothing of it."""
        return frozenset()

    @abstractmethod
    def encode(self, frame: EngineFrame, settings: Resolved) -> Any:
        """Return what `begin` and `step` need of a frame."""

    @abstractmethod
    def begin(self, brief: Brief, settings: Resolved) -> Any:
        """Return the state of a walk before its first step."""

    @abstractmethod
    def step(self, state: Any, number: int, encoded: Any, settings: Resolved) -> FloatArray:
        """Walk on to the next frame, and return its mask (H, W), float32, 0..1."""

    @abstractmethod
    def export(self, state: Any) -> Kept:
        """Return a state as arrays of its own on the host."""

    @abstractmethod
    def restore(self, kept: Mapping[str, NDArray[Any]], brief: Brief, settings: Resolved) -> Any:
        """Return the state that `export` was given, to the bit."""
