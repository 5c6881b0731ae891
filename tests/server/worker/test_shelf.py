from typing import ClassVar

import pytest
from videomama_client.errors import NotPermitted, OutOfMemory, WeightsError
from videomama_client.messages import LoadedEngine, Phase
from videomama_client.settings import MatteSettings, Resolved
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


class Heavy(PassthroughEngine):
    """An engine that holds memory of a small card from when it is loaded or used until it lets go."""

    fingerprint = "heavy-1"
    CARD = 10
    held: ClassVar[dict[str, int]] = {}
    needed = 4

    def __init__(self, engine_config):
        self.make_room = engine_config.make_room
        self.others_hold = engine_config.others_hold
        self.take()

    def take(self):
        if sum(self.held.values()) + self.needed > self.CARD:
            raise OutOfMemory(f"{self.name} does not fit", "Free some memory.")
        self.held[self.name] = self.needed

    def usage(self):
        return EngineUsage("card", "fp16", self.held[self.name], None) if self.name in self.held else None

    def release(self):
        self.held.pop(self.name, None)


@pytest.fixture
def heavy(monkeypatch):
    """Engines `a`, `b` and `c` on a card that holds two of them, and `giant`, which fits alone."""
    sizes = {"a": 4, "b": 4, "c": 4, "giant": 9, "too large": 11}
    kinds = {name: type(name, (Heavy,), {"name": name, "needed": size}) for name, size in sizes.items()}
    monkeypatch.setattr(Heavy, "held", {})
    monkeypatch.setattr(engines, "identity", lambda name, place: name)
    monkeypatch.setattr(engines, "load", lambda name, place: kinds[name](place))
    return Heavy.held


@pytest.fixture
def take(shelf):
    return lambda name: shelf.engine(name, shelf.engine_config(MatteSettings()))


def test_several_engines_stay_loaded_where_they_fit(take, heavy):
    assert take("a") is not take("b")
    assert set(heavy) == {"a", "b"}


def test_an_engine_that_does_not_fit_is_loaded_once_the_least_recently_used_let_go(take, heavy):
    one = take("a")
    take("b")
    assert take("a") is one  # which makes b the least recently used
    take("c")
    assert set(heavy) == {"a", "c"}
    take("giant")
    assert set(heavy) == {"giant"}


def test_an_engine_that_let_go_stays_on_the_shelf(take, heavy):
    one = take("a")
    take("giant")
    assert take("a") is one


def test_an_engine_that_fits_nowhere_is_an_error_and_is_not_kept(take, heavy, shelf, emitted):
    take("a")
    for _ in range(2):
        with pytest.raises(OutOfMemory, match="too large does not fit"):
            take("too large")
    shelf.report_usage()
    assert emitted == []  # all let go


def test_a_loaded_engine_asks_for_room_and_keeps_what_it_has_itself(take, heavy):
    take("a")
    asking = take("b")
    assert asking.make_room()
    assert set(heavy) == {"b"}
    assert not asking.make_room()
    assert set(heavy) == {"b"}


def test_an_engine_that_holds_nothing_or_does_not_let_go_makes_no_room(shelf, take, heavy, monkeypatch):
    stuck, asking = take("a"), take("b")
    monkeypatch.setattr(stuck, "release", lambda: None)
    assert not asking.make_room()


def test_what_each_engine_holds_is_reported_when_it_changed(shelf, take, heavy, emitted):
    shelf.report_usage()
    assert emitted == []  # nothing is loaded
    take("b")
    take("a")
    shelf.report_usage()
    shelf.report_usage()
    both = [LoadedEngine(name, "card", "fp16", 4, None) for name in ("a", "b")]
    assert emitted == [pipe.EnginesHold(both)]
    shelf.make_room("a")
    shelf.report_usage()
    assert emitted[1:] == [pipe.EnginesHold(both[:1])]
    shelf.make_room("")
    shelf.report_usage()
    assert emitted[2:] == [pipe.EnginesHold([])]


def test_an_engine_knows_what_others_hold_of_its_device(take, heavy):
    asking = take("a")
    assert asking.others_hold("card") == 0
    other = take("b")
    assert (asking.others_hold("card"), other.others_hold("card")) == (4, 4)
    assert asking.others_hold("cuda:0") == 0


def test_others_let_go_until_an_engine_fits_that_is_about_to_compute(shelf, take, heavy, monkeypatch):
    settings = Resolved(MatteSettings())
    one = take("a")
    take("b")
    shelf.reserve("a", settings)
    assert set(heavy) == {"a", "b"}  # it needs no device
    monkeypatch.setattr(Heavy, "needs_device", True, raising=False)
    monkeypatch.setattr(Heavy, "fits", lambda engine, _: sum(heavy.values()) <= 8, raising=False)
    shelf.reserve("a", settings)
    assert set(heavy) == {"a", "b"}
    one.release()
    take("c")
    heavy["a"] = 4
    shelf.reserve("a", settings)
    assert set(heavy) == {"a", "c"}  # b was used least recently


def test_an_engine_that_holds_nothing_is_not_reported(shelf, emitted):
    shelf.engine("passthrough", shelf.engine_config(MatteSettings()))
    shelf.report_usage()
    assert emitted == []


def test_an_engine_that_fails_to_say_what_it_holds_is_left_out(shelf, take, heavy, emitted, monkeypatch, caplog):
    def usage():
        raise RuntimeError("no such device")

    take("b")
    monkeypatch.setattr(take("a"), "usage", usage)
    shelf.report_usage()
    assert emitted == [pipe.EnginesHold([LoadedEngine("b", "card", "fp16", 4, None)])]
    assert "the engine a does not say what it holds" in caplog.text


@pytest.mark.parametrize(("setting", "times"), [("on", 1), ("off", 0)])
def test_engines_give_memory_back_where_they_can_and_the_config_lets_them(make_shelf, monkeypatch, setting, times):
    gave = []
    monkeypatch.setattr(PassthroughEngine, "give_back_memory", lambda engine: gave.append(engine), raising=False)
    shelf = make_shelf(give_back_memory=setting)
    place = shelf.engine_config(MatteSettings())
    one = shelf.engine("passthrough", place)
    shelf.engine("classic", place)  # has nothing to give back
    shelf.give_back_memory()
    assert gave == [one] * times


def test_a_person_is_told_which_engine_is_loaded_and_how_far_that_is_and_nothing_of_one_that_is_there(tmp_path):
    told = []
    shelf = EngineShelf(Config(), tmp_path / "folded", lambda _: None, told.append)
    place = shelf.engine_config(MatteSettings())
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "load", lambda name, config: seen.append(config) or PassthroughEngine())
        shelf.engine("passthrough", place)
        seen[0].tell_loading(3, 7)
        shelf.engine("passthrough", place)
    assert told == [Phase("loading", subject="passthrough"), Phase("loading", 3, 7, "passthrough")]


def test_an_engine_that_is_not_loaded_reserves_nothing(shelf):
    one = shelf.engine("passthrough", shelf.engine_config(MatteSettings()))
    shelf.reserve("nobody", one)
    assert list(shelf._engines) == ["passthrough"]
