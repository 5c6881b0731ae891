"""The server's socket at work: each request is answered in a task of its own, as many at once as memory allows."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import zmq.asyncio
from videomama_client import messages, wire
from videomama_client.errors import InternalError, ProtocolError, VideoMaMaError

log = logging.getLogger(__name__)

Ask = TypeVar("Ask")
Answer = tuple[messages.Reply, bytes | None]
_AT_ONCE = 1000  # requests that are being answered; more wait in their senders' sockets
_AT_ONCE_BYTES = 2 << 30  # that these may hold


@dataclass(frozen=True)
class Incoming(Generic[Ask]):
    """One request as it came in.

    Attributes:
        client: the socket identity of the client that sent it.
        ask: the request itself.
        bulk: the bytes that came with it; None where there were none.
    """

    client: bytes
    ask: Ask
    bulk: bytes | None = None


Handler = Callable[[Incoming[Any]], Awaitable[Answer | None]]


class Router:
    """Takes requests and has them answered.

    Args:
        socket: a bound ROUTER.
        handlers: by kind of request, what answers it. It returns an answer with its bulk frame, or None when it
            answers in its own time.
        log_location: where a person finds the log.

    Attributes:
        heard: when the last request came, on the monotonic clock.
    """

    def __init__(self, socket: zmq.asyncio.Socket, handlers: Mapping[type, Handler], log_location: str) -> None:
        self._socket = socket
        self._handlers = handlers
        self._log_location = log_location
        self._tasks: set[asyncio.Task[None]] = set()
        self._held_bytes = 0  # by the messages of these tasks
        self.heard = time.monotonic()

    async def run(self) -> None:
        """Take requests until cancelled; those that are being answered then are cancelled too."""
        try:
            while True:
                await self._take(await self._socket.recv_multipart())
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def send(self, client: bytes, message: messages.Message, bulk: bytes | None = None) -> Awaitable[object]:
        """Send a message, after those that were sent before; what is returned is done when ZeroMQ has it."""
        parts = [client, wire.encode(message)]
        return self._socket.send_multipart(parts if bulk is None else [*parts, bulk])

    async def _take(self, parts: list[bytes]) -> None:
        """Begin to answer a message, once there is room for it."""
        self.heard = time.monotonic()
        size = sum(len(part) for part in parts)
        while self._tasks and (len(self._tasks) >= _AT_ONCE or self._held_bytes + size > _AT_ONCE_BYTES):
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(self._handle(parts))
        self._tasks.add(task)
        self._held_bytes += size

        def done(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            self._held_bytes -= size

        task.add_done_callback(done)

    async def _handle(self, parts: list[bytes]) -> None:
        """Answer one message; whatever goes wrong becomes one typed refusal: the server's boundary."""
        client, bulk = parts[0], parts[2] if len(parts) == 3 else None
        answer: Answer | None
        request = ""
        try:
            if len(parts) not in (2, 3):
                raise ProtocolError(f"a message of {len(parts) - 1} parts", "Update the client.")
            message = wire.decode(parts[1], messages.KINDS)
            request = getattr(message, "request", "")
            handler = self._handlers.get(type(message))
            if handler is None:
                raise ProtocolError(f"{type(message).__name__} is not a request", "Update the client.")
            answer = await handler(Incoming(client, message, bulk))
        except VideoMaMaError as error:
            answer = messages.RequestRefused.by(request, error), None
        except Exception as error:
            log.exception("a request failed")
            failure = InternalError(f"{type(error).__name__}: {error}", f"See {self._log_location}.")
            answer = messages.RequestRefused.by(request, failure), None
        if answer is not None:
            await self.send(client, *answer)
