"""What any refine needs of the machine: Python, the packages, a loopback port, a clock that is right."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import time
from pathlib import Path

from videomama_client import __version__, messages

import videomama_server
from videomama_server.asking import NoAnswer, ask_python
from videomama_server.config import Config
from videomama_server.doctor.lines import DoctorLine, good, problem, warning
from videomama_server.files.disk_space import nearest

OLDEST_PYTHON = (3, 11)
_IMPORT_S = 180.0  # a cold network disk
_CONNECT_S = 5.0
_DAY_S = 86400.0
_SKEW_S = 2.0  # file systems with coarse times are within this
_AGAIN = "`python install server` installs what is missing."
# What a job of the engine classic imports, made and asked for its windows.
_TRIAL = """
import json
from pathlib import Path
import videomama_server.serving.server, videomama_server.worker.worker
from videomama_server import engines
from videomama_server.engines.base import EngineConfig
print(json.dumps(engines.load("classic", EngineConfig(Path(), Path())).name))
"""


def python() -> DoctorLine:
    """Look at the interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    what = f"Python {version} at {sys.executable}; VideoMaMa {__version__}, protocol {messages.PROTOCOL_VERSION}"
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return good("python", what)
    return problem("python", what, "Python 3.11 is the oldest that works: `python install server --python PATH`.")


def engine() -> DoctorLine:
    """Load the engine that runs anywhere, in a process of its own; takes seconds."""
    try:
        ask_python(["-c", _TRIAL], _IMPORT_S)
    except NoAnswer as error:
        return problem("engine classic", f"It does not load: {error.message}", _AGAIN)
    return good("engine classic", "It loads; it needs no GPU and no weights")


def ports(config: Config, served: bool) -> DoctorLine:
    """Try to listen where the server would.

    Args:
        config: with host and port.
        served: a server of this config listens already.
    """
    where = f"{config.host}:{config.port}" if config.port else config.host
    if served and config.port:
        return good("ports", f"The server listens at {where}")
    try:
        _listen(config.host, config.port)
    except OSError as error:
        reason = error.strerror or str(error)
        fix = "Take another port with VIDEOMAMA_PORT (0 for any), and let security software allow Python to use it."
        return problem("ports", f"Nothing can listen at {where}: {reason}", fix)
    return good("ports", f"A server can listen at {where}" + ("" if config.port else ", at any port"))


def _listen(host: str, port: int) -> None:
    """Bind, and connect to what was bound where that is this machine's own address."""
    with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as door:
        address = door.getsockname()[:2]
        if host not in ("0.0.0.0", "::"):  # noqa: S104  (compared, not bound)
            socket.create_connection(address, timeout=_CONNECT_S).close()


def clock(folder: Path) -> DoctorLine:
    """Compare the clock with the times of this software's files, and with what the disk of `folder` writes."""
    now = time.time()
    built = max(path.stat().st_mtime for path in Path(videomama_server.__file__).parent.rglob("*.py"))
    shown = time.strftime("%Y-%m-%d %H:%M", time.localtime(now))
    if now < built - _DAY_S:
        what = f"It says {shown}, and files of this software are newer"
        return warning("clock", what, "Set the clock: downloads and the cache go wrong with it.")
    skew = _disk_skew(folder)
    if skew is not None and abs(skew) > _SKEW_S:
        what = f"It says {shown}, and the disk of {folder} is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"
        return warning("clock", what, "Set the clocks of this machine and the file server alike: by NTP.")
    return good("clock", f"It says {shown}")


def _disk_skew(folder: Path) -> float | None:
    """Return by how many seconds the disk's clock is ahead, however slow it is; None where nothing can be written."""
    place = nearest(folder)
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            before = time.time()
            file.write(b"now")
            file.flush()
            written = os.fstat(file.fileno()).st_mtime
            return written - min(max(written, before), time.time())
    except OSError:
        return None
