"""Starts, watches and ends the engine worker, and carries messages between it and the server's event loop."""

from __future__ import annotations

import asyncio
import json
import logging
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
from videomama_client import surroundings
from videomama_client.errors import ProtocolError

from videomama_server import pipe
from videomama_server.config import Config, as_flags
from videomama_server.serving.huge_pages import with_huge_pages
from videomama_server.serving.watchdog import Watchdog

log = logging.getLogger(__name__)

HUNG = -9  # the code of a worker that was ended because it hung
NOT_STARTED = -1  # and of one that the system would not start
_WORKER = ("-m", "videomama_server.worker")
_NO_WINDOW = 0x08000000 if sys.platform == "win32" else 0  # CREATE_NO_WINDOW
_END_S = 5.0
_AGAIN_S = 1.0


class _Process:
    """One worker process with its inbox. A thread writes to it: one that does not read must not hold the server up."""

    def __init__(self, config: Config) -> None:
        self.popen = subprocess.Popen(
            surroundings.python(*_WORKER, json.dumps(as_flags(config))),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=with_huge_pages(surroundings.environment()),
            creationflags=_NO_WINDOW,
        )
        self.watchdog = Watchdog(config.engine_hang_s)
        self._inbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        threading.Thread(target=self._write, name="worker inbox", daemon=True).start()

    def send(self, message: Any) -> None:
        """Have a message written when the worker takes it."""
        self._inbox.put(pipe.packed(message))

    def close(self) -> None:
        """Close the pipe once all is written, which ends the worker."""
        self._inbox.put(None)

    def see_off(self) -> None:
        """Wait for the end; kill the worker when it does not come in time."""
        try:
            self.popen.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()

    def cpu_s(self) -> float:
        """Return the processor time that it and the processes it waited for have used."""
        try:
            times = psutil.Process(self.popen.pid).cpu_times()
        except psutil.Error:  # it is ending, which is seen elsewhere
            return 0.0
        return float(times.user + times.system + times.children_user + times.children_system)

    def _write(self) -> None:
        assert self.popen.stdin is not None  # made with a pipe
        try:
            with self.popen.stdin as stream:
                while (packed := self._inbox.get()) is not None:
                    stream.write(packed)
                    stream.flush()
        except OSError as error:
            log.warning("the engine worker does not take messages: %s", error)


class Supervisor:
    """One engine worker at a time.

    Args:
        config: handed to the worker.
        on_message: called in the event loop with each message of the worker.
        on_exit: called in the event loop when a worker that was not asked to end has ended, or was given up, or could
            not be started: what it was sent is lost.
    """

    def __init__(self, config: Config, on_message: Callable[[Any], None], on_exit: Callable[[int], None]) -> None:
        self._config = config
        self._on_message = on_message
        self._on_exit = on_exit
        self._process: _Process | None = None
        self._again: asyncio.TimerHandle | None = None
        self.restarts = 0
        self.started = time.monotonic()  # of the last worker

    @property
    def pid(self) -> int | None:
        """The worker's process id, or None when none runs."""
        return self._process.popen.pid if self._process is not None else None

    def send(self, message: Any) -> None:
        """Send a message, starting the worker when none runs; a dying worker's message is sent again by `on_exit`."""
        self.start()
        if self._process is not None:
            self._process.send(message)

    def start(self) -> None:
        """Start the worker when none runs; one that cannot be started counts, a second later, as one that died."""
        if self._process is not None or self._again is not None:
            return
        loop = asyncio.get_running_loop()
        try:
            self._process, self.started = self._begun(loop), time.monotonic()
        except (OSError, RuntimeError) as error:  # too many files, processes or threads, or no memory
            log.error("the engine worker cannot be started: %s", error)
            self._again = loop.call_later(_AGAIN_S, self._miss)
            return
        log.info("engine worker %d started", self._process.popen.pid)

    def look_after(self) -> None:
        """Kill a worker that hangs; to be called every second or so while there is something for it to do."""
        process = self._process
        why = process.watchdog.verdict(process.cpu_s()) if process is not None else ""
        if process is None or not why:
            return
        log.error("the engine worker %d hangs and is killed: %s", process.popen.pid, why)
        process.popen.kill()
        self._lose(process, HUNG)  # its death is not waited for: a disk that does not answer may hold it up

    def stop(self) -> None:
        """End the worker by closing its pipe; one that does not end in time is killed."""
        if self._again is not None:
            self._again.cancel()
        process = self._part()
        if process is not None:
            process.see_off()

    async def retire(self) -> None:
        """End the worker while the event loop goes on; a message sent from now on starts another."""
        process = self._part()
        if process is not None:
            await asyncio.to_thread(process.see_off)

    def _part(self) -> _Process | None:
        process, self._process = self._process, None
        if process is not None:
            process.close()
        return process

    def _begun(self, loop: asyncio.AbstractEventLoop) -> _Process:
        process = _Process(self._config)
        threading.Thread(target=self._listen, args=(process, loop), name="worker pipe", daemon=True).start()
        return process

    def _miss(self) -> None:
        self._again = None
        self.restarts += 1
        self._on_exit(NOT_STARTED)

    def _listen(self, process: _Process, loop: asyncio.AbstractEventLoop) -> None:
        assert process.popen.stdout is not None  # made with a pipe
        with process.popen.stdout as stream:
            try:
                while (message := pipe.receive(stream)) is not None:  # type: ignore[arg-type]
                    heard = process.watchdog.heard if isinstance(message, pipe.Pulse) else self._on_message
                    loop.call_soon_threadsafe(heard, message)
            except ProtocolError as error:
                log.error("the engine worker sent nonsense and is ended: %s", error)
                process.popen.kill()
            except RuntimeError:  # the loop closed first: the server is ending
                log.debug("the engine worker went on after the server's loop")
            code = process.popen.wait()
            try:
                loop.call_soon_threadsafe(self._ended, process, code)
            except RuntimeError:
                log.debug("the engine worker ended after the server's loop")

    def _ended(self, process: _Process, code: int) -> None:
        if self._process is process:
            log.error("the engine worker %d died with code %d", process.popen.pid, code)
            self._lose(process, code)

    def _lose(self, process: _Process, code: int) -> None:
        self._process = None
        process.close()
        self.restarts += 1
        self._on_exit(code)
