"""The engine `mematte`: where its network lies, and what it says of itself before that is loaded."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from videomama_client.engine_settings import MEMatteSettings
from videomama_client.settings import MatteSettings

from videomama_server.engines.base import EngineConfig
from videomama_server.engines.edges import checkpoint
from videomama_server.engines.edges.engine import EdgeEngine
from videomama_server.engines.mematte import files
from videomama_server.engines.runtime import packages

if TYPE_CHECKING:
    from videomama_server.engines.edges.runner import TileRunner


class MEMatteEngine(EdgeEngine):
    """Refines edges by MEMatte (Lin et al., 2025), whose attention takes little memory, so that tiles may be large."""

    name = files.ENGINE
    fingerprint = "mematte-1"
    record = MEMatteSettings
    sides = (1536, 1024, 512)
    published_under = "MIT"

    @classmethod
    def identity(cls, config: EngineConfig) -> Hashable:
        """Return the config, and what tells its file from another that is put in its place."""
        packages.require(cls.name, ("torch",), checkpoint.EXTRA)
        return (config, checkpoint.stats([files.find(config.weights)]))

    def model_of(self, settings: MatteSettings) -> str:  # noqa: ARG002
        """Return its one network."""
        return self.name

    def files_of(self, model: str) -> tuple[Path, ...]:  # noqa: ARG002
        """Return its file of weights."""
        return (files.find(self._config.weights),)

    def runner_of(self, model: str) -> TileRunner:
        """Return what runs the network, which is loaded later."""
        from videomama_server.engines.edges.runner import Footprint, TileRunner
        from videomama_server.engines.mematte.checkpoint import load

        footprint = Footprint(weights=120_000_000, per_pixel=1100.0, per_pair=0.0)
        (path,) = self.files_of(model)
        return TileRunner(self._config, partial(load, path), footprint)
