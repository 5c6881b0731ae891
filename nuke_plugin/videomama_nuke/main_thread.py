"""Calls into Nuke from the threads of jobs: its Python interface belongs to the main thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

import nuke
from videomama_client.errors import Cancelled

_LOOK_S = 0.2
closing = threading.Event()  # set when Nuke or the script is about to go: nobody serves the main thread any more


def on_main(call: Callable[..., Any], *args: Any) -> Any:
    """Run `call` on the main thread, wait for it, and return or raise what it does.

    Nuke's own `executeInMainThreadWithResult` prints exceptions and returns None; nobody serves it without a window.

    Raises:
        Cancelled: Nuke is closing.
    """
    if not nuke.GUI or threading.current_thread() is threading.main_thread():
        return call(*args)
    outcome: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(1)

    def run() -> None:
        try:
            outcome.put((call(*args), None))
        except BaseException as error:  # noqa: BLE001  (raised again in the thread that asked)
            outcome.put((None, error))

    nuke.executeInMainThread(run)
    while True:
        if closing.is_set():
            raise Cancelled("Nuke is closing")
        try:
            result, error = outcome.get(timeout=_LOOK_S)
        except queue.Empty:
            continue
        if error is not None:
            raise error
        return result
