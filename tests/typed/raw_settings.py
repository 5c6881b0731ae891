"""Checked by mypy and never run: raw settings get into no computation and no key.

Where mypy no longer refuses a line, it reports the comment there as unused.
"""

from collections.abc import Sequence
from typing import Any

from videomama_client.settings import MatteSettings, Resolved
from videomama_server.arrays import FloatArray
from videomama_server.engines.base import Engine, EngineFrame, PlainEngine
from videomama_server.pipeline.entry_key import Identity


def computed_with_raw_settings(engine: Engine, frame: EngineFrame, raw: MatteSettings) -> list[FloatArray]:
    prepared = [engine.prepare(frame, raw)]  # type: ignore[arg-type]
    estimates = engine.refine(prepared, raw)  # type: ignore[arg-type]
    engine.describe(raw)  # type: ignore[arg-type]
    return engine.complete(list(estimates), prepared, [0], raw)  # type: ignore[arg-type]


def keyed_by_raw_settings(raw: MatteSettings) -> Identity:
    return Identity("engine-1", "color-1", raw)  # type: ignore[arg-type]


def right(engine: Engine, frame: EngineFrame, raw: MatteSettings) -> Identity:
    resolved = engine.resolve(raw, (1080, 1920))
    engine.refine([engine.prepare(frame, resolved)], resolved)
    return Identity(engine.fingerprint, "color-1", resolved)


class LeavesRaw(PlainEngine):
    def prepare(self, frame: EngineFrame, settings: Resolved) -> FloatArray:
        return frame.mask

    def refine(self, prepared: Sequence[Any], settings: Resolved) -> FloatArray:
        raise NotImplementedError

    def resolve(self, settings: MatteSettings, size: tuple[int, int]) -> Resolved:
        return settings  # type: ignore[return-value]
