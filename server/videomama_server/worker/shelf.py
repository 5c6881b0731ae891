"""The engines that the worker has loaded, which of them lets go when memory is short, and what each is told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from dataclasses import replace
from functools import partial
from pathlib import Path

from videomama_client.errors import OutOfMemory
from videomama_client.job_records import LOADING, Phase
from videomama_client.messages import LoadedEngine
from videomama_client.settings import MatteSettings, Resolved

from videomama_server import config, engines, pipe
from videomama_server.engines.base import EngineConfig, EngineUsage, Loaded, fits, give_back_memory, needs_device
from videomama_server.files.access import permit

log = logging.getLogger(__name__)


class EngineShelf:
    """Loaded engines by name. Only `engine_config` may be called from several threads.

    Args:
        server_config: the server's config.
        folded_dir: where engines keep weights that they have made ready.
        emit: takes `EnginesHold` whenever what the engines hold has changed.
        tell: takes which engine is being loaded, and how much of it is there; called from several threads.
    """

    def __init__(
        self,
        server_config: config.Config,
        folded_dir: Path,
        emit: Callable[[pipe.EnginesHold], None],
        tell: Callable[[Phase], None] = lambda _: None,
    ) -> None:
        self._config = server_config
        self._folded_dir = folded_dir
        self._emit = emit
        self._tell = tell
        self._engines: dict[str, tuple[Hashable, Loaded]] = {}  # the least recently used first
        self._told: list[LoadedEngine] = []

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

    def engine(self, name: str, engine_config: EngineConfig) -> Loaded:
        """Return an engine. It stays loaded until a job names other weights; see `make_room` too.

        Args:
            name: resolved, never `auto`.
            engine_config: what the engine is told of this machine.

        Raises:
            WeightsError: packages or weights that the engine needs are missing.
            OutOfMemory: it does not fit, although all others have let go of what they held.
        """
        identity = engines.identity(name, engine_config)
        known = self._engines.pop(name, None)
        if known is not None and known[0] != identity:
            known[1].release()
            known = None
        self._engines[name] = known or (identity, self._load(name, engine_config))
        return self._engines[name][1]

    def make_room(self, name: str) -> bool:
        """Have the engine that was used least recently let go of what it holds; return whether there was one.

        It stays on the shelf: a job that still needs it has it load again.

        Args:
            name: of the engine that needs memory, which keeps what it has.
        """
        for other, (_, engine) in self._engines.items():
            if other != name and engine.usage() is not None:
                log.info("the engine %s lets go of its memory, which %s needs", other, name)
                engine.release()
                if engine.usage() is None:
                    return True
        return False

    def reserve(self, name: str, settings: Resolved) -> None:
        """Have other engines let go until one that needs a device fits beside the rest, or none holds anything.

        To be called before it computes. It is the most recently used from then on.

        Args:
            name: of the engine.
            settings: that it is about to compute with.
        """
        known = self._engines.pop(name, None)
        if known is None:  # one of other weights could not take its place meanwhile
            return
        self._engines[name] = known
        if needs_device(known[1]):
            while not fits(known[1], settings) and self.make_room(name):
                pass

    def others_hold(self, name: str, device: str) -> int:
        """Return the bytes that all engines but the named one hold of a device, such as `cuda:0`."""
        usages = [_usage_of(other, engine) for other, (_, engine) in self._engines.items() if other != name]
        return sum(usage.resident_bytes for usage in usages if usage and usage.device.split()[:1] == [device])

    def _load(self, name: str, engine_config: EngineConfig) -> Loaded:
        with_room = replace(
            engine_config,
            make_room=partial(self.make_room, name),
            others_hold=partial(self.others_hold, name),
            tell_loading=lambda done, total: self._tell(Phase(LOADING, done, total, name)),
        )
        self._tell(Phase(LOADING, subject=name))
        while True:
            try:
                return engines.load(name, with_room)
            except (OutOfMemory, MemoryError):
                if not self.make_room(name):
                    raise

    def give_back_memory(self) -> None:
        """Have the engines return memory that they do not use, unless the config says otherwise."""
        if self._config.give_back_memory == "on":
            for _, engine in self._engines.values():
                give_back_memory(engine)

    def report_usage(self) -> None:
        """Tell the server what each of the loaded engines holds, when that has changed."""
        usages = {name: _usage_of(name, engine) for name, (_, engine) in self._engines.items()}
        loaded = [
            LoadedEngine(name, usage.device, usage.dtype, usage.resident_bytes, usage.peak_bytes)
            for name, usage in sorted(usages.items())
            if usage is not None
        ]
        if loaded != self._told:
            self._told = loaded
            self._emit(pipe.EnginesHold(loaded))


def _usage_of(name: str, engine: Loaded) -> EngineUsage | None:
    """Return what an engine holds; None where it fails to say, which ends no job."""
    try:
        return engine.usage()
    except Exception:
        log.warning("the engine %s does not say what it holds", name, exc_info=True)
        return None
