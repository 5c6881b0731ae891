"""The engines that the worker has loaded, and what an engine is told of this machine."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from pathlib import Path

from videomama_client.settings import MatteSettings

from videomama_server import config, engines, pipe
from videomama_server.engines.base import Engine, EngineConfig, EngineUsage
from videomama_server.files.access import permit


class EngineShelf:
    """Loaded engines by name. Only `engine_config` may be called from several threads.

    Args:
        server_config: the server's config.
        folded_dir: where engines keep weights that they have made ready.
        emit: takes `EngineHolds` whenever what the engines hold has changed.
    """

    def __init__(
        self, server_config: config.Config, folded_dir: Path, emit: Callable[[pipe.EngineHolds], None]
    ) -> None:
        self._config = server_config
        self._folded_dir = folded_dir
        self._emit = emit
        self._engines: dict[str, tuple[Hashable, Engine]] = {}
        self._usage: EngineUsage | None = None

    def engine_config(self, settings: MatteSettings) -> EngineConfig:
        """Return what engines are told of this machine; a job may name weights of its own.

        Raises:
            NotPermitted: those weights lie outside the roots.
        """
        own, named = self._config, settings.option("weights")
        told = replace(EngineConfig.of(own), folded_dir=self._folded_dir)
        if not isinstance(named, str) or not named:
            return told
        permit(Path(named), own.roots)
        return replace(told, weights=Path(named))

    def engine(self, name: str, engine_config: EngineConfig) -> Engine:
        """Return an engine. It stays loaded until a job names other weights: two models may not fit on one device.

        Args:
            name: resolved, never `auto`.
            engine_config: what the engine is told of this machine.

        Raises:
            WeightsError: packages or weights that the engine needs are missing.
        """
        identity = engines.identity(name, engine_config)
        known = self._engines.get(name)
        if known is not None and known[0] == identity:
            return known[1]
        if known is not None:
            known[1].release()
        engine = engines.load(name, engine_config)
        self._engines[name] = (identity, engine)
        return engine

    def report_usage(self) -> None:
        """Tell the server what the loaded engines hold, when that has changed."""
        usage = next((usage for _, engine in self._engines.values() if (usage := engine.usage())), None)
        if usage is not None and usage != self._usage:
            self._usage = usage
            self._emit(pipe.EngineHolds(usage.device, usage.dtype, usage.resident_bytes, usage.peak_bytes))
