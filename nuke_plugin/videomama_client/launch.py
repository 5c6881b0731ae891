"""Finds the running server, or starts one in the background and waits until it answers."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Optional, Protocol, TypeVar

from videomama_client import connection, outside, private, surroundings
from videomama_client.client import Client
from videomama_client.errors import InternalError, ServerUnreachable

START_S = 90.0  # what ends is known at once; a busy machine or a cold network disk may take more than half a minute
HELLO_S = 10.0
_POLL_S = 0.05
ClientT = TypeVar("ClientT", bound=Client)
_START = "Start one with `videomama serve`."


class Started(Protocol):
    """A server process that was started here."""

    def poll(self) -> Optional[int]:
        """Return its exit code, or None while it runs."""


_STARTED: list[Started] = []  # Python warns when the handle of a living process is dropped


def connect(connection_file: Optional[Path] = None, start: bool = True, flags: Sequence[str] = ()) -> Client:
    """Return a client that has been greeted by the server.

    Args:
        connection_file: by default `connection.default_path()`.
        start: start a server when none answers.
        flags: further words for `videomama serve`.

    Raises:
        ServerUnreachable: none answers and none could be started.
        ProtocolError: it speaks another version.
    """
    path = connection_file or connection.default_path()
    try:
        return greeted(_client(path))
    except ServerUnreachable as error:
        if not start:
            raise ServerUnreachable(error.message, _START) from error
    return _start(path, flags)


def server_command() -> list[str]:
    """Return the command that runs the server: $VIDEOMAMA_COMMAND, this Python's own, or the one on the PATH."""
    named = os.environ.get("VIDEOMAMA_COMMAND", "")
    if named:
        return [named]
    if importlib.util.find_spec("videomama_server") is not None:
        return surroundings.python("-m", "videomama_server")
    found = shutil.which("videomama")
    if found is None:
        raise ServerUnreachable("no server is installed here", "Run the installer, or set VIDEOMAMA_COMMAND.")
    return [found]


def started() -> bool:
    """Whether a server that this process has started still runs, or still begins."""
    return any(process.poll() is None for process in _STARTED)


def end_started() -> None:
    """End the servers that this process has started; those of Windows are not its children, and stay."""
    for process in _STARTED:
        if isinstance(process, subprocess.Popen) and process.poll() is None:
            process.terminate()


def reach(connection_file: Path) -> Client:
    """Return a client of the running server that was not greeted: to end one of any version.

    Raises:
        ServerUnreachable: none listens.
    """
    try:
        return _client(connection_file)
    except ServerUnreachable as error:
        hint = _START if connection_file.exists() else "Nothing has to be stopped."
        raise ServerUnreachable(error.message, hint) from error


def _client(path: Path) -> Client:
    found = connection.read(path)
    if not found.listening():
        raise ServerUnreachable(f"the server of {path} is gone", "Start one: videomama serve")
    return Client(found)


def greeted(client: ClientT) -> ClientT:
    """Greet the server and return the client; close it where the server does not answer or speaks another version."""
    try:
        client.hello(HELLO_S)
    except BaseException:
        client.close()
        raise
    return client


def _start(path: Path, flags: Sequence[str]) -> Client:
    path = _absolute(path)
    command = [*server_command(), "serve", "--connection-file", str(path), *flags]
    log = path.with_suffix(".log")
    process = _spawn(command, log)
    until = time.monotonic() + START_S
    problem = f"no server answered within {START_S:g} s"
    while time.monotonic() < until:
        try:
            return greeted(_client(path))
        except ServerUnreachable as error:
            problem = error.message
        code = process.poll()
        if code == 0:  # another server was first; should that one be about to end, it is our turn again
            process = _spawn(command, log)
        elif code is not None:
            raise InternalError(f"the server ended with code {code}: {_tail(log)}", f"Its log is {log}.")
        time.sleep(_POLL_S)
    raise ServerUnreachable(problem, f"The log is {log}.")


def _absolute(path: Path) -> Path:
    """Return the path as the server finds it from its own folder."""
    try:
        return path.absolute()
    except OSError as error:  # this process's own folder was removed
        reason = f"{path} is relative, and the working folder cannot be used: {error.strerror}"
        raise ServerUnreachable(reason, "Change to a folder that exists, or give the whole path.") from error


def _spawn(command: Sequence[str], log: Path) -> Started:
    """Start a server that outlives this process, holds none of its streams and gets none of the host's variables.

    It begins in this process's folder, so that relative paths mean what they mean here, and leaves that by itself.
    """
    try:
        private.make_folder(log.parent)
        process: Started = detached(command, log) if sys.platform != "win32" else outside.start(command, log)
    except OSError as error:
        reason = f"cannot start a server: {error.filename or command[0]}: {error.strerror}"
        raise ServerUnreachable(reason, "Run the installer, or choose another connection file.") from error
    _STARTED.append(process)
    return process


def detached(command: Sequence[str], log: Path, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that a Ctrl-C does not reach it; what it says goes to its log.

    Args:
        command: with its arguments.
        log: in a folder that is there.
        stdin: as `subprocess` takes it.
    """
    with os.fdopen(private.open_log(log), "ab") as output:
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=output,
            stderr=output,
            env=surroundings.environment(),
            start_new_session=True,
        )


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "its log is empty"
