import pytest
from videomama_client.errors import BadInput
from videomama_server import engines
from videomama_server.engines.base import EngineConfig, WindowShape
from videomama_server.engines.passthrough import PassthroughEngine


@pytest.fixture
def config(tmp_path):
    return EngineConfig(tmp_path / "weights", tmp_path / "folded")


def test_auto_stands_for_an_engine_that_runs_anywhere(config):
    assert engines.resolve("auto", config) == "classic"


def test_auto_looks_at_weights_before_it_takes_them(config):
    config.weights.mkdir()
    assert engines.resolve("auto", config) == "classic"


@pytest.mark.parametrize("name", ["videomama", "classic", "passthrough"])
def test_a_name_stands_for_itself(name, config):
    assert engines.resolve(name, config) == name


@pytest.mark.parametrize("name", ["", "Classic", "videomama2", "os.path"])
def test_an_unknown_engine_is_an_error_that_lists_those_there_are(name, config, raises_with_hint):
    with raises_with_hint(BadInput, repr(name)):
        engines.resolve(name, config)
    with pytest.raises(BadInput) as raised:
        engines.resolve(name, config)
    assert "auto, videomama, classic, passthrough" in raised.value.hint


def test_an_engine_is_loaded_by_name(config):
    assert isinstance(engines.load("passthrough", config), PassthroughEngine)


@pytest.mark.parametrize("name", ["classic", "passthrough"])
def test_every_engine_says_who_it_is(name, config):
    engine = engines.load(name, config)
    assert engine.name == name
    assert engine.fingerprint
    assert isinstance(engine.window, WindowShape)
    assert 0 <= engine.window.overlap <= engine.window.length // 2
