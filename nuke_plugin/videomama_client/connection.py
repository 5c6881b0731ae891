"""The connection file: where the server listens and the keys that let whoever can read the file in."""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
from dataclasses import Field, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from videomama_client import private
from videomama_client.errors import ServerUnreachable
from videomama_client.zeromq import zmq


@dataclass(frozen=True)
class Connection:
    """What a client needs to reach the server. Keys are CURVE keys as Z85 text."""

    endpoint: str
    server_public: str
    client_public: str
    client_secret: str = field(repr=False)  # no log or traceback is to show it
    pid: int
    version: str

    def listening(self) -> bool:
        """Whether anything accepts connections at the endpoint; a dead server's file points at nothing."""
        try:
            address = urlsplit(self.endpoint)
            socket.create_connection((address.hostname or "", address.port or 0), timeout=1.0).close()
        except (OSError, ValueError):  # nobody there, or no address at all
            return False
        return True


def default_path() -> Path:
    """Return $VIDEOMAMA_CONNECTION_FILE, else one file per user and machine: homes may be shared between machines."""
    named = os.environ.get("VIDEOMAMA_CONNECTION_FILE", "")
    return Path(named) if named else state_folder() / f"connection-{socket.gethostname()}.json"


def state_folder() -> Path:
    """Return the per-user folder for the connection file and the log."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "videomama"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "videomama"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "videomama"


def new_keys() -> tuple[str, str]:
    """Return a CURVE key pair, (public, secret)."""
    public, secret = zmq.curve_keypair()
    return public.decode(), secret.decode()


def write(path: Path, connection: Connection) -> None:
    """Write the file so that only this user can read it, and nobody ever sees half of it."""
    private.make_folder(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".connection-")  # made with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(connection), file, indent=1)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink()
        raise


def read(path: Path) -> Connection:
    """Read the file.

    Raises:
        ServerUnreachable: it is not there, not readable, makes no sense, or others may have put it there.
    """
    try:
        content = json.loads(private.read_text(path))
        return Connection(**{known.name: _checked(known, content[known.name]) for known in fields(Connection)})
    except FileNotFoundError as error:
        raise ServerUnreachable(f"no server runs here (there is no {path})", "Start one: videomama serve") from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = f"the connection file {path} cannot be used: {type(error).__name__}: {error}"
        raise ServerUnreachable(reason, "Start the server again: videomama serve") from error


def _checked(known: Field[Any], value: Any) -> Any:
    if type(value).__name__ != known.type:
        raise TypeError(f"{known.name} must be {known.type}")
    return value
