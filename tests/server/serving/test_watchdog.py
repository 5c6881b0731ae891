from types import SimpleNamespace

import pytest
from videomama_server import pipe
from videomama_server.serving import watchdog
from videomama_server.serving.watchdog import PATIENCE, Watchdog


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes when it is told to."""
    known = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(watchdog.time, "monotonic", lambda: known.now)
    return known


@pytest.fixture
def watch(clock):
    """Let seconds go by, one look each: `watch(dog, 20, cpu=0.5, pulse=lambda n: ...)`; return the first verdict."""
    used = SimpleNamespace(cpu=0.0)

    def let(dog, seconds, cpu=0.0, pulse=None):
        for second in range(seconds):
            clock.now += 1
            used.cpu += cpu
            if pulse:
                dog.heard(pulse(second))
            if said := dog.verdict(used.cpu):
                return said, second
        return "", seconds

    return let


def test_a_worker_that_says_and_does_nothing_is_given_up_after_the_limit(watch):
    said, after = watch(Watchdog(10), 60)
    assert "nothing for 10 s" in said
    assert after == 10


def test_one_that_pulsates_with_a_job_and_does_nothing_is_given_up_too(watch):
    said, after = watch(Watchdog(10), 60, cpu=0.002, pulse=lambda _: pipe.Pulse(7, True))
    assert "nothing for 10 s" in said
    assert after <= 12


def test_without_a_limit_none_is_ever_given_up(watch):
    assert watch(Watchdog(0), 1000) == ("", 1000)
    assert Watchdog(0).verdict(0.0) == Watchdog(10).verdict(0.0) == ""


def test_one_without_a_job_may_do_nothing_for_ever(watch):
    assert watch(Watchdog(10), 1000, pulse=lambda _: pipe.Pulse(7, False)) == ("", 1000)


def test_a_slow_one_that_beats_is_never_given_up(watch):
    assert watch(Watchdog(10), 1000, pulse=lambda second: pipe.Pulse(second // 9, True)) == ("", 1000)


def test_one_that_computes_without_getting_on_is_given_longer(watch):
    said, after = watch(Watchdog(10), 1000, cpu=0.5, pulse=lambda _: pipe.Pulse(7, True))
    assert f"no further for {PATIENCE * 10} s" in said
    assert PATIENCE * 10 <= after <= PATIENCE * 10 + 2


def test_a_silent_one_that_computes_is_given_as_long(watch):
    _, after = watch(Watchdog(10), 1000, cpu=1.0)
    assert after >= PATIENCE * 10


def test_time_in_which_nobody_looked_does_not_count(watch, clock):
    dog = Watchdog(10)
    assert watch(dog, 5)[0] == ""
    clock.now += 3600
    assert watch(dog, 9)[0] == ""
    assert watch(dog, 5)[0]


def test_a_limit_of_zero_is_none(watch):
    assert watch(Watchdog(0), 1000) == ("", 1000)
