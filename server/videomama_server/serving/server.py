"""The server process: the socket, the requests, and the engine worker under its eyes.

It imports no torch and opens no picture, so that it answers at once whatever the engine is doing.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

import zmq
import zmq.asyncio
from videomama_client import __version__, messages
from videomama_client.errors import ServerUnreachable
from zmq.auth.asyncio import AsyncioAuthenticator

from videomama_server.cache import spool
from videomama_server.config import Config
from videomama_server.serving import listener
from videomama_server.serving.dispatch import Dispatch
from videomama_server.serving.housekeeping import Controls, Housekeeping
from videomama_server.serving.requests import Requests
from videomama_server.serving.router import Router

log = logging.getLogger(__name__)


def serve(config: Config, end_with_input: bool = False) -> None:
    """Run until asked to end.

    Args:
        config: where to listen and what may be opened.
        end_with_input: whether to end as well when standard input is closed.

    Raises:
        AlreadyRunning: another server holds the connection file.
        NotPermitted: the connection file cannot be written.
        ServerUnreachable: the address cannot be bound.
    """
    lock = listener.hold(config.connection_file)
    os.chdir(config.connection_file.parent)  # the caller's folder may be one that is to be unmounted or removed
    loop = asyncio.SelectorEventLoop()  # ZeroMQ needs this kind, also on Windows
    try:
        loop.run_until_complete(Server(config, end_with_input).run())
    finally:
        loop.close()
        lock.release()


class Server:
    """One process: the socket, the worker, and the watch over both, until asked to end.

    Args:
        config: where to listen and what may be opened.
        end_with_input: whether it ends when standard input is closed.
    """

    def __init__(self, config: Config, end_with_input: bool = False) -> None:
        self._config, self._end_with_input = config, end_with_input
        self._ending = asyncio.Event()
        self._dispatch = Dispatch(config, self._send, lambda: self._housekeeping.note_work())
        self._requests = Requests(config, self._dispatch, self._send, self._ending.set)
        controls = Controls(
            fail=self._dispatch.fail,
            give_up=self._dispatch.give_up,
            retire_engine=self._dispatch.retire_engine,
            end_server=self._ending.set,
            tell_queue=self._dispatch.tell_queue,
            last_request=lambda: self._router.heard,
        )
        self._housekeeping = Housekeeping(
            config, self._dispatch.book, self._dispatch.questions, self._dispatch.worker, controls
        )

    async def run(self) -> None:
        """Bind, write the connection file, answer until asked to end, and clean up."""
        context = zmq.asyncio.Context()
        authenticator = AsyncioAuthenticator(context)
        socket = context.socket(zmq.ROUTER)
        self._router = Router(socket, self._requests.handlers, self._config.log_location)
        try:
            endpoint = listener.open_up(socket, authenticator, self._config)
            log.info("server %s listens at %s", __version__, endpoint)
            self._end_on_signals()
            if self._end_with_input:
                threading.Thread(
                    target=_read_to_end, args=(asyncio.get_running_loop(), self._ending), daemon=True
                ).start()
            self._dispatch.worker.start()
            await self._loop()
        finally:
            with suppress(OSError):
                self._config.connection_file.unlink(missing_ok=True)
            self._dispatch.worker.stop()
            self._dispatch.history.close()
            for job in self._dispatch.book.jobs():  # again: the worker makes a folder for a job that it just took in
                spool.remove(job.spool)
            authenticator.stop()
            context.destroy(linger=200)
            log.info("server ended")

    def _end_on_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            if sys.platform == "win32":
                signal.signal(name, lambda *_: loop.call_soon_threadsafe(self._ending.set))
            else:
                loop.add_signal_handler(name, self._ending.set)

    async def _loop(self) -> None:
        """Answer and watch until asked to end; where one of the two fails, the server ends too, and says why."""
        works = (self._ending.wait(), self._router.run(), self._housekeeping.run())
        tasks: list[asyncio.Task[Any]] = [asyncio.create_task(work) for work in works]
        ended, going = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)
        error = ServerUnreachable("the server was ended", "Run again: what was finished is in the cache.")
        self._dispatch.fail_all(error)
        for task in ended:
            task.result()

    def _send(self, client: bytes, message: messages.Message) -> Awaitable[object]:
        return self._router.send(client, message)


def _read_to_end(loop: asyncio.AbstractEventLoop, ending: asyncio.Event) -> None:
    """Wait for the end of standard input, which comes when the program that holds its other end is gone."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    with suppress(RuntimeError):  # the loop has ended before
        loop.call_soon_threadsafe(ending.set)
