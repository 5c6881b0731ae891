"""What all edge refiners do behind the Engine Protocol: trimap, tiles, reuse, the filter over time; without torch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import cv2
import numpy as np
from videomama_client.engine_options import settled
from videomama_client.engine_settings import TRIMAP, EdgeSettings
from videomama_client.settings import MatteSettings, Resolved
from videomama_client.stages import REFINER
from videomama_client.trimap_presets import with_numbers

from videomama_server.arrays import REFERENCE_SIDE, BoolArray, FloatArray, HalfArray
from videomama_server.engines.base import (
    PROTOCOL,
    EngineConfig,
    EngineFrame,
    EngineUsage,
    FrameRefused,
    PlainEngine,
    RegionRule,
    WindowShape,
)
from videomama_server.engines.edges import checkpoint, reuse
from videomama_server.engines.edges.refining import busy_tiles
from videomama_server.engines.edges.reuse import ReuseCount
from videomama_server.engines.edges.trimap import UNKNOWN, Widths, has_edge, trimap_of
from videomama_server.engines.edges.window import EdgeFrame, EdgeWindow, shown
from videomama_server.engines.flow_filter import FlickeringFrame, blended
from videomama_server.engines.motion import REACH
from videomama_server.engines.runtime import file_digests
from videomama_server.media.reduction import averaged, fitted_size

if TYPE_CHECKING:
    from videomama_server.engines.edges.runner import TileRunner

_VIEW = 960  # long side, in pixels, of the plate that motion is followed in
_GRAIN = 1.0  # pixels of the view: standard deviation of the blur that quietens grain
_MOST_COUNTS = 64  # of jobs, that are kept
_WIDEST = 200.0  # pixels of a plate 1920 wide: room around the region that a network judges by


class EdgeEngine(PlainEngine):
    """Refines the edge of a finished alpha, which stands in place of the mask, at the plate's full resolution.

    A subclass gives `name`, `fingerprint`, `record`, `sides`, `published_under`, `identity`, `model_of`, `files_of`
    and `runner_of`.
    """

    role = REFINER
    needs_device = True
    protocol = PROTOCOL
    record: ClassVar[type[EdgeSettings]]
    window = WindowShape(length=1, overlap=0)
    sides: ClassVar[tuple[int, ...]]  # of tiles, the best first
    published_under: ClassVar[str]  # the licence of the weights

    def __init__(self, config: EngineConfig) -> None:
        super().__init__(config)
        self._config = config
        self._runners: dict[str, TileRunner] = {}
        self._digests: dict[Hashable, str] = {}
        self._counts: dict[Resolved, ReuseCount] = {}  # of the jobs that were resolved last

    @classmethod
    def runs_well(cls, config: EngineConfig) -> bool:  # noqa: ARG003
        """Return False: nothing takes a refiner by itself."""
        return False

    @classmethod
    @abstractmethod
    def identity(cls, config: EngineConfig) -> Hashable:
        """Return the config, and what tells its weights from others; see `EngineKind.identity`."""

    @abstractmethod
    def model_of(self, settings: MatteSettings) -> str:
        """Return which of the engine's networks settings ask for."""

    @abstractmethod
    def files_of(self, model: str) -> tuple[Path, ...]:
        """Return the files of a network; raises `WeightsError` where they are missing."""

    @abstractmethod
    def runner_of(self, model: str) -> TileRunner:
        """Return what runs a network, which is loaded later; raises as `files_of`."""

    @classmethod
    def shape(cls, settings: MatteSettings) -> WindowShape:
        """Return single frames that look at two on either side, or windows of eight where frames may be reused."""
        own = cls.record.of(settings)
        if own.show == TRIMAP:
            return cls.window
        return WindowShape(reuse.WINDOW if own.reuse else 1, 0, REACH if own.steady else None)

    def rule(self, settings: MatteSettings) -> RegionRule:  # noqa: ARG002
        """Return room for the network to look around, one rectangle for all frames: tiles must not move."""
        return RegionRule(padding_pixels=_WIDEST, multiple=32, fixed=True)

    def resolve(self, settings: MatteSettings, size: tuple[int, int]) -> Resolved:
        """Return the settings with trimap and tile decided; `weights` is their digest, device and number format."""
        own = self.record.of(settings)
        own.check()
        asked = settled(self.name, self.options(), settings.engine_options)
        decided = with_numbers(replace(settings, engine_options=asked))
        if own.show == TRIMAP:  # whatever network would refine it
            return Resolved(decided.with_options(tile=None, weights=None, steady=None, reuse=None, model=None))
        runner = self._runner(decided)
        side = runner.side((own.tile,) if own.tile else self.sides, size)
        made_by = f"{self._digest(decided)} {runner.arithmetic}"
        found = Resolved(decided.with_options(tile=side, weights=made_by))
        self._counts.pop(found, None)
        return found

    def licence(self, settings: MatteSettings) -> str:
        """Return that of the published weights, and what their training data allow; none for a trimap alone."""
        if self.record.of(settings).show == TRIMAP:
            return ""
        return f"{self.published_under}, trained on Composition-1k (research and non-commercial use)"

    def describe(self, settings: Resolved) -> str:
        """Say what the job runs on, its tiles, and what reuse came to."""
        own, count = self.record.of(settings), self._counts.get(settings)
        if own.show == TRIMAP:
            return "the trimap alone"
        said = f"{self._runner(settings).name}, tiles of {own.tile} pixels"
        reused = count.describe() if count and own.reuse else ""
        return f"{said}; {reused}" if reused else said

    def prepare(self, frame: EngineFrame, settings: Resolved) -> EdgeFrame:
        """Make the trimap of one frame; the plate is not asked for where the alpha shows no edge.

        Raises:
            FrameRefused: the alpha shows an edge, and the trimap leaves nothing unknown.
        """
        own, alpha = self.record.of(settings), frame.mask
        scale = max(frame.full_size) / REFERENCE_SIDE
        widths = Widths.of(own, scale)
        if not has_edge(alpha, widths):
            return EdgeFrame(alpha, np.zeros(alpha.shape, np.bool_), scale)
        trimap = trimap_of(alpha, frame.plate, widths)
        unknown = trimap == UNKNOWN
        if own.show == TRIMAP:
            return EdgeFrame(alpha, unknown, scale, trimap)
        if not unknown.any():
            raise _empty_band(own.trimap_mode, frame.number)
        assert own.tile is not None  # decided by `resolve`
        view = _view(frame.plate) if own.steady else None
        return EdgeFrame(alpha, unknown, scale, trimap, _kept(frame.plate, unknown, own.tile), view)

    def refine(self, prepared: Sequence[EdgeFrame], settings: Resolved) -> FloatArray:
        """Return the alphas (T, H, W), float32, 0..1, of one window, each refined by itself or reused."""
        own = self.record.of(settings)
        if own.show == TRIMAP:
            return np.stack([shown(frame) for frame in prepared])
        assert own.tile is not None  # decided by `resolve`
        runner = self._runner(settings)
        for other in self._runners.values():
            if other is not runner:
                other.release()
        work = EdgeWindow(runner.estimate, own.tile, own.reuse, self._count(settings))
        alphas = [work.alpha_of(frame) for frame in prepared]
        work.measure()
        for frame in prepared:
            frame.trimap = frame.plate = None
        return alphas[0][None] if len(alphas) == 1 else np.stack(alphas)

    def complete(
        self,
        estimates: Sequence[FloatArray],
        prepared: Sequence[EdgeFrame],
        wanted: Sequence[int],
        settings: Resolved,
    ) -> list[FloatArray]:
        """Return the alphas at the positions `wanted`, steadied within their bands where that is asked for."""
        own = self.record.of(settings)
        if not own.steady or own.show == TRIMAP or len(estimates) == 1:
            return [estimates[position] for position in wanted]
        frames = {
            position: FlickeringFrame(estimate, prepared[position].view) for position, estimate in enumerate(estimates)
        }
        found = []
        for position, calm in zip(wanted, blended(frames, wanted), strict=True):
            alpha, band = estimates[position].copy(), prepared[position].unknown
            alpha[band] += np.float32(own.steady) * (calm[band] - alpha[band])
            found.append(np.clip(alpha, 0, 1, out=alpha))
        return found

    def usage(self) -> EngineUsage | None:
        """Return what the networks hold of their device; None while none is loaded."""
        return next(filter(None, (runner.usage() for runner in self._runners.values())), None)

    def give_back_memory(self) -> None:
        """Return memory of the device that no tensor is in to other programs."""
        for runner in self._runners.values():
            runner.give_back_memory()

    def release(self) -> None:
        """Free the networks; the next window loads what it needs again."""
        for runner in self._runners.values():
            runner.release()

    def _runner(self, settings: MatteSettings) -> TileRunner:
        which = self.model_of(settings)
        if which not in self._runners:
            self._runners[which] = self.runner_of(which)
        return self._runners[which]

    def _digest(self, settings: MatteSettings) -> str:
        paths = self.files_of(self.model_of(settings))
        known_by = (paths, checkpoint.stats(paths))
        if known_by not in self._digests:
            self._digests[known_by] = file_digests.digest(paths)
        return self._digests[known_by]

    def _count(self, settings: Resolved) -> ReuseCount:
        while len(self._counts) > _MOST_COUNTS:
            self._counts.pop(next(iter(self._counts)))
        return self._counts.setdefault(settings, ReuseCount())


def _kept(plate: FloatArray, unknown: BoolArray, side: int) -> HalfArray:
    """Return a plate in half precision, of which only the tiles that have unknown pixels are there.

    The rest is 0 and never touched, so that the system gives no memory for it.
    """
    kept = np.zeros(plate.shape, np.float16)
    for tile in busy_tiles(unknown, side):
        kept[tile.where] = plate[tile.where]
    return kept


def _view(plate: FloatArray) -> FloatArray:
    """Return a small plate to follow motion in."""
    small = averaged(plate, fitted_size((plate.shape[0], plate.shape[1]), _VIEW))
    return np.asarray(cv2.GaussianBlur(small, (0, 0), _GRAIN), np.float32)


def _empty_band(mode: str, frame: int) -> FrameRefused:
    """Return the error of a frame that shows an edge and whose trimap has no unknown pixel."""
    alphas = "lower --trimap-background or raise --trimap-foreground"
    widths = "raise --trimap-inside or --trimap-outside"
    hint = alphas if mode == "probability" else widths
    message = "the trimap has no unknown pixels although the alpha shows an edge, so there is nothing to refine"
    return FrameRefused(message, f"{hint[:1].upper()}{hint[1:]}.").at("mask", frame)
