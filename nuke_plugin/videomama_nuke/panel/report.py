"""Looks at everything that the plug-in needs and says what is wrong and what to do; no Qt, may take seconds."""

from __future__ import annotations

import importlib
import os
import platform
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

import videomama_client
from videomama_client import messages, server_config
from videomama_client.errors import ProtocolError, VideoMaMaError

if TYPE_CHECKING:
    from videomama_client.client import Client

_OLDEST_PYTHON = (3, 9)
_OLDEST_NUKE = 14
_START = "Press Start in the panel, or run `videomama serve`."
_REST = "GPU, weights and disk of the server's machine: run `videomama doctor` there."


@dataclass(frozen=True)
class ReportLine:
    """One thing that was looked at.

    Attributes:
        what: was found.
        fix: what to do about it; empty when it is as it should be.
    """

    ok: bool
    what: str
    fix: str = ""


def lines(connection_file: Optional[Path] = None) -> list[ReportLine]:
    """Look at everything, from the interpreter to the server's folders.

    Args:
        connection_file: by default the one of this user and machine.
    """
    found = [_python(), _nuke(), _plug_in(), _zeromq(), _package("msgpack", "msgpack"), _qt()]
    try:
        from videomama_client import connection
    except ImportError as error:
        return [*found, ReportLine(False, f"The server cannot be asked: {error}", "Install what is missing above.")]
    path = connection_file or connection.default_path()
    return [*found, *_connection_file(path), *_server(path)]


def text(found: list[ReportLine]) -> str:
    """Return the report as it is shown and copied: one line each, with what to do below it."""
    said = []
    for line in found:
        said.append(f"{'ok   ' if line.ok else 'FAIL '} {line.what}")
        said += [f"      {line.fix}"] if line.fix else []
    wrong = sum(not line.ok for line in found)
    said += ["", "Everything is as it should be." if not wrong else f"{wrong} of {len(found)} need attention.", _REST]
    return "\n".join(said)


def _python() -> ReportLine:
    ok = sys.version_info[:2] >= _OLDEST_PYTHON
    what = f"Python {platform.python_version()} on {platform.platform()}"
    return ReportLine(ok, what, "" if ok else "The plug-in needs Python 3.9, which Nuke 14 and newer bring.")


def _nuke() -> ReportLine:
    nuke: Any = sys.modules.get("nuke")
    if nuke is None:
        return ReportLine(True, "Nuke: not inside Nuke")
    ok = nuke.NUKE_VERSION_MAJOR >= _OLDEST_NUKE
    return ReportLine(ok, f"Nuke {nuke.NUKE_VERSION_STRING}", "" if ok else f"Nuke {_OLDEST_NUKE} or newer is needed.")


def _plug_in() -> ReportLine:
    folder = Path(videomama_client.__file__).parents[1]
    speaks = f"protocol {messages.PROTOCOL_VERSION}"
    return ReportLine(True, f"Plug-in {videomama_client.__version__}, {speaks}, in {folder}")


def _zeromq() -> ReportLine:
    """Look at the ZeroMQ that the client uses: pyzmq, or the copy inside Nuke."""
    try:
        from videomama_client.zeromq import zmq
    except ImportError as error:
        return ReportLine(False, f"pyzmq cannot be imported: {error}", "Run `python install nuke`.")
    name = "pyzmq" if zmq.__name__ == "zmq" else zmq.__name__
    return ReportLine(True, f"{name} {zmq.__version__} from {Path(zmq.__file__ or '').parent}")


def _package(name: str, project: str) -> ReportLine:
    try:
        found = importlib.import_module(name)
    except ImportError as error:
        fix = f"Put {project} for Python {sys.version_info[0]}.{sys.version_info[1]} on Nuke's Python path."
        return ReportLine(False, f"{project} cannot be imported: {error}", fix)
    version = getattr(found, "__version__", None) or ".".join(map(str, getattr(found, "version", ("unknown",))))
    return ReportLine(True, f"{project} {version} from {Path(found.__file__ or '').parent}")


def _qt() -> ReportLine:
    qt: Any = sys.modules.get("Qt")
    if qt is None:
        return ReportLine(True, "Qt: not loaded")
    return ReportLine(True, f"Qt {qt.__qt_version__} through {qt.__binding__} {qt.__binding_version__}")


def _connection_file(path: Path) -> list[ReportLine]:
    from videomama_client import connection

    if not path.exists():
        return [ReportLine(False, f"No connection file {path}: no server runs here", _START)]
    found = []
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix":
        private = not mode & 0o077
        fix = "" if private else f"Others may use your server: stop it, delete {path} and start it again."
        found.append(ReportLine(private, f"Connection file {path}, mode {mode:04o}", fix))
    try:
        known = connection.read(path)
    except VideoMaMaError as error:
        return [*found, ReportLine(False, _sentence(error.message), error.hint)]
    return [*found, ReportLine(True, f"It names {known.endpoint}, pid {known.pid}, version {known.version}")]


def _server(path: Path) -> list[ReportLine]:
    from videomama_client import connection, launch

    try:
        ours = videomama_client.__version__
        theirs = connection.read(path).version
        with launch.connect(path, start=False) as client:
            return [_version(ours, theirs), *_answers(client, path)]
    except ProtocolError as error:  # says which side to update
        return [ReportLine(False, _sentence(error.message), error.hint)]
    except VideoMaMaError as error:
        return [ReportLine(False, f"The server cannot be reached: {error.message}", error.hint or _START)]


def _version(ours: str, theirs: str) -> ReportLine:
    if ours == theirs:
        return ReportLine(True, f"The server answers; it is version {theirs} too")
    older = "the plug-in" if _numbers(ours) < _numbers(theirs) else "the server"
    return ReportLine(False, f"The server is version {theirs}, the plug-in {ours}", f"Update {older}.")


def _answers(client: Client, path: Path) -> list[ReportLine]:
    status = client.status()
    return [
        ReportLine(True, f"Engine: {status.engines or 'not loaded'}"),
        *_restarts(status.worker_restarts),
        *_differing(status),
        _cache(Path(status.cache_dir)),
        _log(Path(status.log_file), path.with_suffix(".log")),
    ]


def _restarts(count: int) -> list[ReportLine]:
    return [ReportLine(False, f"The engine died {count} times", "Its log says why.")] if count else []


def _differing(status: messages.StatusReported) -> list[ReportLine]:
    found = server_config.differences(status.config, server_config.from_environment())
    return [ReportLine(False, _sentence(str(known)), server_config.HINT) for known in found]


def _cache(folder: Path) -> ReportLine:
    if folder.parent.is_dir() and not folder.exists():
        return ReportLine(True, f"The cache folder {folder} is not made yet: the first job does that")
    if not folder.is_dir():
        fix = "Give the server a folder that this machine sees under the same name: videomama serve --cache-dir."
        return ReportLine(False, f"The cache folder {folder} is not there, seen from here", fix)
    try:
        with tempfile.TemporaryFile(dir=folder):
            return ReportLine(True, f"The cache folder {folder} can be written")
    except OSError as error:
        return ReportLine(
            False, f"The cache folder {folder} cannot be written: {error.strerror}", "Ask for its permissions."
        )


def _log(named: Path, beside: Path) -> ReportLine:
    for path in (named, beside):
        if os.access(path, os.R_OK):
            return ReportLine(True, f"Log {path}, {path.stat().st_size:,} bytes")
    return ReportLine(True, f"No log {named}: the server logs to the terminal it was started in")


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:]
