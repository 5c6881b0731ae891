"""The engine `adjust`: joins the adjustments of one alpha and the filter over time behind the Engine Protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from videomama_client.engine_settings import AdjustSettings
from videomama_client.settings import MatteSettings, Resolved
from videomama_client.stages import ADJUSTMENT

from videomama_server.arrays import REFERENCE_SIDE, FloatArray
from videomama_server.engines.adjust.deflicker import View, steadied
from videomama_server.engines.adjust.edges import feathered, grown, levelled, shifted
from videomama_server.engines.adjust.specks import despeckled
from videomama_server.engines.base import PROTOCOL, EngineFrame, PlainEngine, RegionRule, WindowShape


@dataclass(frozen=True)
class AdjustedFrame:
    """One frame after all that looks at it alone.

    Attributes:
        alpha: (H, W), 0..1.
        view: of the plate; None where nothing is steadied.
    """

    alpha: FloatArray
    view: View | None


class AdjustEngine(PlainEngine):
    """Adjusts a finished alpha, which stands in place of the mask; the plate is looked at for deflicker alone."""

    name = "adjust"
    role = ADJUSTMENT
    record = AdjustSettings
    protocol = PROTOCOL
    fingerprint = "adjust-1"
    window = WindowShape(length=1, overlap=0)

    @classmethod
    def shape(cls, settings: MatteSettings) -> WindowShape:
        """Return single frames, which look at their neighbours where they are steadied."""
        options = AdjustSettings.of(settings)
        return replace(cls.window, context=options.deflicker_radius if options.deflicker else None)

    def rule(self, settings: MatteSettings) -> RegionRule:
        """Return the whole plate: what grows or moves must not be cut off."""
        return RegionRule(whole=True, fixed=AdjustSettings.of(settings).deflicker > 0)

    def resolve(self, settings: MatteSettings, size: tuple[int, int]) -> Resolved:
        """Return the settings; raises `BadInput` for options that contradict each other."""
        AdjustSettings.of(settings).check()
        return super().resolve(settings, size)

    def prepare(self, frame: EngineFrame, settings: Resolved) -> AdjustedFrame:
        """Adjust one frame by itself."""
        options, scale = AdjustSettings.of(settings), max(frame.full_size) / REFERENCE_SIDE
        alpha = feathered(grown(frame.mask, options.grow * scale), options.feather * scale)
        alpha = shifted(alpha, options.offset_x * scale, options.offset_y * scale)
        alpha = despeckled(levelled(alpha, options.black, options.white), options.despeckle * scale**2)
        return AdjustedFrame(alpha, View.of(frame.number, frame.plate) if options.deflicker else None)

    def refine(self, prepared: Sequence[AdjustedFrame], settings: Resolved) -> FloatArray:  # noqa: ARG002
        """Return the alphas (T, H, W) of one window, each adjusted by itself."""
        return np.stack([frame.alpha for frame in prepared])

    def complete(
        self,
        estimates: Sequence[FloatArray],
        prepared: Sequence[AdjustedFrame],
        wanted: Sequence[int],
        settings: Resolved,
    ) -> list[FloatArray]:
        """Return the alphas at the positions `wanted`, steadied where that is asked for."""
        options = AdjustSettings.of(settings)
        views = [frame.view for frame in prepared if frame.view is not None]
        if not views:
            return [estimates[position] for position in wanted]
        return [
            steadied(estimates, views, position, options.deflicker, options.deflicker_radius) for position in wanted
        ]
