"""What the engine `videomama` says of itself before it is made; imports torch only where nothing else can tell."""

from __future__ import annotations

from collections.abc import Hashable
from importlib.util import find_spec

from videomama_client.engine_settings import VideoMaMaSettings
from videomama_client.errors import WeightsError
from videomama_client.setting_spec import SettingSpec, specs_of
from videomama_client.settings import MatteSettings

from videomama_server.engines.base import PROTOCOL, Engine, EngineConfig, WindowShape
from videomama_server.engines.videomama import modes
from videomama_server.engines.videomama.checkpoint import layouts


class VideoMama:
    """The kind of `VideoMamaEngine`; see `EngineKind`."""

    name = modes.NAME
    protocol = PROTOCOL
    needs_device = True

    @classmethod
    def runs_well(cls, config: EngineConfig) -> bool:
        """Whether weights are there, and a GPU that the config lets the engine use.

        So it does where the config names a GPU: one that is not there is an error of the job, and no reason to compute
        on the processor.
        """
        if config.device == "cpu" or not config.weights.exists():
            return False
        try:
            layouts.find(config.weights)
            if config.device != "auto":
                return True
            from videomama_server.engines.runtime import device
        except (WeightsError, ModuleNotFoundError):
            return False
        return device.has_card()

    @classmethod
    def identity(cls, config: EngineConfig) -> Hashable:
        """Return the config, and what tells the two files of weights from others that are put in their place."""
        found = layouts.find(config.weights)
        if find_spec("torch") is None:
            raise ModuleNotFoundError("the engine needs torch", name="torch")
        stats = [path.stat() for path in (found.unet, found.vae)]
        return (config, *((stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in stats))

    @classmethod
    def shape(cls, settings: MatteSettings) -> WindowShape:
        """Return what the mode works with."""
        return modes.shape(settings)

    @classmethod
    def options(cls) -> tuple[SettingSpec, ...]:
        """Return what is known of the settings in its record."""
        return specs_of(VideoMaMaSettings)

    @classmethod
    def load(cls, config: EngineConfig) -> Engine:
        """Import torch and make the engine."""
        from videomama_server.engines.videomama.engine import VideoMamaEngine

        return VideoMamaEngine(config)
