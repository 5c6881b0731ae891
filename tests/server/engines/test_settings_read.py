"""Each engine's record says what it can be told; this watches what engines do read of it."""

import numpy as np
import pytest
from videomama_client.engine_settings import RECORDS, EngineSettings, own_specs
from videomama_client.setting_spec import specs_of
from videomama_client.settings import MatteSettings
from videomama_server.engines.base import EngineConfig, EngineFrame
from videomama_server.engines.classic.engine import ClassicEngine
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.engines.vitmatte.engine import ViTMatteEngine

IN_CONFIG = {"weights"}  # the worker puts that folder into the engine's config


@pytest.fixture
def read(monkeypatch):
    """The names of settings that were read of any record."""
    names = set()

    def watched(kind, settings):
        class Watched(kind):
            def __getattribute__(self, name):
                if name in own_specs():
                    names.add(name)
                return super().__getattribute__(name)

        return Watched(**settings.options_of(specs_of(kind)))

    monkeypatch.setattr(EngineSettings, "of", classmethod(watched))
    return names


def frame(number):
    y, x = np.mgrid[:64, :96].astype(np.float32)
    plate = np.stack([x / 96, y / 64, (x + y) / 160], axis=-1)
    mask = (np.hypot(x - 48 - number, y - 32) < 20).astype(np.float32)
    return EngineFrame(1001 + number, mask, (64, 96), lambda: plate)


def use(engine):
    """Let an engine decide what is open, and compute."""
    settings = MatteSettings(engine=engine.name, window=3, overlap=1)
    if engine.name == "videomama":
        engine.resolve(settings, (64, 96))
        settings = settings.with_options(canvas="64x64")
    settings = engine.resolve(settings, (64, 96))
    engine.shape(settings)
    engine.rule(settings)
    engine.describe(settings)
    prepared = [engine.prepare(frame(number), settings) for number in range(3)]
    completed = engine.complete(list(engine.refine(prepared, settings)), prepared, [0, 1, 2], settings)
    engine.finish(completed[0], prepared[0], settings)


def expected(engine):
    return {spec.name for spec in specs_of(RECORDS[engine.name])} - IN_CONFIG


@pytest.mark.parametrize("engine", [ClassicEngine(), PassthroughEngine()], ids=lambda engine: engine.name)
def test_an_engine_without_weights_reads_all_of_its_record_and_no_other(engine, read):
    use(engine)
    assert read == expected(engine)


def test_the_model_reads_all_of_its_record_and_no_other(tiny_checkpoint, tmp_path, read):
    from videomama_server.engines.videomama.engine import VideoMamaEngine

    engine = VideoMamaEngine(EngineConfig(tiny_checkpoint, tmp_path, device="cpu", dtype="fp32"))
    use(engine)
    assert read == expected(engine)


def test_an_edge_refiner_reads_all_of_its_record_and_no_other(tiny_edge_networks, tmp_path, read):
    engine = ViTMatteEngine(EngineConfig(tiny_edge_networks, tmp_path, device="cpu"))
    use(engine)
    assert read == expected(engine)
