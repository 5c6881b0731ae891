"""Runs the page: one for each connection file, listening on 127.0.0.1, with the port that it had before."""

from __future__ import annotations

import socket
import sys
import webbrowser
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from filelock import FileLock, Timeout
from videomama_client.errors import BadInput, ServerUnreachable

from videomama_server.web import session
from videomama_server.web.app import create_app
from videomama_server.web.site import HOST, Site
from videomama_server.web.state import State

_MOST_CONNECTIONS = 200
_FAREWELL_S = 2  # that streams of events get to end


@dataclass(frozen=True)
class Asked:
    """How the page is to run.

    Attributes:
        connection_file: of the server that it is a client of.
        port: to listen at; None takes the last one, or a free one.
        browser: whether to open one.
    """

    connection_file: Path
    port: int | None = None
    browser: bool = True


def serve(asked: Asked, say: Callable[[str], None]) -> None:
    """Run the page until it is ended; where one runs already, open that one and return.

    Args:
        asked: how.
        say: tells the person one line.

    Raises:
        BadInput: the port is taken.
        ServerUnreachable: a page holds the lock, and has not said where it listens.
        OSError: its folder cannot be made.
    """
    state = State.beside(asked.connection_file)
    state.make()
    lock = FileLock(state.lock_file, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        _open_running(asked, state, say)
        return
    with lock, closing(_listening(asked.port, state)) as listener:
        port = listener.getsockname()[1]
        state.set_port(port)
        site = Site(asked.connection_file.absolute(), port, state)
        server = uvicorn.Server(_config(site))
        _open(asked, site.address, state, say)
        say("Press Ctrl-C to end the page. Jobs continue on the server.")
        try:
            server.run(sockets=[listener])
        finally:
            for end in site.at_end:
                end()


def _config(site: Site) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(site),
        log_config=None,
        access_log=False,  # names of files stand in addresses
        server_header=False,
        lifespan="off",
        ws="none",
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_FAREWELL_S,
    )


def _open_running(asked: Asked, state: State, say: Callable[[str], None]) -> None:
    port = state.port()
    if not port:
        raise ServerUnreachable("the page is starting", "Run `videomama web` again in a moment.")
    if asked.port not in {None, port}:
        raise BadInput(f"the page runs already, at port {port}", "End it first, or leave --port out.")
    say("The page runs already.")
    _open(asked, f"http://{HOST}:{port}", state, say)


def _open(asked: Asked, address: str, state: State, say: Callable[[str], None]) -> None:
    """Make an entry file and have a browser open it, or say where both are."""
    entry = session.make_entry(state, address)
    say(address)
    if asked.browser and webbrowser.open(entry.as_uri()):
        return
    say(f"Open this file in a browser within ten minutes: {entry}")


def _listening(asked: int | None, state: State) -> socket.socket:
    """Return a socket that listens on 127.0.0.1 at the asked port, else the last one, else a free one."""
    if asked:
        try:
            return _bound(asked)
        except OSError as error:
            raise BadInput(f"port {asked} cannot be used: {error.strerror}", "Choose another --port.") from error
    try:
        return _bound(state.port())
    except OSError:  # another program has the last port by now
        return _bound(0)


def _bound(port: int) -> socket.socket:
    listener = socket.socket()
    try:
        if sys.platform != "win32":  # there it would let another program listen at the same port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen()  # so that a browser which is faster than the page waits
    except BaseException:
        listener.close()
        raise
    return listener
