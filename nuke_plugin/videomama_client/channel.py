"""The socket to the server: requests and their answers, events by job, and silence that is noticed."""

from __future__ import annotations

import os
import time
import uuid
from collections import deque
from typing import Any, Optional, TypeVar

from videomama_client import messages, wire
from videomama_client.connection import Connection
from videomama_client.errors import ProtocolError, ServerUnreachable
from videomama_client.zeromq import zmq

ANSWER_S = 10.0
SILENCE_S = 10.0
PING_EVERY_S = 1.0
MAX_BULK_BYTES = 1 << 30
_PARENTS: list[object] = []  # ZeroMQ's, in a forked child: kept, because some versions wait for ever when they go

Reply = TypeVar("Reply")


class Channel:
    """One socket, for the thread that made it.

    Args:
        connection: from the connection file.

    Raises:
        ServerUnreachable: its keys or endpoint make no sense; from any use, that this is a forked child.
    """

    def __init__(self, connection: Connection) -> None:
        self._pid = os.getpid()
        self._context = zmq.Context()  # our own: Nuke uses the global one
        self._socket = self._context.socket(zmq.DEALER)
        self._events: dict[str, deque[messages.JobEvent]] = {}
        self._heard = time.monotonic()
        self._pinged = 0.0
        self._unanswered = 0.0
        options = {zmq.LINGER: 0, zmq.SNDHWM: 0, zmq.RCVHWM: 0, zmq.MAXMSGSIZE: MAX_BULK_BYTES, zmq.SNDTIMEO: 5000}
        for option, value in options.items():
            self._socket.setsockopt(option, value)
        try:
            self._socket.curve_serverkey = connection.server_public.encode()
            self._socket.curve_publickey = connection.client_public.encode()
            self._socket.curve_secretkey = connection.client_secret.encode()
            self._socket.connect(connection.endpoint)
        except (zmq.ZMQError, ValueError) as error:
            self.close()
            reason = f"the connection file's keys or endpoint {connection.endpoint!r} make no sense: {error}"
            raise ServerUnreachable(reason, "Start the server again: videomama serve") from error

    def close(self) -> None:
        """Close the socket; safe to call twice. In a forked child nothing is closed: the socket is the parent's."""
        if self._pid == os.getpid():
            self._context.destroy(linger=0)
        else:
            _PARENTS.append((self._context, self._socket))

    def ask(self, request: Any, kind: type[Reply], timeout: float = ANSWER_S) -> Reply:
        """Send a request and return its answer, of the kind expected."""
        self.send(request)
        reply, _ = self.answer(request.request, timeout)
        if not isinstance(reply, kind):
            raise ProtocolError(f"the server answered {type(reply).__name__} to {type(request).__name__}")
        return reply

    def answer(self, request: str, timeout: float) -> tuple[messages.Message, Optional[bytes]]:
        """Return the answer to a request, with its bytes; raises what it was refused for."""
        until = time.monotonic() + timeout
        while (received := self._next(until)) is not None:
            if getattr(received[0], "request", None) not in (request, ""):
                continue
            if isinstance(received[0], messages.RequestRefused):
                raise received[0].error
            return received
        raise ServerUnreachable(f"the server did not answer within {timeout:g} s", "Start it again: videomama serve")

    def send(self, message: messages.Request, bulk: Optional[bytes] = None) -> None:
        """Send a message; raises `ServerUnreachable` where the server takes none."""
        self._check_process()
        parts = [wire.encode(message)] if bulk is None else [wire.encode(message), bulk]
        try:
            self._socket.send_multipart(parts)
        except zmq.Again as error:
            raise ServerUnreachable("the server does not take messages", "Start it again: videomama serve") from error

    def next_event(self, job: str, timeout: float) -> Optional[messages.JobEvent]:
        """Return the next event of a job, or None when none came within `timeout` seconds.

        Raises:
            ServerUnreachable: nothing at all was heard for `SILENCE_S`, though asked.
        """
        self._check_process()
        queue = self._events.setdefault(job, deque())
        until = time.monotonic() + timeout
        while not queue and time.monotonic() < until:
            self._ping()
            self.receive(min(PING_EVERY_S, until - time.monotonic()))
        return queue.popleft() if queue else None

    def receive(self, timeout: float) -> Optional[tuple[messages.Message, Optional[bytes]]]:
        """Take one message: events go to their job's queue, anything else is returned."""
        self._check_process()
        if not self._socket.poll(max(0, int(timeout * 1000))):
            return None
        parts = self._socket.recv_multipart()
        self._heard = time.monotonic()
        message: Any = wire.decode(parts[0], messages.KINDS)
        if isinstance(message, messages.JOB_EVENTS):
            self._events.setdefault(message.job, deque()).append(message)
        return message, parts[1] if len(parts) > 1 else None

    def _next(self, until: float) -> Optional[tuple[messages.Message, Optional[bytes]]]:
        """Take one message; None where none has come by `until`. What lies there is taken even after that."""
        while True:
            left = until - time.monotonic()
            received = self.receive(left)
            if received is not None or left <= 0:
                return received

    def _check_process(self) -> None:
        """Raise `ServerUnreachable` in a forked child of the process that made this client."""
        if self._pid != os.getpid():
            raise ServerUnreachable(
                f"this client belongs to process {self._pid} and cannot be used in its forked child {os.getpid()}",
                "Make a new client in the child: videomama_client.launch.connect().",
            )

    def _ping(self) -> None:
        """Keep hearing from the server while a job is quiet; give up when pings stay without an answer.

        Silence counts from the first ping that was not answered, and what has arrived but was not read yet breaks it:
        a host may come back late to a queue full of news.
        """
        now = time.monotonic()
        unanswered = self._pinged > self._heard
        if unanswered and now - self._unanswered > SILENCE_S and not self._socket.poll(0):
            raise ServerUnreachable(
                f"the server has not been heard of for {SILENCE_S:g} s",
                "It may have been ended. Run again: what was finished is in the cache.",
            )
        if now - max(self._pinged, self._heard) > PING_EVERY_S:
            self._unanswered = self._unanswered if unanswered else now
            self._pinged = now
            self.send(messages.ReportStatus(new_id(), brief=True))


def new_id() -> str:
    """Return the id of a new request."""
    return uuid.uuid4().hex
