import pytest
from videomama_client.messages import Phase, PhaseChanged
from videomama_server.worker import phases
from videomama_server.worker.phases import Phases


@pytest.fixture
def clock(monkeypatch):
    now = [50.0]
    monkeypatch.setattr(phases.time, "monotonic", lambda: now[0])
    return now


def masks(done):
    return Phase("reading-masks", done, 40)


def test_phases_of_one_kind_are_told_five_times_a_second_at_most_and_another_kind_at_once(clock):
    told = []
    own = Phases(told.append)
    for step in range(20):
        clock[0] = 50.0 + step / 16
        own.tell("j", masks(step))
    own.tell("j", Phase("computing"))
    own.tell("other", masks(7))
    assert [(event.job, event.phase.code, event.phase.done) for event in told] == [
        *[("j", "reading-masks", done) for done in (0, 4, 8, 12, 16)],
        ("j", "computing", 0),
        ("other", "reading-masks", 7),
    ]


def test_a_job_that_ended_is_forgotten(clock):
    told = []
    own = Phases(told.append)
    for _ in range(2):
        own.tell("j", masks(1))
        own.forget("j")
    own.forget("nobody")
    assert told == [PhaseChanged("j", masks(1))] * 2
    assert own._told == {}
