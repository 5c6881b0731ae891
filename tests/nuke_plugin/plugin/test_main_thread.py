"""Calls into Nuke from threads: answered, raised, and never waited for once Nuke is closing."""

import threading
import time

import pytest
from videomama_client.errors import Cancelled


@pytest.fixture
def main_thread(start_nuke):
    start_nuke()
    from videomama_nuke import main_thread

    yield main_thread
    main_thread.closing.clear()


def asked_aside(main_thread, call, *args) -> list:
    """Call `on_main` in a thread while the main thread is served; return where it ran and what came of it."""
    from nuke_standin import threads

    found = []

    def ask() -> None:
        try:
            found.append(main_thread.on_main(call, *args))
        except Exception as error:  # noqa: BLE001 - the test looks at it
            found.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    until = time.monotonic() + 60
    while asking.is_alive() and time.monotonic() < until:
        threads.pump(0.01)
    asking.join(1)
    return found


def test_a_call_runs_on_the_main_thread_and_its_answer_comes_back(main_thread):
    where = lambda word: (word, threading.current_thread() is threading.main_thread())  # noqa: E731
    assert asked_aside(main_thread, where, "plate") == [("plate", True)]
    assert main_thread.on_main(where, "mask") == ("mask", True)


def test_what_it_raises_is_raised_in_the_thread_that_asked(main_thread):
    (found,) = asked_aside(main_thread, int, "no number")
    assert isinstance(found, ValueError)


def test_nobody_waits_once_nuke_is_closing(main_thread):
    begun, found = time.monotonic(), []

    def ask() -> None:
        with pytest.raises(Cancelled):
            main_thread.on_main(lambda: None)
        found.append(time.monotonic() - begun)

    asking = threading.Thread(target=ask)
    asking.start()  # nobody serves the main thread
    time.sleep(0.3)
    assert asking.is_alive()
    main_thread.closing.set()
    asking.join(60)
    assert len(found) == 1


def test_without_a_window_the_call_runs_where_it_is(start_nuke):
    start_nuke(gui=False)
    from videomama_nuke import main_thread

    assert main_thread.on_main(lambda: threading.current_thread()) is threading.main_thread()
