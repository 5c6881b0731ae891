from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from videomama_client.errors import WeightsError
from videomama_client.settings import MatteSettings
from videomama_server import engines
from videomama_server.engines.base import EngineConfig, EngineFrame

SIZE = (96, 448)


@pytest.fixture
def config(tiny_edge_networks, tmp_path):
    return EngineConfig(tiny_edge_networks, tmp_path, device="cpu")


def frame(number=1001):
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    alpha = np.clip((40 - np.hypot((x - 224) / 5, y - 48)) / np.float32(3) + 0.5, 0, 1)
    plate = np.random.default_rng(number).random((*SIZE, 3)).astype(np.float32)
    return EngineFrame(number, alpha, SIZE, lambda: plate)


@pytest.mark.parametrize("name", ["vitmatte", "mematte"])
def test_an_edge_is_refined_tile_by_tile_the_same_each_time(config, name):
    engine = engines.load(name, config)
    tile = 384 if name == "vitmatte" else 512
    settings = engine.resolve(MatteSettings.of(engine=name, window=1, overlap=0, tile=tile), SIZE)
    assert engine.usage() is None
    found = []
    for _ in range(2 if name == "vitmatte" else 1):
        prepared = engine.prepare(frame(), settings)
        found.append(engine.refine([prepared], settings))
    assert all(np.array_equal(one, found[0]) for one in found)
    assert found[0].shape == (1, *SIZE)
    before, band = frame().mask, prepared.unknown
    assert 0.02 < band.mean() < 0.9
    assert found[0][0][~band].tobytes() == before[~band].tobytes()
    assert np.abs(found[0][0] - before)[band].max() > 0.1
    assert engine.usage().resident_bytes > 100_000
    assert f"tiles of {tile} pixels" in engine.describe(settings)
    engine.release()
    assert engine.usage() is None


def test_another_network_is_another_key(config):
    engine = engines.load("vitmatte", config)
    settings = engine.resolve(MatteSettings.of(engine="vitmatte", window=1, overlap=0), SIZE)
    digest, device, number_format = settings.option("weights").split()
    assert (len(digest), device, number_format) == (32, "cpu", "float32")
    with pytest.raises(WeightsError, match="no weights of its network base"):
        engine.resolve(MatteSettings.of(engine="vitmatte", window=1, overlap=0, model="base"), SIZE)


@pytest.mark.parametrize("name", ["vitmatte", "mematte"])
def test_missing_weights_and_packages_are_errors_that_say_what_to_run(name, tmp_path, monkeypatch):
    empty = EngineConfig(tmp_path, tmp_path)
    with pytest.raises(WeightsError, match=f"the engine {name} has no weights") as refused:
        engines.identity(name, empty)
    assert f"install weights --with {name}" in refused.value.hint
    monkeypatch.setattr("videomama_server.engines.runtime.packages.find_spec", lambda package: None)
    with pytest.raises(WeightsError, match=f"the engine {name} needs the package torch") as refused:
        engines.identity(name, empty)
    assert "extra `edges`" in refused.value.hint
    assert f"--with {name}" in refused.value.hint


def test_weights_that_were_replaced_are_another_identity(config, tmp_path):
    import shutil
    from dataclasses import replace

    own = replace(config, weights=shutil.copytree(config.weights, tmp_path / "own"))
    before = engines.identity("vitmatte", own)
    path = own.weights / "vitmatte-small-composition-1k" / "model.safetensors"
    path.write_bytes(path.read_bytes() + b" ")
    assert engines.identity("vitmatte", own) != before


def test_the_engines_are_known_without_importing_torch_or_transformers():
    code = (
        "import sys; from videomama_server import engines; "
        "[engines.options(name) for name in ('vitmatte', 'mematte')]; "
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
