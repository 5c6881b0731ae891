import json
from dataclasses import replace

import pytest
from videomama_server.config import Config
from videomama_server.doctor import segment


@pytest.fixture
def config(tmp_path):
    return replace(Config(), weights=tmp_path)


def hub(folder, model_type):
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    (folder / "model.safetensors").write_bytes(b"x" * 10_000_000)


def test_who_has_none_hears_nothing(config):
    assert segment.examine(config) == []


def test_networks_that_are_there_are_named_with_size_and_place(config, tmp_path):
    hub(tmp_path / "sam2", "sam2_video")
    hub(tmp_path / "person", "rt_detr_v2")
    first, second = segment.examine(config)
    assert (first.name, first.what) == ("network sam2", f"SAM 2, 0.01 GB, is in {tmp_path / 'sam2'}")
    assert second.what.startswith("A detector of the DETR family")


def test_a_network_of_another_family_is_a_warning(config, tmp_path):
    hub(tmp_path / "sam3", "sam2_video")
    (line,) = segment.examine(config)
    assert "is SAM 2 by its config, not SAM 3" in line.what
    assert "--with sam3" in line.fix


def test_weights_without_the_packages_are_a_warning(config, tmp_path, monkeypatch):
    hub(tmp_path / "sam2", "sam2_video")
    monkeypatch.setattr("videomama_server.engines.runtime.packages.find_spec", lambda name: None)
    (line,) = segment.examine(config)
    assert "needs the package torch" in line.what
