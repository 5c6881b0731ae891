from pathlib import Path

import pytest
from videomama_client.errors import WeightsError
from videomama_server import engines
from videomama_server.engines.base import EngineConfig
from videomama_server.engines.sequential import is_sequential, prompts_of


def config_at(folder):
    return EngineConfig(weights=Path(folder), folded_dir=Path("folded"), device="cpu")


def test_what_it_takes_is_known_without_weights_or_torch():
    kind = engines._kind("sam2")
    assert is_sequential(kind)
    assert prompts_of(kind) == ("point", "box", "mask")
    assert engines.role("sam2") == "maker"


def test_its_weights_are_asked_for_by_name(tmp_path):
    with pytest.raises(WeightsError, match="there is no network of SAM 2 in") as caught:
        engines.load("sam2", config_at(tmp_path))
    assert "--with sam2" in caught.value.hint
