import pytest
from videomama_client.errors import NotPermitted, WeightsError
from videomama_client.settings import MatteSettings
from videomama_server import engines, pipe
from videomama_server.config import Config
from videomama_server.engines.base import EngineUsage
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.worker.shelf import EngineShelf


@pytest.fixture
def emitted():
    return []


@pytest.fixture
def make_shelf(tmp_path, emitted):
    return lambda **keys: EngineShelf(Config(**keys), tmp_path / "folded", emitted.append)


@pytest.fixture
def shelf(make_shelf):
    return make_shelf()


def test_an_engine_is_told_what_the_config_says(make_shelf, tmp_path):
    place = make_shelf(weights=tmp_path / "w", device="cpu", max_vram_gb=3.5).engine_config(MatteSettings())
    assert (place.weights, place.device, place.max_vram_gb) == (tmp_path / "w", "cpu", 3.5)
    assert place.folded_dir == tmp_path / "folded"


def test_a_job_may_name_weights_of_its_own(make_shelf, tmp_path):
    settings = MatteSettings.of(weights=str(tmp_path / "own"))
    assert make_shelf(weights=tmp_path / "w").engine_config(settings).weights == tmp_path / "own"


def test_weights_outside_the_roots_are_refused(make_shelf, tmp_path):
    with pytest.raises(NotPermitted, match="outside the server's roots"):
        make_shelf(roots=(tmp_path / "shots",)).engine_config(MatteSettings.of(weights=str(tmp_path / "own")))


def test_an_engine_is_loaded_once(shelf):
    place = shelf.engine_config(MatteSettings())
    one = shelf.engine("passthrough", place)
    assert shelf.engine("passthrough", place) is one
    assert shelf.engine("classic", place) is not one
    assert shelf.engine("passthrough", place) is one


def test_an_engine_for_other_weights_takes_the_place_of_the_one_before(shelf, monkeypatch):
    released = []
    monkeypatch.setattr(engines, "identity", lambda name, place: (name, place.weights))
    monkeypatch.setattr(PassthroughEngine, "release", lambda engine: released.append(engine))
    one = shelf.engine("passthrough", shelf.engine_config(MatteSettings.of(weights="/one")))
    assert released == []
    other = shelf.engine("passthrough", shelf.engine_config(MatteSettings.of(weights="/other")))
    assert released == [one]
    assert shelf.engine("passthrough", shelf.engine_config(MatteSettings.of(weights="/other"))) is other
    assert released == [one]


def test_an_engine_without_weights_is_refused_and_not_kept(shelf):
    place = shelf.engine_config(MatteSettings.of(weights="/nowhere"))
    for _ in range(2):
        with pytest.raises(WeightsError):
            shelf.engine("videomama", place)


def test_usage_is_reported_when_it_changed(shelf, emitted, monkeypatch):
    held = EngineUsage("cuda:0", "float16", 1, None)
    monkeypatch.setattr(PassthroughEngine, "usage", lambda _: held)
    shelf.report_usage()
    assert emitted == []  # nothing is loaded
    shelf.engine("passthrough", shelf.engine_config(MatteSettings()))
    shelf.report_usage()
    shelf.report_usage()
    assert emitted == [pipe.EngineHolds("cuda:0", "float16", 1, None)]
    held = EngineUsage("cuda:0", "float16", 1, 2)
    shelf.report_usage()
    assert emitted[1:] == [pipe.EngineHolds("cuda:0", "float16", 1, 2)]


def test_an_engine_that_holds_nothing_reports_nothing(shelf, emitted):
    shelf.engine("passthrough", shelf.engine_config(MatteSettings()))
    shelf.report_usage()
    assert emitted == []
