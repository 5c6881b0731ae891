import subprocess
import sys

import pytest
from videomama_client.errors import BadInput, WeightsError
from videomama_client.settings import MatteSettings
from videomama_server import engines
from videomama_server.engines.base import EngineConfig, WindowShape
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.engines.videomama.kind import VideoMama

OURS = ["videomama", "classic", "vitmatte", "mematte", "adjust", "passthrough", "held", "sam2", "sam3", "sam2matte"]
LIGHT = """
import sys
from pathlib import Path
from videomama_client.settings import MatteSettings
from videomama_server import engines
from videomama_server.engines.base import EngineConfig
place = EngineConfig(Path("none"), Path("none"))
names = ("auto", "videomama", "classic", "adjust", "passthrough", "held")
known = {name: engines.resolve(name, place) for name in names}
assert known == {**{name: name for name in known}, "auto": "classic"}
assert not [module for module in sys.modules if module.startswith("videomama_server.engines.classic")]
for name in ("classic", "adjust", "passthrough", "held"):
    engines.options(name), engines.shape(name, place, MatteSettings()), engines.load(name, place)
assert "torch" not in sys.modules
"""


@pytest.fixture
def config(tmp_path):
    return EngineConfig(tmp_path / "weights", tmp_path / "folded")


def test_auto_stands_for_an_engine_that_runs_anywhere(config):
    assert engines.resolve("auto", config) == "classic"


def test_auto_looks_at_weights_before_it_takes_them(config):
    config.weights.mkdir()
    assert engines.resolve("auto", config) == "classic"


@pytest.mark.parametrize(
    ("asked", "name", "light"),
    [("auto", "videomama", "classic"), ("auto", "classic", ""), ("videomama", "videomama", ""), ("own", "own", "")],
)
def test_a_light_engine_takes_small_subjects_only_where_nobody_named_one(asked, name, light):
    assert engines.for_small_subjects(asked, name) == light


def test_auto_stands_for_the_first_engine_that_runs_well(config, monkeypatch):
    monkeypatch.setattr(VideoMama, "runs_well", lambda given: given is config)
    assert engines.resolve("auto", config) == "videomama"


