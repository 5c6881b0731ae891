"""The connection file and the server that it names: who may read it, whether it answers, which version it is."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from videomama_client import __version__, connection, launch, messages
from videomama_client.connection import Connection
from videomama_client.errors import ProtocolError, VideoMaMaError

from videomama_server.doctor.lines import DoctorLine, good, problem, warning
from videomama_server.files.disk_space import nearest

_FILE = "connection file"
_SERVER = "server"
_BY_ITSELF = "one is started when it is needed"
_AGAIN = "End the server (`videomama stop`), delete the file and start again."


def examine(path: Path) -> list[DoctorLine]:
    """Look at the file and greet the server; starts none."""
    if not path.exists():
        return [_place(path), good(_SERVER, f"None runs; {_BY_ITSELF}")]
    try:
        known = connection.read(path)
    except VideoMaMaError as error:
        return [warning(_FILE, _sentence(error.message), _AGAIN), good(_SERVER, f"None is known; {_BY_ITSELF}")]
    return [_mode(path), *_server(path, known)]


def listens(path: Path) -> bool:
    """Whether the file names a server that is there."""
    try:
        return connection.read(path).listening()
    except VideoMaMaError:
        return False


def _place(path: Path) -> DoctorLine:
    folder = nearest(path.parent)
    if os.access(folder, os.W_OK | os.X_OK):
        return good(_FILE, f"{path} is not there: no server runs")
    fix = "Name another place with VIDEOMAMA_CONNECTION_FILE, for Nuke too."
    return problem(_FILE, f"{path} cannot be written: {folder} may not be written to", fix)


def _mode(path: Path) -> DoctorLine:
    if os.name != "posix":
        return good(_FILE, f"{path}")
    status = path.stat()
    mode = stat.S_IMODE(status.st_mode)
    what = f"{path}, mode {mode:04o}"
    if status.st_uid != os.getuid():
        return warning(_FILE, f"{what}, belongs to another user", _AGAIN)
    if mode & 0o077:
        return warning(_FILE, f"{what}: others can read the keys and use your server", _AGAIN)
    return good(_FILE, what)


def _server(path: Path, known: Connection) -> list[DoctorLine]:
    if not known.listening():
        return [good(_SERVER, f"That of {path} is gone (pid {known.pid}); {_BY_ITSELF}")]
    try:
        with launch.connect(path, start=False) as client:
            theirs, status = client.hello().server, client.status()
    except ProtocolError as error:  # says which side to update
        return [problem(_SERVER, _sentence(error.message), error.hint)]
    except VideoMaMaError as error:
        fix = f"End process {known.pid} and start again; its log is {path.with_suffix('.log')}."
        return [problem(_SERVER, f"It listens at {known.endpoint} and does not answer: {error.message}", fix)]
    return [_version(theirs), *_deaths(status)]


def _version(theirs: str) -> DoctorLine:
    what = f"It answers, version {theirs}"
    if theirs == __version__:
        return good(_SERVER, what)
    if _numbers(theirs) < _numbers(__version__):
        fix = "The server is older: `videomama stop`; the next one that starts is new."
    else:
        fix = "This installation is older than the server: update it."
    return warning(_SERVER, f"{what}, and this is {__version__}", fix)


def _deaths(status: messages.StatusReported) -> list[DoctorLine]:
    if not status.worker_restarts:
        return []
    what = f"It died {status.worker_restarts} times since the server started"
    return [warning("engine process", what, f"The log says why: {status.log_file}")]


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:]
