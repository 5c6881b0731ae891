"""The server's door: one server per connection file, where it listens, and who gets in."""

from __future__ import annotations

import os
from pathlib import Path

import filelock
import zmq
import zmq.asyncio
from videomama_client import __version__, connection, private
from videomama_client.channel import MAX_BULK_BYTES
from videomama_client.connection import Connection
from videomama_client.errors import NotPermitted, ServerUnreachable, VideoMaMaError
from zmq.auth.asyncio import AsyncioAuthenticator

from videomama_server.config import Config

_DOMAIN = b"videomama"  # any will do, but without one a peer gets in where nobody checks its key
_OPTIONS = {
    zmq.LINGER: 200,
    zmq.MAXMSGSIZE: MAX_BULK_BYTES,
    zmq.RCVHWM: 100,
    zmq.SNDHWM: 10_000,
    zmq.HANDSHAKE_IVL: 10_000,  # who says nothing that counts for so many milliseconds is dropped
    zmq.TCP_KEEPALIVE: 1,  # a peer whose machine is gone holds a descriptor; one that is only stopped is kept
    zmq.TCP_KEEPALIVE_IDLE: 60,
    zmq.TCP_KEEPALIVE_INTVL: 15,
    zmq.TCP_KEEPALIVE_CNT: 4,
}


class AlreadyRunning(VideoMaMaError):
    """Another server holds the connection file."""


class KeyHolders:
    """Lets in whoever holds the client key of the connection file, and nobody else."""

    def __init__(self, public: str) -> None:
        self._public = public.encode()

    def callback(self, domain: str, key: bytes) -> bool:  # noqa: ARG002  (the authenticator's signature)
        """Say whether a peer with this public key, Z85, may connect."""
        return key == self._public


def hold(path: Path) -> filelock.BaseFileLock:
    """Take the lock of a connection file; the system lets go of it when this process ends, however it ends.

    Raises:
        AlreadyRunning: another server has it.
        NotPermitted: the folder cannot be written, or anyone may replace files in it.
    """
    lock = filelock.FileLock(f"{path}.lock", timeout=0, mode=0o600)
    try:
        private.make_folder(path.parent)
        private.check_folder(path.parent)
        lock.acquire()
    except filelock.Timeout as error:
        raise AlreadyRunning(f"a server runs already; its connection file is {path}") from error
    except OSError as error:
        raise _cannot_write(path, error) from error
    return lock


def open_up(socket: zmq.asyncio.Socket, authenticator: AsyncioAuthenticator, config: Config) -> str:
    """Bind the socket under new keys, write the connection file and return the endpoint.

    Raises:
        ServerUnreachable: the address cannot be bound.
        NotPermitted: the connection file cannot be written.
    """
    public, secret = connection.new_keys()
    client_public, client_secret = connection.new_keys()
    authenticator.start()
    authenticator.configure_curve_callback(_DOMAIN.decode(), KeyHolders(client_public))
    for option, value in _OPTIONS.items():
        socket.setsockopt(option, value)
    socket.setsockopt(zmq.ZAP_DOMAIN, _DOMAIN)
    socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)  # else ZeroMQ lets any key in while no authenticator runs
    socket.curve_server = True
    socket.curve_publickey, socket.curve_secretkey = public.encode(), secret.encode()
    try:
        socket.bind(f"tcp://{config.host}:{config.port or '*'}")
    except zmq.ZMQError as error:
        reason = f"cannot listen at {config.host}:{config.port}: {error}"
        raise ServerUnreachable(reason, "Choose another host or port.") from error
    endpoint = socket.getsockopt_string(zmq.LAST_ENDPOINT)
    try:
        known = Connection(endpoint, public, client_public, client_secret, os.getpid(), __version__)
        connection.write(config.connection_file, known)
    except OSError as error:
        raise _cannot_write(config.connection_file, error) from error
    return endpoint


def _cannot_write(path: Path, error: OSError) -> NotPermitted:
    return NotPermitted(f"cannot write {path}: {error.strerror}", "Name another place with --connection-file.")
