"""Starts, watches and ends the engine worker, and carries messages between it and the server's event loop."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from videomama_client.errors import ProtocolError

from videomama_server import pipe
from videomama_server.config import Config, as_flags

log = logging.getLogger(__name__)

_END_S = 5.0


class Supervisor:
    """One engine worker at a time.

    Args:
        config: handed to the worker.
        on_message: called in the event loop with each message of the worker.
        on_exit: called in the event loop when a worker that was not asked to end has ended.
    """

    def __init__(self, config: Config, on_message: Callable[[Any], None], on_exit: Callable[[int], None]) -> None:
        self._config = config
        self._on_message = on_message
        self._on_exit = on_exit
        self._process: subprocess.Popen[bytes] | None = None
        self.restarts = 0
        self.started = time.monotonic()  # of the last worker

    @property
    def pid(self) -> int | None:
        """The worker's process id, or None when none runs."""
        return self._process.pid if self._process is not None else None

    def send(self, message: Any) -> None:
        """Send a message, starting the worker when none runs; a dying worker's message is sent again by `on_exit`."""
        if self._process is None:
            self._start()
        assert self._process is not None  # just started
        assert self._process.stdin is not None  # made with a pipe
        try:
            pipe.send(self._process.stdin, message)  # type: ignore[arg-type]
        except OSError as error:
            log.warning("the engine worker does not take messages: %s", error)

    def start(self) -> None:
        """Start the worker when none runs, so that the first job need not wait for it."""
        if self._process is None:
            self._start()

    def stop(self) -> None:
        """End the worker by closing its pipe; one that does not end in time is killed."""
        process = self._part()
        if process is not None:
            _see_off(process)

    async def retire(self) -> None:
        """End the worker while the event loop goes on; a message sent from now on starts another."""
        process = self._part()
        if process is not None:
            await asyncio.to_thread(_see_off, process)

    def _part(self) -> subprocess.Popen[bytes] | None:
        process, self._process = self._process, None
        if process is not None:
            _close(process)
        return process

    def _start(self) -> None:
        command = [sys.executable, "-m", "videomama_server.worker", json.dumps(as_flags(self._config))]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._process, self.started = process, time.monotonic()
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._listen, args=(process, loop), name="worker pipe", daemon=True).start()
        log.info("engine worker %d started", process.pid)

    def _listen(self, process: subprocess.Popen[bytes], loop: asyncio.AbstractEventLoop) -> None:
        assert process.stdout is not None  # made with a pipe
        with process.stdout as stream:
            try:
                while (message := pipe.receive(stream)) is not None:  # type: ignore[arg-type]
                    loop.call_soon_threadsafe(self._on_message, message)
            except ProtocolError as error:
                log.error("the engine worker sent nonsense and is ended: %s", error)
                process.kill()
            code = process.wait()
            try:
                loop.call_soon_threadsafe(self._ended, process, code)
            except RuntimeError:  # the loop closed first: the server is ending
                log.debug("the engine worker ended after the server's loop")

    def _ended(self, process: subprocess.Popen[bytes], code: int) -> None:
        if self._process is not process:
            return
        self._process = None
        _close(process)
        self.restarts += 1
        log.error("the engine worker %d died with code %d", process.pid, code)
        self._on_exit(code)


def _close(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe to a worker, which ends it."""
    assert process.stdin is not None  # made with a pipe
    try:
        process.stdin.close()
    except OSError:
        log.debug("the engine worker's pipe was broken already")


def _see_off(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
