"""The main thread: who may use the API, what other threads queue for it, and how long it was kept busy."""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

_RULE = "Nuke's Python API belongs to the main thread: {what} was used in thread {name!r}; use nuke.executeInMainThread"


class MainThread:
    """The thread that installed the double, and its queue."""

    def __init__(self, gui: bool) -> None:
        self.gui = gui
        self.ident = threading.get_ident()
        self.waiting: queue.Queue = queue.Queue()
        self.longest = 0.0

    def is_here(self) -> bool:
        """Tell whether the caller runs on the main thread."""
        return threading.get_ident() == self.ident


_main = MainThread(gui=False)


def take_over(gui: bool) -> None:
    """Make the calling thread the main thread, with an empty queue."""
    global _main
    _main = MainThread(gui)


def only_main(what: str) -> None:
    """Raise when the caller is not on the main thread."""
    if not _main.is_here():
        raise RuntimeError(_RULE.format(what=what, name=threading.current_thread().name))


def is_main() -> bool:
    """Tell whether the caller runs on the main thread."""
    return _main.is_here()


def _as_tuple(args: object) -> tuple:
    return args if isinstance(args, tuple) else (args,)


def execute_in_main_thread(call: Callable, args: object = (), kwargs: Any = None) -> None:
    """Queue a call. In terminal mode there is no loop that would ever take it."""
    _main.waiting.put((call, _as_tuple(args), dict(kwargs or {}), None))


def execute_in_main_thread_with_result(call: Callable, args: object = (), kwargs: Any = None) -> object:
    """Queue a call and wait for what it returns: None when it raised."""
    if _main.is_here():
        raise RuntimeError("dead-lock: executeInMainThreadWithResult on the main thread (the real one hangs)")
    answer: queue.Queue = queue.Queue()
    _main.waiting.put((call, _as_tuple(args), dict(kwargs or {}), answer))
    return answer.get()


def pump(seconds: float = 0.0) -> int:
    """Run what is queued, on the main thread, until so much time has passed; return how many calls ran."""
    only_main("pump")
    if not _main.gui:
        raise RuntimeError("there is no main loop in terminal mode")
    done, until = 0, time.monotonic() + seconds
    while True:
        left = until - time.monotonic()
        try:
            item = _main.waiting.get(timeout=left) if left > 0 else _main.waiting.get_nowait()
        except queue.Empty:
            if time.monotonic() >= until:
                return done
            continue
        _run(*item)
        done += 1


def _run(call: Callable, args: tuple, kwargs: dict, answer: Any) -> None:
    began = time.monotonic()
    result = None
    try:
        result = call(*args, **kwargs)
    except Exception:  # noqa: BLE001 - the real one prints whatever it was and goes on
        traceback.print_exc()
    finally:
        _main.longest = max(_main.longest, time.monotonic() - began)
        if answer is not None:
            answer.put(result)


def pending() -> int:
    """Return how many calls wait."""
    return _main.waiting.qsize()


def longest_block() -> float:
    """Return the seconds that the longest single call took since the last reset."""
    return _main.longest


def reset_longest_block() -> None:
    """Forget the longest call."""
    _main.longest = 0.0
