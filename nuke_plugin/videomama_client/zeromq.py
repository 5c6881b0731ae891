"""ZeroMQ, wherever this Python has it: pyzmq, else the copy inside Nuke where that can do what is needed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# What the client uses of it. Nuke's copy is not documented, and its version differs from release to release.
_NAMES = (
    "Context",
    "DEALER",
    "LINGER",
    "MAXMSGSIZE",
    "RCVHWM",
    "SNDHWM",
    "SNDTIMEO",
    "ZMQError",
    "Again",
    "curve_keypair",
)
_OF_SOCKET = ("connect", "poll", "recv_multipart", "send_multipart", "setsockopt")
_OF_CONTEXT = ("destroy", "socket")
_KEYS = ("CURVE_SERVERKEY", "CURVE_PUBLICKEY", "CURVE_SECRETKEY")
_FIX = "Run `python install nuke`, or put pyzmq for this Python on Nuke's Python path"


def _load() -> Any:
    """Return pyzmq, else Nuke's `foundry.zmq`.

    Raises:
        ImportError: neither can be used; says why and what to do.
    """
    try:
        return importlib.import_module("zmq")
    except ImportError as error:
        problem = f"pyzmq cannot be imported ({error})"
    try:
        found = importlib.import_module("foundry.zmq")
    except ImportError:
        raise ImportError(f"{problem}. {_FIX}.", name="zmq") from None
    lacking = _lacking(found)
    if lacking:
        raise ImportError(f"{problem}, and Nuke's own copy lacks {', '.join(lacking)}. {_FIX}.", name="zmq")
    return found


def _lacking(found: Any) -> list[str]:
    """What a copy of pyzmq cannot do of what the client needs."""
    lacking = [name for name in (*_NAMES, *_KEYS) if not hasattr(found, name)]
    for kind, names in (("Socket", _OF_SOCKET), ("Context", _OF_CONTEXT)):
        lacking += [f"{kind}.{name}" for name in names if not hasattr(getattr(found, kind, None), name)]
    has = getattr(found, "has", None)
    if has is None or not has("curve"):
        lacking.append("encryption (CURVE)")
    return lacking


if TYPE_CHECKING:
    import zmq
else:
    zmq = _load()

__all__ = ["zmq"]
