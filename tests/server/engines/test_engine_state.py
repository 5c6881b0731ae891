"""Real processes are asked for the engines of packages that are really there."""

import sys

import pytest
from videomama_client.engine_settings import ClassicSettings
from videomama_client.messages import EngineState
from videomama_client.setting_spec import NUMBER, SettingSpec, specs_of
from videomama_server import engines
from videomama_server.engines.engine_state import engine_state


@pytest.fixture
def lent(installed, packages, lend):
    """Install packages for this process and for those that it starts; returns what `installed` does."""
    lend(packages.folder)
    return installed


def test_an_engine_of_this_package_is_asked_here():
    assert engine_state("classic") == EngineState("classic", list(specs_of(ClassicSettings)))
    assert engine_state("passthrough") == EngineState("passthrough")


def test_an_engine_of_another_package_says_its_options_and_is_not_imported_here(lent):
    package = lent()
    assert engine_state("own") == EngineState("own", [SettingSpec("strength", NUMBER, 0.5, "How much.", 0, 1)])
    assert package.replace("-", "_") not in sys.modules
    assert engines._plugged == {}


def test_an_engine_says_its_part_in_a_chain(lent, good):
    lent(good.replace("protocol = 1", "protocol = 1\n    role = 'refiner'"))
    assert engine_state("own").role == "refiner"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("class Own", "raise RuntimeError('no licence')\nclass Own", "no licence"),
        ("class Own", "import os; os._exit(9)\nclass Own", "code 9"),
        ("class Own", "print('hello')\nclass Own", ""),
        ("protocol = 1", "protocol = 0", "Protocol 0"),
        ("0, 1),)", "np.int64(0), 1),)", "int64"),
        ('"How much."', "None", "must be str, not NoneType"),
    ],
    ids=["error", "crash", "print", "Protocol", "bounds", "help"],
)
def test_an_engine_that_cannot_be_used_says_why(lent, good, before, after, said):
    assert before in good
    lent(good.replace(before, after))
    state = engine_state("own")
    assert state.name == "own"
    assert said in state.message
    assert bool(state.options) == (not said)
    assert bool(state.hint) == bool(said)


def test_an_import_that_hangs_is_given_up(lent, good, monkeypatch):
    monkeypatch.setattr("videomama_server.engines.engine_state._IMPORT_S", 3.0)
    lent(good.replace("class Own", "import time; time.sleep(60)\nclass Own"))
    state = engine_state("own")
    assert "no answer within 3 s" in state.message
    assert state.hint
