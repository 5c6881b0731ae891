"""The thread that talks to the server: its errand, its commands, its end."""

import threading
import time

import pytest
from videomama_client.errors import ServerUnreachable
from videomama_nuke.panel import talker as talkers


class Errands:
    """What a talker did; `waits` are the seconds until each next errand, the last one for all that follow."""

    def __init__(self, *waits: float) -> None:
        self.done: list[float] = []
        self.errors: list[str] = []
        self.waits = list(waits or (60.0,))
        self.fails = False

    def wait(self) -> float:
        return self.waits.pop(0) if len(self.waits) > 1 else self.waits[0]

    def run(self, talker) -> float:
        self.done.append(time.monotonic())
        if self.fails:
            raise ServerUnreachable("nobody there")
        talker.client()
        return self.wait()

    def failed(self, error) -> float:
        self.errors.append(error.message)
        return self.wait()


@pytest.fixture
def make_talker():
    """Make talkers that end with the test: `make_talker(file, errands)`."""
    made = []

    def make(file, errands):
        made.append(talkers.Talker("videomama-panel-test", file, errands.run, errands.failed))
        return made[-1]

    yield make
    for talker in made:
        talker.stop()
        assert talker.join(60)


def test_nothing_is_done_before_somebody_looks(scripted, make_talker):
    errands = Errands()
    make_talker(scripted.file, errands)
    time.sleep(0.3)
    assert not errands.done


def test_the_errand_is_done_at_once_then_when_it_is_due_and_when_it_hurries(scripted, make_talker, eventually):
    errands = Errands(0.3, 0.3, 60.0)
    talker = make_talker(scripted.file, errands)
    talker.watch(True)
    eventually(lambda: len(errands.done) == 3, "three errands")
    assert errands.done[1] - errands.done[0] >= 0.3
    time.sleep(0.5)
    assert len(errands.done) == 3
    talker.hurry()
    eventually(lambda: len(errands.done) == 4, "the one that hurries")


def test_one_greeting_serves_all_errands_until_nobody_looks(scripted, make_talker, eventually):
    from videomama_client.messages import Hello

    errands = Errands(0.05)
    talker = make_talker(scripted.file, errands)
    talker.watch(True)
    eventually(lambda: len(errands.done) > 3, "some errands")
    assert scripted.count(Hello) == 1
    talker.watch(False)
    eventually(lambda: talker._client is None, "the connection is closed")
    assert talker._known is None
    talker.watch(True)
    eventually(lambda: scripted.count(Hello) == 2, "it greets again")


def test_an_errand_that_fails_is_told_of_and_tried_again_later(scripted, make_talker, eventually):
    errands = Errands(0.2)
    errands.fails = True
    make_talker(scripted.file, errands).watch(True)
    eventually(lambda: len(errands.errors) >= 2, "two tries")
    assert set(errands.errors) == {"nobody there"}
    assert errands.done[1] - errands.done[0] >= 0.2


def test_where_no_server_listens_it_is_told_of(scripted, make_talker, eventually):
    scripted.end()
    errands = Errands()
    make_talker(scripted.file, errands).watch(True)
    eventually(lambda: errands.errors, "it is told of")
    assert errands.errors[0] == f"the server of {scripted.file} is gone"


def test_a_command_is_run_in_the_talkers_thread_though_nobody_looks(scripted, make_talker, eventually):
    errands, ran = Errands(), []
    talker = make_talker(scripted.file, errands)
    talker.put(lambda: ran.append(threading.current_thread().name))
    eventually(lambda: ran, "it ran")
    assert ran == ["videomama-panel-test"]
    assert talker._thread.daemon  # Nuke can end meanwhile
    assert not errands.done


def test_a_stopped_talker_does_nothing_more_and_may_be_stopped_twice(scripted, make_talker):
    errands, ran = Errands(), []
    talker = make_talker(scripted.file, errands)
    assert not talker.join(0.05)
    talker.stop()
    talker.stop()
    assert talker.join(60)
    talker.put(lambda: ran.append(1))
    talker.watch(True)
    time.sleep(0.2)
    assert not ran
    assert not errands.done


@pytest.fixture
def waiting(scripted, make_talker, eventually):
    """A talker that waits for an answer of a server that hangs, and why it stopped to wait."""
    errands, heard, asking = Errands(), [], threading.Event()
    talker = make_talker(scripted.file, errands)
    talker.watch(True)
    eventually(lambda: talker._client is not None, "it is connected")
    scripted.hang()

    def ask() -> None:
        asking.set()
        with pytest.raises(ServerUnreachable) as caught:
            talker.client().status()
        heard.append(caught.value.message)

    talker.put(ask)
    assert asking.wait(60)
    time.sleep(0.2)
    assert not heard
    return talker, heard


def test_a_wait_for_a_silent_server_ends_when_the_talker_is_stopped(waiting):
    talker, heard = waiting
    talker.stop()
    assert talker.join(60)
    assert heard == ["the panel was closed"]


def test_a_wait_for_a_server_that_dies_ends_soon(waiting, scripted, eventually):
    _, heard = waiting
    scripted.end()
    eventually(lambda: heard, "it is noticed")
    assert heard == ["the server is gone"]
