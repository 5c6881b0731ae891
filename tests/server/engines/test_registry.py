import pytest
from videomama_client.errors import BadInput
from videomama_server import engines
from videomama_server.engines.base import WindowShape
from videomama_server.engines.passthrough import PassthroughEngine


def test_auto_stands_for_an_engine_that_runs_anywhere():
    assert engines.resolve("auto") == "classic"


@pytest.mark.parametrize("name", ["classic", "passthrough"])
def test_a_name_stands_for_itself(name):
    assert engines.resolve(name) == name


@pytest.mark.parametrize("name", ["", "Classic", "videomama2", "os.path"])
def test_an_unknown_engine_is_an_error_that_lists_those_there_are(name, raises_with_hint):
    with raises_with_hint(BadInput, repr(name)):
        engines.resolve(name)
    with pytest.raises(BadInput) as raised:
        engines.resolve(name)
    assert "auto, classic, passthrough" in raised.value.hint


def test_an_engine_is_loaded_by_name():
    assert isinstance(engines.load("passthrough"), PassthroughEngine)


@pytest.mark.parametrize("name", ["classic", "passthrough"])
def test_every_engine_says_who_it_is(name):
    engine = engines.load(name)
    assert engine.name == name
    assert engine.fingerprint
    assert isinstance(engine.window, WindowShape)
    assert 0 <= engine.window.overlap <= engine.window.length // 2
