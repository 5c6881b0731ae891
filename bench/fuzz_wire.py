"""Nonsense on the wire for fuzz.py: messages that no client would send, for the decoder alone and for a live server."""

from __future__ import annotations

import itertools
import random
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgpack
import psutil
import zmq
from fuzz_pictures import FuzzOutcome, damaged, seeds
from private_server import private_server
from videomama_client import connection, messages, wire
from videomama_client.client import Client
from videomama_client.connection import Connection
from videomama_client.errors import ProtocolError, VideoMaMaError
from videomama_client.settings import MatteSettings

SLACK_MB = 128  # that server and worker together may have grown by after the first hundred rounds: heaps in pieces
SLACK_FILES = 8
_BATCH = 200
_NEVER = {"StopServer", "UnloadEngine"}  # these would end what is under test, as they are meant to
_HEADS = (0xDB, 0xC6, 0xDD, 0xDF, 0xC9)  # str32, bin32, array32, map32, ext32
_PLAIN: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**63 - 1, -(2**63), 2**64 - 1, 0.0, -1.5, 1e308, float("nan"), float("inf"),
    "", "r", "plate", "1-10", "1-1000000x2", "\0", "a\nb", "../..", "\udcff", "x" * 300, "9" * 5000, b"", [], {}, [[]],
    [1, 2], ["a"], {"a": 1}, msgpack.ExtType(5, b""), msgpack.Timestamp(1),
)  # fmt: skip


def _sound(rng: random.Random, kind: str, folder: Path) -> dict[str, Any]:
    """Return a message of one kind whose fields are mostly of their type."""
    texts = ("", "r", "1-10", "interactive", "plate", str(folder / "plate.####.exr"), str(folder / "out.####.exr"), "j")
    kinds: dict[str, Any] = {
        "str": lambda: rng.choice(texts),
        "int": lambda: rng.choice((0, 1, 2, -1, 1001, 2**40)),
        "float": lambda: rng.choice((0.0, 1.5, -1.0, 1e300)),
        "bool": lambda: rng.random() < 0.5,
        "MatteSettings": lambda: {
            "engine": "passthrough",
            **dict.fromkeys(rng.sample(_settings(), rng.choice((0, 0, 1))), rng.choice(_PLAIN)),
        },
    }
    content: dict[str, Any] = {"kind": kind}
    if kind == "SubmitMatte" and rng.random() < 0.7:
        named = {role: str(folder / f"{role}.####.exr") for role in ("plate", "mask", "out")}
        return {**content, "request": "r", **named, "settings": kinds["MatteSettings"]()}
    for field in fields(messages.KINDS[kind]):
        make = kinds.get(str(field.type))
        content[field.name] = make() if make else rng.choice(([], [1], ["d"], None, [1, 2]))
    return content


def _settings() -> list[str]:
    return [field.name for field in fields(MatteSettings)]


def _pack(content: object) -> bytes:
    return bytes(msgpack.packb(content, use_bin_type=True, unicode_errors="surrogateescape"))


def nonsense(rng: random.Random, folder: Path) -> bytes:
    """Return the packed part of one message: nearly sound, damaged, or random bytes."""
    kind = rng.choice([name for name in messages.KINDS if name not in _NEVER])
    content = _sound(rng, kind, folder)
    way = rng.randrange(8)
    if way == 0:
        return rng.randbytes(rng.randrange(200))
    if way == 1:
        return rng.choice((b"\x91", b"\x81\xa4kind", b"\x81\xa1a")) * rng.randrange(1, 20_000)
    if way == 2:
        head = bytes([rng.choice(_HEADS)]) + struct.pack(">I", rng.choice((0xFFFFFFFF, 0x7FFFFFFF, 1 << 24)))
        return rng.choice((b"", b"\x81\xa4kind", b"\x92")) + head + rng.randbytes(rng.randrange(16))
    if way == 3:
        return damaged(rng, _pack(content))
    for _ in range(rng.choice((0, 1, 1, 3))):
        content[rng.choice(list(content))] = rng.choice(_PLAIN)
    if way == 4:
        content.pop(rng.choice(list(content)))
    if way == 5:
        content[rng.choice(("extra", "", "kind "))] = 1
    return bytes(_pack(content))


