from pathlib import Path

import pytest
from videomama_client.engine_settings import TrackingSettings
from videomama_client.errors import WeightsError
from videomama_client.setting_spec import specs_of
from videomama_client.settings import MatteSettings
from videomama_server.engines.base import EngineConfig, WindowShape
from videomama_server.engines.sam2 import Sam2


def config_at(folder):
    return EngineConfig(weights=Path(folder), folded_dir=Path("folded"), device="cpu")


def test_a_network_that_was_replaced_makes_another_engine(tmp_path):
    (tmp_path / "sam2").mkdir()
    path = tmp_path / "sam2" / "sam2.1_hiera_tiny.pt"
    path.write_bytes(b"one")
    before = Sam2.identity(config_at(tmp_path))
    assert Sam2.identity(config_at(tmp_path)) == before
    path.write_bytes(b"another")
    assert Sam2.identity(config_at(tmp_path)) != before


def test_without_weights_it_says_how_to_get_them(tmp_path):
    with pytest.raises(WeightsError, match="there is no network of SAM 2"):
        Sam2.identity(config_at(tmp_path))


def test_it_walks_and_auto_never_means_it(tmp_path):
    assert Sam2.shape(MatteSettings()) == WindowShape(1, 0)
    assert not Sam2.runs_well(config_at(tmp_path))
    assert Sam2.options() == specs_of(TrackingSettings)
