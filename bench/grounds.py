"""Where attempts from inside are made: a server of one folder, a secret beside it, and a socket with the keys."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import socket
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import footage
import strangers
import zmq
from videomama_client import messages, wire
from videomama_client.connection import Connection
from videomama_client.settings import MatteSettings

ANSWER_S = 20.0
FRAMES = 3
_SETTINGS = MatteSettings(engine="passthrough", roi="off")


class Peer:
    """A bare socket with the right key: says what no client of ours would."""

    def __init__(self, known: Connection) -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        strangers.wear_right_key(self._socket, known)
        self._socket.connect(known.endpoint)

    def close(self) -> None:
        self._context.destroy(linger=0)

    def send(self, message: Any, bulk: bytes | None = None) -> None:
        self._socket.send_multipart([wire.encode(message)] if bulk is None else [wire.encode(message), bulk])

    def hear(self, seconds: float = ANSWER_S) -> tuple[Any, bytes | None]:
        """Return the next message and its bulk; (None, None) when none comes."""
        if not self._socket.poll(int(seconds * 1000)):
            return None, None
        parts = self._socket.recv_multipart()
        return wire.decode(parts[0], messages.KINDS), parts[1] if len(parts) > 1 else None

    def ask(self, message: Any, bulk: bytes | None = None) -> tuple[Any, bytes | None]:
        """Send a request and return what answers it; events of jobs are passed over."""
        self.send(message, bulk)
        until = time.monotonic() + ANSWER_S
        while time.monotonic() < until:
            answer, content = self.hear(until - time.monotonic())
            if getattr(answer, "request", None) in (message.request, ""):
                return answer, content
        return None, None

    def finish(self, request: messages.SubmitMatte) -> Any:
        """Submit a job and return its last word; None when it has none in time."""
        accepted, _ = self.ask(request)
        if not isinstance(accepted, messages.JobAccepted):
            return accepted
        until = time.monotonic() + ANSWER_S
        while time.monotonic() < until:
            event, _ = self.hear(until - time.monotonic())
            ended = isinstance(event, (messages.MatteDone, messages.MatteFailed)) and event.job == accepted.job
            if ended or (isinstance(event, messages.FrameWanted) and event.job == accepted.job):
                return event
        return None


@dataclass(frozen=True)
class Grounds:
    """What attempts from inside work with.

    Attributes:
        root: the one folder that the server may open; has a clip.
        secret: a folder beside it, with a clip and a text.
        cache: of the server.
        peer: who attempts.
        rng: what is random.
    """

    root: Path
    secret: Path
    cache: Path
    known: Connection
    peer: Peer
    rng: random.Random

    def order(self, **changes: Any) -> messages.SubmitMatte:
        """Return an honest request, but for `changes`."""
        named = {"plate": self.root / "plate.####.exr", "mask": self.root / "mask.####.exr", "settings": _SETTINGS}
        named["out"] = self.root / "out" / uuid.uuid4().hex / "alpha.####.exr"
        words = {name: value if name in _PLAIN else str(value) for name, value in {**named, **changes}.items()}
        return messages.SubmitMatte(request=uuid.uuid4().hex, **words)

    def fresh(self, name: str = "") -> Path:
        """Return a new folder under the root."""
        folder = self.root / (name or uuid.uuid4().hex)
        folder.mkdir(parents=True)
        return folder

    def untouched(self) -> str:
        """Return a digest of all that nobody may change: names, modes and contents outside, the clip under the root."""
        digest = hashlib.sha256()
        for path in [*sorted(self.secret.rglob("*")), *sorted(self.root.glob("*.exr"))]:
            digest.update(f"{path} {path.lstat().st_mode:o}".encode(errors="surrogateescape"))
            digest.update(path.read_bytes() if path.is_file() else b"")
        digest.update(repr(sorted(os.listdir("/etc"))).encode())  # noqa: PTH208  (names alone)
        return digest.hexdigest()


_PLAIN = ("settings", "inline", "inline_frame_numbers", "plate_digests", "mask_digests", "rehash")


def lay_out(folder: Path) -> tuple[Path, Path]:
    """Make the root and the secret in `folder` and return them."""
    root, secret = folder / "root", folder / "secret"
    for place in (root, secret):
        footage.make(place, FRAMES, 96, 64)
    for path in secret.glob("*.exr"):  # footage links equal frames: each place has bytes of its own
        path.write_bytes(path.read_bytes() + uuid.uuid4().bytes)
    (secret / "note.txt").write_text(f"canary {uuid.uuid4().hex}")
    return root, secret


@contextmanager
def unix_socket(path: Path) -> Iterator[None]:
    """Have a socket at a path; a long path is reached from its folder."""
    with socket.socket(socket.AF_UNIX) as bound:
        short = Path(tempfile.gettempdir()) / f"vm-{uuid.uuid4().hex[:8]}"
        bound.bind(str(short))
        shutil.move(short, path)
        yield
        path.unlink()
