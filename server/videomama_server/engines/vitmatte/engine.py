"""The engine `vitmatte`: which networks it has, and what it says of itself before one is loaded."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from videomama_client.engine_settings import ViTMatteSettings
from videomama_client.settings import MatteSettings

from videomama_server.engines.base import EngineConfig
from videomama_server.engines.edges import checkpoint
from videomama_server.engines.edges.engine import EdgeEngine
from videomama_server.engines.runtime import packages
from videomama_server.engines.vitmatte import files

if TYPE_CHECKING:
    from videomama_server.engines.edges.runner import TileRunner


class ViTMatteEngine(EdgeEngine):
    """Refines edges by ViTMatte (Yao et al., 2023), in the class that transformers has of it."""

    name = files.ENGINE
    fingerprint = "vitmatte-1"
    record = ViTMatteSettings
    sides = (1024, 768, 512, 384)
    published_under = "Apache-2.0"

    @classmethod
    def identity(cls, config: EngineConfig) -> Hashable:
        """Return the config, and what tells its files from others that are put in their place."""
        packages.require(cls.name, ("torch", "transformers"), checkpoint.EXTRA)
        return (config, checkpoint.stats(files.found(config.weights)))

    def model_of(self, settings: MatteSettings) -> str:
        """Return `small` or `base`."""
        return ViTMatteSettings.of(settings).model

    def files_of(self, model: str) -> tuple[Path, ...]:
        """Return config, preprocessor's config and tensors of a network."""
        return files.find(self._config.weights, model)

    def runner_of(self, model: str) -> TileRunner:
        """Return what runs a network, which is loaded later."""
        from videomama_server.engines.edges.runner import TileRunner
        from videomama_server.engines.vitmatte import network

        found = self.files_of(model)
        return TileRunner(self._config, partial(network.load, *found), network.footprint(found[0]))
