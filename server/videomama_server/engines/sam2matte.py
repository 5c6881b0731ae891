"""The engine `sam2matte`: makes alphas with SAM 2, of one mask, of a mask per frame, or of prompts."""

from __future__ import annotations

from videomama_client.engine_settings import SamMatteSettings
from videomama_client.errors import WeightsError
from videomama_client.prompts import BOX, MASK, POINT
from videomama_client.stages import MATTING

from videomama_server.engines.base import EngineConfig, Loaded
from videomama_server.engines.segment import families, packages
from videomama_server.engines.segment.families import SAM2
from videomama_server.engines.segment.kind import TrackingKind

SMALL_CARD_BYTES = 12 * 10**9  # below, videomama has to move its weights in and out


class Sam2Matte(TrackingKind):
    """The kind of the engine; see `EngineKind`."""

    name = "sam2matte"
    family = SAM2
    role = MATTING
    prompts = (POINT, BOX, MASK)
    licence = "that of the network you put there"
    record = SamMatteSettings

    @classmethod
    def runs_well(cls, config: EngineConfig) -> bool:
        """Whether weights of its own are there and a card under 12 GB: then `auto` means it.

        A SAM 2 that makes masks is no reason: nobody has trained that for alphas.
        """
        own = config.weights / cls.name
        if config.device == "cpu" or not own.is_dir() or packages.missing():
            return False
        try:
            families.find(own, cls.name, cls.family)
        except WeightsError:
            return False
        from videomama_server.engines.runtime import device

        return 0 < device.card_bytes(config.device, config.max_vram_gb) < SMALL_CARD_BYTES

    @classmethod
    def load(cls, config: EngineConfig) -> Loaded:
        """Import torch and transformers, and load the network."""
        from videomama_server.engines.segment.matte import AlphaMaker

        return AlphaMaker(cls, config)
