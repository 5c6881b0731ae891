"""The fields of `MatteSettings` name the engines that read them; this watches what engines do read."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from videomama_client.setting_spec import specs_of
from videomama_client.settings import QUALITIES, MatteSettings
from videomama_server.engines.base import EngineConfig, EngineFrame
from videomama_server.engines.classic.engine import ClassicEngine
from videomama_server.engines.passthrough import PassthroughEngine

FOR_SOME = {spec.name: spec.engines for spec in specs_of(MatteSettings) if spec.engines}
FOR_ALL = {spec.name for spec in specs_of(MatteSettings) if not spec.engines}
IN_CONFIG = {"weights"}  # the worker puts that folder into the engine's config


class Watched(MatteSettings):
    """Settings that note which of them are read."""

    read: ClassVar[set[str]] = set()

    def __getattribute__(self, name):
        if name in FOR_SOME or name in FOR_ALL:
            Watched.read.add(name)
        return super().__getattribute__(name)


def frame(number):
    y, x = np.mgrid[:64, :96].astype(np.float32)
    plate = np.stack([x / 96, y / 64, (x + y) / 160], axis=-1)
    mask = (np.hypot(x - 48 - number, y - 32) < 20).astype(np.float32)
    return EngineFrame(1001 + number, mask, (64, 96), lambda: plate)


def names_read(engine):
    """Which settings an engine reads while it computes, and while it decides what was left open."""
    settings = MatteSettings(engine=engine.name, window=3, overlap=1)
    watched = Watched(**vars(engine.resolve(replace(settings, canvas="64x64"), (64, 96))))
    Watched.read = {"quality"} if _fast_decides(engine, settings) else set()
    engine.shape(watched)
    engine.rule(watched)
    engine.describe(watched)
    prepared = [engine.prepare(frame(number), watched) for number in range(3)]
    completed = engine.complete(list(engine.refine(prepared, watched)), prepared, [0, 1, 2], watched)
    engine.finish(completed[0], prepared[0], watched)
    return Watched.read


def _fast_decides(engine, settings):
    """Whether the quality changes what else is resolved, at a size where it can."""
    fast, high = (engine.resolve(replace(settings, quality=name), (1080, 1920)) for name in QUALITIES)
    return replace(fast, quality=high.quality) != high


def expected(engine):
    return {name for name, engines in FOR_SOME.items() if engine.name in engines} - IN_CONFIG


@pytest.mark.parametrize("engine", [ClassicEngine(), PassthroughEngine()], ids=lambda engine: engine.name)
def test_an_engine_without_weights_reads_what_the_settings_say(engine):
    assert names_read(engine) - FOR_ALL == expected(engine)


def test_the_model_reads_what_the_settings_say(tiny_checkpoint, tmp_path):
    from videomama_server.engines.videomama.engine import VideoMamaEngine

    engine = VideoMamaEngine(EngineConfig(tiny_checkpoint, tmp_path, device="cpu", dtype="fp32"))
    assert names_read(engine) - FOR_ALL == expected(engine)
