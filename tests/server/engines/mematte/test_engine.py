"""What the engine says before its network is loaded; tests/server/engines/vitmatte/test_engine.py runs both engines."""

from __future__ import annotations

from videomama_client.settings import MatteSettings
from videomama_server.engines.base import EngineConfig
from videomama_server.engines.mematte.engine import MEMatteEngine


def test_it_says_what_it_can_be_asked_without_weights_or_torch(tmp_path):
    assert "trimap_preset" in {spec.name for spec in MEMatteEngine.options()}
    assert "model" not in {spec.name for spec in MEMatteEngine.options()}
    assert MEMatteEngine.shape(MatteSettings.of(engine="mematte")).length == 1
    assert not MEMatteEngine.runs_well(EngineConfig(tmp_path, tmp_path))
    assert all(side % 512 == 0 for side in MEMatteEngine.sides)  # its decoder works on pieces of that size
