from dataclasses import fields

from videomama_server.config import Config
from videomama_server.engines.base import EngineConfig


def test_engines_are_given_all_that_the_config_says_for_them(tmp_path):
    said = Config(
        weights=tmp_path / "weights",
        cache_dir=tmp_path / "cache",
        device="cpu",
        dtype="fp32",
        max_vram_gb=7.5,
        compile="off",
    )
    given = EngineConfig.of(said)
    for known in fields(EngineConfig):
        assert getattr(given, known.name) == getattr(said, known.name)
        assert getattr(given, known.name) != getattr(EngineConfig.of(Config()), known.name)
