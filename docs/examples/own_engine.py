"""The engine `feather`: softens the mask's edge along the edges of the plate. A whole engine, to copy and change.

docs/own_engine.md explains each part; pyproject.toml beside this file makes it a package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from videomama_client.engine_settings import EngineSettings
from videomama_client.setting_spec import Range, setting
from videomama_client.settings import MatteSettings, Resolved
from videomama_server.engines.base import EngineFrame, PlainEngine, RegionRule, WindowShape

Pixels = NDArray[np.float32]
_SMALLEST_CONTRAST = 0.01  # of edges in the plate that the mask's edge follows


@dataclass(frozen=True)
class FeatherSettings(EngineSettings):
    """The engine's own settings; clients show them with these bounds and words."""

    width: float = setting(12.0, "Width of the soft edge.", within=Range(1, 100, "pixels of a plate 1920 wide"))
    mask_threshold: float = setting(0.5, "Value of the mask from which a pixel counts as subject.", within=Range(0, 1))


class Feather(PlainEngine):
    """Filters each mask with its plate as the guide (He et al. 2013); needs no GPU and no weights."""

    name = "feather"
    protocol = 1  # of engines/base.py, for which this was written
    fingerprint = "feather-1"  # changes whenever the same input would give other pixels
    window = WindowShape(length=1, overlap=0)
    record = FeatherSettings

    def rule(self, settings: MatteSettings) -> RegionRule:
        """Return a region with room for the filter, which looks twice its radius far."""
        return RegionRule(padding_pixels=max(RegionRule.padding_pixels, 2 * FeatherSettings.of(settings).width))

    def prepare(self, frame: EngineFrame, settings: Resolved) -> Pixels:
        """Return the alpha (H, W), 0..1, of one frame."""
        own = FeatherSettings.of(settings)
        radius = max(1, round(own.width * max(frame.full_size) / 1920))
        subject = (frame.mask >= own.mask_threshold).astype(np.float32)
        plate = np.ascontiguousarray(frame.plate)
        alpha = cv2.ximgproc.guidedFilter(plate, subject, radius, _SMALLEST_CONTRAST**2)
        return np.asarray(alpha.clip(0, 1), np.float32)

    def refine(self, prepared: Sequence[Pixels], settings: Resolved) -> Pixels:  # noqa: ARG002
        """Return the alphas (T, H, W) of one window."""
        return np.stack(prepared)
