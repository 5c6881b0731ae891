"""What the engines that follow a subject say of themselves before they are made; imports no torch."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from videomama_client.engine_settings import EngineSettings, TrackingSettings
from videomama_client.setting_spec import SettingSpec, specs_of
from videomama_client.settings import MatteSettings
from videomama_client.stages import MAKER

from videomama_server.engines.base import PROTOCOL, EngineConfig, WindowShape
from videomama_server.engines.segment import families
from videomama_server.engines.segment.families import NetworkFiles
from videomama_server.engines.segment.packages import require


class TrackingKind:
    """The part of `EngineKind` that these engines share.

    A subclass gives `name`, `family`, `prompts`, `licence` and `load`.
    """

    name: ClassVar[str]
    family: ClassVar[str]
    prompts: ClassVar[tuple[str, ...]]
    licence: ClassVar[str]  # of the published weights
    protocol: ClassVar[int] = PROTOCOL
    role: ClassVar[str] = MAKER
    sequential: ClassVar[bool] = True
    remembers: ClassVar[bool] = True
    keep_every: ClassVar[int] = 16
    needs_device: ClassVar[bool] = True
    record: ClassVar[type[EngineSettings]] = TrackingSettings

    @classmethod
    def runs_well(cls, config: EngineConfig) -> bool:  # noqa: ARG003
        """Return False: `auto` never means it."""
        return False

    @classmethod
    def files(cls, config: EngineConfig) -> NetworkFiles:
        """Return the network's files; raises WeightsError where packages or files are missing."""
        require(cls.name)
        return families.find(config.weights, cls.name, cls.family)

    @classmethod
    def identity(cls, config: EngineConfig) -> Hashable:
        """Return the config, and what tells the network's files from others that are put in their place."""
        stats = [path.stat() for path in cls.files(config).files()]
        return (config, *((stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in stats))

    @classmethod
    def shape(cls, settings: MatteSettings) -> WindowShape:  # noqa: ARG003
        """Return single frames: it walks."""
        return WindowShape(1, 0)

    @classmethod
    def options(cls) -> tuple[SettingSpec, ...]:
        """Return what is known of the settings in its record."""
        return specs_of(cls.record)
