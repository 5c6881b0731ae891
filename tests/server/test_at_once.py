import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from videomama_server import at_once

WAIT_S = 60


def test_everything_is_done_and_told_of_in_the_callers_thread():
    made, told = {}, []
    at_once.each({1: "a", 2: "b", 3: "c"}, made.__setitem__, lambda key: told.append((key, threading.get_ident())), 4)
    assert made == {1: "a", 2: "b", 3: "c"}
    assert sorted(key for key, _ in told) == [1, 2, 3]
    assert {thread for _, thread in told} == {threading.get_ident()}


def test_no_more_are_done_at_once_than_were_asked_for(monkeypatch):
    monkeypatch.setattr(at_once.os, "cpu_count", lambda: 8)
    now, seen, lock, all_three = [], [], threading.Lock(), threading.Barrier(3)

    def work(key, _):
        with lock:
            now.append(key)
            seen.append(len(now))
        all_three.wait(WAIT_S)
        with lock:
            now.remove(key)

    at_once.each(dict.fromkeys(range(12)), work, lambda _: None, 3)
    assert max(seen) == 3


@pytest.fixture
def held():
    """Work that begins and then waits to be let go; `begun` are those that began."""

    class Held:
        def __init__(self):
            self.begun, self.go = [], threading.Event()

        def work(self, key, _):
            self.begun.append(key)
            if key:
                self.go.wait(WAIT_S)

    return Held()


@pytest.fixture
def let_go_when_cancelled(held, monkeypatch):
    """Let work go once what has not begun is left out, however long that takes."""

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait=True, *, cancel_futures=False):
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            held.go.set()
            super().shutdown(wait=wait)

    monkeypatch.setattr(at_once, "ThreadPoolExecutor", Pool)


@pytest.mark.usefixtures("let_go_when_cancelled")
def test_an_error_leaves_out_what_has_not_begun(held):
    def work(key, thing):
        held.work(key, thing)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        at_once.each(dict.fromkeys(range(200)), work, lambda _: None, 2)
    assert len(held.begun) <= 3  # two at first, and another in the place of the one that ended


@pytest.mark.usefixtures("let_go_when_cancelled")
def test_so_does_an_interrupt_while_something_is_told_of(held):
    def interrupted(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        at_once.each(dict.fromkeys(range(200)), held.work, interrupted, 2)
    assert len(held.begun) <= 3  # two at first, and another in the place of the one that ended
