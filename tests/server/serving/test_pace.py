import pytest
from videomama_server.serving import pace
from videomama_server.serving.pace import Pace


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets: `clock[0] = 12.0`."""
    now = [100.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    return now


def at(clock, seconds, call):
    clock[0] = 100.0 + seconds
    call()


def test_a_rate_is_known_from_two_alphas_on(clock):
    own = Pace()
    assert own.rate is None
    own.begin()
    at(clock, 2, own.note_alpha)
    assert own.rate is own.seconds_left(3) is None
    at(clock, 4, own.note_alpha)
    assert own.rate == 0.5
    assert own.seconds_left(3) == 6.0
    assert own.seconds_left(-1) == 0.0


def test_the_last_64_alphas_count(clock):
    own = Pace()
    own.begin()
    for number in range(100):
        at(clock, 10 * (number + 1), own.note_alpha)
    for number in range(64):
        at(clock, 1000 + (number + 1), own.note_alpha)
    assert own.rate == pytest.approx(1.0)


def test_what_comes_before_the_engine_computes_does_not_count(clock):
    own = Pace()
    own.begin()
    at(clock, 100, own.note_computing)
    at(clock, 101, own.note_computing)  # the next window, before the first alpha has landed
    at(clock, 102, own.note_alpha)
    at(clock, 102, own.note_alpha)
    at(clock, 103, own.note_computing)
    at(clock, 104, own.note_alpha)
    assert own.rate == pytest.approx(3 / 4)


def test_each_stage_has_a_rate_of_its_own(clock):
    own = Pace()
    own.begin()
    at(clock, 1, own.note_alpha)
    at(clock, 2, own.note_alpha)
    own.begin()
    assert own.rate is None


def test_alphas_that_come_at_once_have_no_rate(clock):
    own = Pace()
    own.begin()
    own.note_alpha()
    own.note_alpha()
    assert own.rate is None


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Pace) == {"_computes": False}
