"""A thread that talks to the server with a client of its own, and can be stopped while it waits for an answer."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

from videomama_client import launch
from videomama_client.channel import Channel
from videomama_client.client import Client
from videomama_client.connection import Connection, read
from videomama_client.errors import ServerUnreachable, VideoMaMaError

_SLICE_S = 0.1
_LISTENING_EVERY_S = 1.0

Command = Callable[[], None]


class StoppableChannel(Channel):
    """A channel whose waits end early: when it is told to stop, and when nobody listens any more.

    Args:
        known: from the connection file.
        stopping: set by another thread.
    """

    def __init__(self, known: Connection, stopping: threading.Event) -> None:
        super().__init__(known)
        self._known = known
        self._stopping = stopping

    def receive(self, timeout: float) -> Optional[tuple[Any, Optional[bytes]]]:
        """Take one message, as any channel; raises `ServerUnreachable` when it was stopped or the server is gone."""
        until = time.monotonic() + timeout
        look = time.monotonic() + _LISTENING_EVERY_S
        while not self._stopping.is_set():
            left = until - time.monotonic()
            received = super().receive(min(_SLICE_S, left))
            if received is not None or left <= _SLICE_S:
                return received
            if time.monotonic() > look:
                look = time.monotonic() + _LISTENING_EVERY_S
                self._check_alive()
        raise ServerUnreachable("the panel was closed")

    def _check_alive(self) -> None:
        """A dead server's port refuses at once; waiting for its answer would take ten seconds."""
        if not self._known.listening():
            raise ServerUnreachable("the server is gone", "Start it again.")


class Talker:
    """Runs commands as they come, and an errand in between while somebody looks.

    Args:
        name: of the thread.
        connection_file: looked at before each use of the client, so that a new server is found.
        errand: what to do regularly, given this talker; returns the seconds until it is due again.
        on_error: told what kept an errand from being done; returns the seconds until it is tried again.
    """

    def __init__(
        self,
        name: str,
        connection_file: Path,
        errand: Callable[[Talker], float],
        on_error: Callable[[VideoMaMaError], float],
    ) -> None:
        self._file = connection_file
        self._errand = errand
        self._on_error = on_error
        self._inbox: queue.Queue[Optional[Command]] = queue.Queue()
        self._stopping = threading.Event()
        self._watched = False
        self._due = 0.0
        self._client: Optional[Client] = None
        self._known: Optional[Connection] = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def watch(self, watched: bool) -> None:
        """Do the errand, or leave it: nobody looks."""
        self._watched = watched
        self._inbox.put(None)

    def hurry(self) -> None:
        """Do the errand at the next opportunity."""
        self._due = 0.0
        self._inbox.put(None)

    def put(self, command: Command) -> None:
        """Run a command in this thread, whether somebody looks or not."""
        self._inbox.put(command)

    def stop(self) -> None:
        """End the thread soon; safe to call twice."""
        self._stopping.set()
        self._inbox.put(None)

    def join(self, seconds: float) -> bool:
        """Wait for the thread's end; return whether it came."""
        if self._thread is not threading.current_thread():
            self._thread.join(max(0.0, seconds))
        return not self._thread.is_alive()

    def client(self) -> Client:
        """Return a client that the server of the connection file has greeted; only for this thread.

        Raises:
            ServerUnreachable: nobody answers there.
            ProtocolError: it speaks another version.
        """
        known = read(self._file)
        if known != self._known:
            self.drop()
        if self._client is None:
            self._client = self._connect(known)
            self._known = known
        return self._client

    def drop(self) -> None:
        """Close the client; the next use makes a new one."""
        if self._client is not None:
            self._client.close()
        self._client = self._known = None

    def _connect(self, known: Connection) -> Client:
        if not known.listening():
            raise ServerUnreachable(f"the server of {self._file} is gone", "Start it again.")
        return launch.greeted(Client(known, StoppableChannel(known, self._stopping)))

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._turn()
        finally:
            self.drop()

    def _turn(self) -> None:
        try:
            command = self._inbox.get(timeout=self._patience())
        except queue.Empty:
            command = None
        if self._stopping.is_set():
            return
        if command is not None:
            command()
        if not self._watched:
            self.drop()
        elif time.monotonic() >= self._due:
            self._run_errand()

    def _patience(self) -> Optional[float]:
        return max(0.0, self._due - time.monotonic()) if self._watched else None

    def _run_errand(self) -> None:
        try:
            wait = self._errand(self)
        except VideoMaMaError as error:
            self.drop()
            if self._stopping.is_set():
                return
            wait = self._on_error(error)
        self._due = time.monotonic() + wait