def test_naming_imports_no_engine_and_those_without_weights_no_torch():
    done = subprocess.run([sys.executable, "-I", "-c", LIGHT], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", OURS)
def test_a_name_stands_for_itself(name, config):
    assert engines.resolve(name, config) == name


@pytest.mark.parametrize("name", ["", "Classic", "videomama2", "os.path"])
def test_an_unknown_engine_is_an_error_that_lists_those_there_are(name, config, raises_with_hint):
    with raises_with_hint(BadInput, repr(name)):
        engines.resolve(name, config)
    with pytest.raises(BadInput) as raised:
        engines.resolve(name, config)
    assert ", ".join(["auto", *OURS]) in raised.value.hint


def test_an_engine_is_loaded_by_name(config):
    assert isinstance(engines.load("passthrough", config), PassthroughEngine)


@pytest.mark.parametrize("name", ["classic", "adjust", "passthrough", "held"])
def test_the_shape_of_windows_is_known_before_an_engine_is_made(name, config):
    settings = MatteSettings()
    assert engines.shape(name, config, settings) == engines.load(name, config).shape(settings)


@pytest.mark.parametrize(("name", "moves"), [("classic", True), ("passthrough", False), ("videomama", False)])
def test_which_engines_move_outlines_is_known_before_they_are_made(name, moves):
    assert engines.moves_outlines(name) == moves


@pytest.mark.parametrize("name", ["classic", "adjust", "passthrough", "held"])
def test_the_signature_of_an_engine_is_its_fingerprint_where_it_needs_no_weights(name, config):
    assert engines.signature(name, config) == engines.load(name, config).fingerprint


def test_the_signature_of_the_model_is_known_from_its_files_alone(tiny_checkpoint, tmp_path):
    config = EngineConfig(tiny_checkpoint, tmp_path / "folded", device="nonsense")
    signature = engines.signature("videomama", config)
    assert engines.signature("videomama", config) == signature
    assert engines.signature("videomama", EngineConfig(tiny_checkpoint, tmp_path / "folded", dtype="bf16")) != signature
    assert not (tmp_path / "folded").exists()


def test_an_engine_without_its_weights_has_no_signature(config, raises_with_hint):
    with raises_with_hint(WeightsError, config.weights):
        engines.signature("videomama", config)


def test_the_models_windows_are_known_from_headers_alone(tiny_checkpoint, tmp_path):
    config = EngineConfig(tiny_checkpoint, tmp_path / "folded", device="nonsense")  # which nothing could be made on
    assert engines.shape("videomama", config, MatteSettings()) == WindowShape(16, 4, 2)
    assert engines.shape("videomama", config, MatteSettings.of(mode="reference")) == WindowShape(16, 0, 0)
    assert not (tmp_path / "folded").exists()


def test_an_engine_without_its_weights_has_no_shape(config, raises_with_hint):
    with raises_with_hint(WeightsError, config.weights):
        engines.shape("videomama", config, MatteSettings())


def test_a_package_that_is_not_installed_is_named(config, tmp_path, monkeypatch, raises_with_hint):
    monkeypatch.setitem(engines._BUILT_IN, "passthrough", ("no_such_package.engine", "Engine"))
    for ask in (engines.load, lambda name, place: engines.shape(name, place, MatteSettings())):
        with raises_with_hint(WeightsError, "passthrough", "no_such_package"):
            ask("passthrough", config)


@pytest.mark.parametrize("name", ["classic", "adjust", "passthrough", "held"])
def test_every_engine_says_who_it_is(name, config):
    engine = engines.load(name, config)
    assert engine.name == name
    assert engine.fingerprint
    assert isinstance(engine.window, WindowShape)
    assert 0 <= engine.window.overlap <= engine.window.length // 2


def test_an_engine_of_another_package_is_found_by_its_name(installed, config):
    installed()
    assert engines.names() == [*OURS, "own"]
    assert engines.resolve("own", config) == "own"
    assert engines.shape("own", config, MatteSettings()) == WindowShape(3, 1)
    assert [spec.name for spec in engines.options("own")] == ["strength"]
    assert engines.load("own", config).name == "own"


def test_auto_is_never_an_engine_of_another_package(installed, config):
    installed()
    assert engines.resolve("auto", config) == "classic"


def test_a_typo_is_answered_with_the_engines_of_other_packages_too(installed, config, raises_with_hint):
    installed()
    with raises_with_hint(BadInput, "'owm'") as raised:
        engines.resolve("owm", config)
    assert "Did you mean own?" in raised.info.value.hint


def test_package_and_version_are_part_of_what_stands_for_its_engine_in_keys(installed, config):
    package = installed(version="1.5")
    engine = engines.load("own", config)
    assert engines.fingerprint("own", engine) == engines.signature("own", config) == f"{package} 1.5: own-1"


@pytest.mark.parametrize("name", ["classic", "adjust", "passthrough", "held"])
def test_the_engines_of_this_package_stand_in_keys_with_their_fingerprint_alone(name, config):
    engine = engines.load(name, config)
    assert engines.fingerprint(name, engine) == engine.fingerprint


def test_an_update_of_a_package_does_not_change_what_runs_already(installed, packages, config):
    package = installed(version="1.0")
    known = engines.fingerprint("own", engines.load("own", config))
    for file in packages.folder.glob("*.dist-info/METADATA"):
        file.write_text(file.read_text().replace("Version: 1.0", "Version: 2.0"))
    assert engines.plugins.find("own").version == "2.0"
    assert engines.fingerprint("own", engines.load("own", config)) == known == f"{package} 1.0: own-1"


def test_a_package_takes_no_name_of_ours(installed, config, good):
    installed(good.replace('"own"', '"classic"'), {"classic": "Own"})
    assert engines.load(engines.resolve("classic", config), config).fingerprint.startswith("classic-")
    assert engines.names().count("classic") == 1


def test_a_faulty_package_harms_no_other(installed, config):
    installed("import no_such_package", {"bad": "Own"})
    installed()
    assert engines.load(engines.resolve("own", config), config)
    with pytest.raises(BadInput, match="no_such_package"):
        engines.load(engines.resolve("bad", config), config)


def test_an_engine_that_lacks_a_package_only_when_it_is_made_names_it(installed, config, good, raises_with_hint):
    late = good.replace("def prepare", "def __init__(self, config):\n        import no_such_package\n\n    def prepare")
    package = installed(late)
    with raises_with_hint(WeightsError, "own", "no_such_package") as raised:
        engines.load("own", config)
    assert package in raised.info.value.hint


def test_an_engine_that_was_uninstalled_meanwhile_is_an_error(config, monkeypatch, raises_with_hint):
    monkeypatch.setattr(engines, "_plugged", {})
    with raises_with_hint(BadInput, "own"):
        engines.load("own", config)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(engines.resolve) == {"walks": False}