def decoder(folder: Path, seed: int) -> Iterator[tuple[bytes, FuzzOutcome]]:
    """Yield nonsense and what `wire.decode` made of it, without end."""
    rng = random.Random(f"decoder {seed}")
    while True:
        content = nonsense(rng, folder)
        yield content, _decoded(content)


def _decoded(content: bytes) -> FuzzOutcome:
    try:
        message = wire.decode(content, messages.KINDS)
    except ProtocolError as error:
        return FuzzOutcome("refused", error.message)
    except Exception as error:  # noqa: BLE001  (any kind that gets here is a finding)
        return FuzzOutcome("untyped", f"{type(error).__name__}: {error}")
    return FuzzOutcome("message", type(message).__name__)


def _peer(context: zmq.Context[Any], known: Connection) -> zmq.Socket[Any]:
    socket = context.socket(zmq.DEALER)
    socket.linger = 0
    socket.curve_serverkey = known.server_public.encode()
    socket.curve_publickey, socket.curve_secretkey = known.client_public.encode(), known.client_secret.encode()
    socket.connect(known.endpoint)
    return socket


def _footprint(client: Client) -> tuple[float, int]:
    """Return memory in MB and descriptors of the server with its worker."""
    server = psutil.Process(client.status().pid)
    family = [server, *server.children(recursive=True)]
    return sum(p.memory_info().rss for p in family) / 1e6, sum(p.num_fds() for p in family)


def _settle(client: Client) -> None:
    """Wait until the jobs that came of it have ended, and the questions before this one were answered."""
    client.plan_frames(MatteSettings(engine="passthrough"), "1-10", "")
    until = time.monotonic() + 60
    while client.status().jobs_left and time.monotonic() < until:
        time.sleep(0.05)


def live_server(folder: Path, seed: int) -> Iterator[tuple[bytes, FuzzOutcome]]:
    """Yield what an admitted peer sent to a server in batches, and how it was after each, without end.

    Among the frames of the jobs that come of it is a damaged one.
    """
    rng = random.Random(f"server {seed}")
    wholes = seeds(folder, "exr")
    for name in ("plate.1001.exr", "mask.1001.exr", "plate.1002.exr", "mask.1002.exr"):
        (folder / name).write_bytes(wholes[0])
    with private_server(["--roots", str(folder), "--threads", "1"]) as (client, own), zmq.Context() as context:
        known = connection.read(own / "connection.json")
        before: tuple[float, int] | None = None
        for rounds in itertools.count(1):
            (folder / f"{rng.choice(('plate', 'mask'))}.1002.exr").write_bytes(damaged(rng, rng.choice(wholes)))
            batch = [nonsense(rng, folder) for _ in range(_BATCH)]
            with _peer(context, known) as socket:
                _speak(socket, batch, rng)
                outcome = _checked(client, before)
            if rounds == 100:
                before = _footprint(client)
            yield from ((packed, FuzzOutcome("answered or dropped")) for packed in batch[:-1])
            yield b"\0".join(batch), outcome


def _speak(socket: Any, batch: Sequence[bytes], rng: random.Random) -> None:
    """Send messages with or without bytes behind them; some of the answers are never read."""
    for packed in batch:
        socket.send_multipart([packed, *[rng.randbytes(50)] * rng.choice((0, 0, 0, 1, 2))])
        while rng.random() < 0.9 and socket.poll(0):
            socket.recv_multipart()


def _checked(client: Client, before: tuple[float, int] | None) -> FuzzOutcome:
    try:
        client.hello()
        _settle(client)
        restarts = client.status().worker_restarts
    except VideoMaMaError as error:
        return FuzzOutcome("silence", error.message)
    if restarts:
        return FuzzOutcome("worker died", f"{restarts} times")
    if before is not None:
        memory, files = _footprint(client)
        if memory > before[0] + SLACK_MB or files > before[1] + SLACK_FILES:
            return FuzzOutcome("growth", f"{before[0]:.0f} to {memory:.0f} MB, {before[1]} to {files} descriptors")
    return FuzzOutcome("answered or dropped")
