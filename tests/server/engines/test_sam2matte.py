from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from videomama_client.errors import WeightsError
from videomama_server import engines
from videomama_server.engines.base import EngineConfig
from videomama_server.engines.runtime import packages
from videomama_server.engines.sequential import prompts_of


def test_what_it_takes_is_known_without_weights_or_torch():
    assert prompts_of(engines._kind("sam2matte")) == ("point", "box", "mask")
    assert engines.role("sam2matte") == "matting"
    assert [spec.name for spec in engines.options("sam2matte")] == ["guidance", "weights"]


def test_without_weights_it_says_that_none_is_published(tmp_path):
    with pytest.raises(WeightsError, match="there is no network of SAM 2") as caught:
        engines.load("sam2matte", EngineConfig(weights=tmp_path, folded_dir=Path("folded"), device="cpu"))
    assert "none is published" in caught.value.hint


@pytest.fixture
def config(tmp_path):
    (tmp_path / "sam2matte").mkdir()
    (tmp_path / "sam2matte" / "mine.pt").write_bytes(b"weights")
    return EngineConfig(weights=tmp_path, folded_dir=tmp_path)


@pytest.fixture
def card(monkeypatch):
    """Let there be a card of so many bytes: `card(11.5e9)`."""
    device = pytest.importorskip("videomama_server.engines.runtime.device")

    def put(total):
        monkeypatch.setattr(device, "_cards", lambda: ["cuda:0"] if total else [])
        monkeypatch.setattr(
            device.torch.cuda, "get_device_properties", lambda which: SimpleNamespace(total_memory=int(total))
        )

    return put


def test_auto_means_it_on_a_card_under_12_gb_where_its_own_weights_are(config, card):
    card(11.5e9)
    assert engines.resolve("auto", config, walks=True) == "sam2matte"
    assert engines.resolve("auto", config) == "classic"  # a later stage, or a job of prompts
    assert engines.for_small_subjects("auto", "sam2matte") == ""


@pytest.mark.parametrize("total", [0, 12.6e9, 80e9])
def test_auto_does_not_mean_it_without_a_card_or_on_a_larger_one(config, card, total):
    card(total)
    assert engines.resolve("auto", config, walks=True) == "classic"


def test_a_limit_of_the_config_makes_a_large_card_a_small_one(config, card):
    card(80e9)
    assert engines.resolve("auto", replace(config, max_vram_gb=8.0), walks=True) == "sam2matte"


@pytest.mark.parametrize("lacking", ["packages", "weights", "permission"])
def test_auto_does_not_mean_it_where_something_is_lacking(config, card, tmp_path, monkeypatch, lacking):
    card(11.5e9)
    if lacking == "packages":
        monkeypatch.setattr(packages, "find_spec", lambda name: None)
    if lacking == "weights":  # those of a SAM 2 that makes masks are no reason
        (tmp_path / "sam2matte").rename(tmp_path / "sam2")
    device = "cpu" if lacking == "permission" else "auto"
    assert engines.resolve("auto", replace(config, device=device), walks=True) == "classic"
