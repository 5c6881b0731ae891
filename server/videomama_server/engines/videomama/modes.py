"""The two modes of the model, as the plan of a job sees them: how long windows are, how the region is found."""

from __future__ import annotations

from videomama_client.engine_settings import VideoMaMaSettings
from videomama_client.settings import MatteSettings

from videomama_server.engines.base import RegionRule, WindowShape

NAME = "videomama"
REFERENCE = "reference"
DEVICE = "device"  # where noise is drawn
_CONTEXT = 2  # frames that the decoder sees before and after those at home in a window
_PRODUCTION_SHAPE = WindowShape(16, 4, _CONTEXT)
_REFERENCE_SHAPE = WindowShape(16, 0, 0)
_PRODUCTION_RULE = RegionRule(padding_share=0.15, padding_pixels=96, multiple=64, minimum_gain=0.25, fixed=True)
_REFERENCE_RULE = RegionRule(minimum_gain=1.0, fixed=True)  # the whole plate, always


def shape(settings: MatteSettings) -> WindowShape:
    """Return 16 frames; overlapping by 4, but not in the published way."""
    return _REFERENCE_SHAPE if VideoMaMaSettings.of(settings).mode == REFERENCE else _PRODUCTION_SHAPE


def rule(settings: MatteSettings) -> RegionRule:
    """Return generous padding, as the model judges by what is around; the whole plate in the published way."""
    return _REFERENCE_RULE if VideoMaMaSettings.of(settings).mode == REFERENCE else _PRODUCTION_RULE
