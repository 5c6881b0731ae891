import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from videomama_client.errors import BadInput, WeightsError
from videomama_client.settings import MatteSettings
from videomama_server import engines
from videomama_server.engines.base import EngineConfig, WindowShape
from videomama_server.engines.runtime import device
from videomama_server.engines.videomama import kind
from videomama_server.engines.videomama.checkpoint import layouts
from videomama_server.engines.videomama.kind import VideoMama

WITHOUT_TORCH = """
import sys
from pathlib import Path
from videomama_client.settings import MatteSettings
from videomama_server.engines.base import EngineConfig
from videomama_server.engines.videomama.kind import VideoMama
there = EngineConfig(Path(sys.argv[1]), Path())
assert VideoMama.identity(there)
assert VideoMama.shape(MatteSettings()).length
assert "seed" in [spec.name for spec in VideoMama.options()]
assert not VideoMama.runs_well(EngineConfig(Path(sys.argv[1]) / "none", Path()))
assert not VideoMama.runs_well(EngineConfig(Path(sys.argv[1]), Path(), device="cpu"))
assert "torch" not in sys.modules
"""


@pytest.fixture
def config(tiny_checkpoint, tmp_path):
    return EngineConfig(tiny_checkpoint, tmp_path / "folded")


@pytest.fixture
def card(monkeypatch):
    monkeypatch.setattr(device, "has_card", lambda: True)


def test_it_runs_well_where_weights_and_a_card_are(config, card):
    assert VideoMama.runs_well(config)


@pytest.mark.parametrize("lacking", ["weights", "whole weights", "permission", "card"])
def test_it_does_not_run_well_where_one_of_these_is_lacking(lacking, config, tmp_path, monkeypatch):
    monkeypatch.setattr(device, "has_card", lambda: lacking != "card")
    (tmp_path / "empty").mkdir()
    lacks = {
        "weights": replace(config, weights=tmp_path / "none"),
        "whole weights": replace(config, weights=tmp_path / "empty"),
        "permission": replace(config, device="cpu"),
        "card": config,
    }
    assert not VideoMama.runs_well(lacks[lacking])


@pytest.mark.parametrize("name", ["cuda", "cuda:1", "mps"])
def test_a_card_that_is_named_and_not_there_is_an_error_and_not_another_engine(name, config, monkeypatch):
    monkeypatch.setattr(device, "_cards", list)
    named = replace(config, device=name)
    assert engines.resolve("auto", named) == "videomama"
    with pytest.raises(BadInput, match=f"there is no device '{name}' here"):
        engines.load("videomama", named)
    assert engines.resolve("auto", config) == "classic"
    assert engines.resolve("auto", replace(named, weights=config.weights / "none")) == "classic"


def test_all_but_the_card_is_known_without_torch(tiny_checkpoint):
    asked = [sys.executable, "-I", "-c", WITHOUT_TORCH, str(tiny_checkpoint)]
    done = subprocess.run(asked, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_replaced_weights_are_another_engine(own_checkpoint, tmp_path):
    config = EngineConfig(own_checkpoint, tmp_path / "folded")
    known = VideoMama.identity(config)
    assert VideoMama.identity(config) == known
    assert VideoMama.identity(replace(config, dtype="bf16")) != known
    unet = layouts.find(own_checkpoint).unet
    shutil.copy(unet, tmp_path / "other")
    (tmp_path / "other").replace(unet)
    assert VideoMama.identity(config) != known


def test_weights_that_are_not_there_are_named(config, tmp_path, raises_with_hint):
    with raises_with_hint(WeightsError, tmp_path / "none"):
        VideoMama.identity(replace(config, weights=tmp_path / "none"))


def test_a_torch_that_is_not_installed_is_missed_before_anything_is_loaded(config, monkeypatch):
    monkeypatch.setattr(kind, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError) as missed:
        VideoMama.identity(config)
    assert missed.value.name == "torch"


def test_windows_are_known_where_nothing_could_be_loaded():
    assert VideoMama.shape(MatteSettings()) == WindowShape(16, 4, 2)


def test_it_is_loaded_from_what_the_config_says(config):
    engine = VideoMama.load(replace(config, device="cpu"))
    assert engine.name == VideoMama.name
    assert engine.fingerprint.startswith("videomama-3 ")
    with pytest.raises(WeightsError):
        VideoMama.load(replace(config, weights=Path("none")))
