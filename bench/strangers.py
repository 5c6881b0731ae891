"""Attempts to get into a server without the keys of its connection file; each says what it got, if it got anything.

Let in is who gets an answer to a greeting, or the last word of the handshake (READY), which ends it.
"""

from __future__ import annotations

import random
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlsplit

import psutil
import zmq
from videomama_client import messages, wire
from videomama_client.connection import Connection, new_keys

PATIENCE_S = 0.8
_READY = b"\x05READY"
_HELLO = wire.encode(messages.Hello("r", messages.PROTOCOL_VERSION, "intruder"))
_GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x01" + b"%s" + bytes(31)
_HTTP = (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"POST /Hello HTTP/1.0\r\nContent-Length: 1000000000\r\n\r\n")
_WEBSOCKET = (
    b"GET /zmq HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ZWS2.0\r\n"
    b"Sec-WebSocket-Version: 13\r\n\r\n"
    b"\x82\xfe\x00\x7e"
)
Attempt = tuple[str, str]  # its kind, and what it got: empty when it was kept out
Dress = Callable[[zmq.Socket, Connection, random.Random], None]
ANY = random.Random(0)  # noqa: S311  (where nothing is random)


def attempts(known: Connection, rng: random.Random, count: int) -> Iterator[Attempt]:
    """Try every way `count` times."""
    for kind, dress in _DRESSES.items():
        yield from _knock(kind, known, [dress] * count, rng)
    for address in _other_addresses():
        elsewhere = replace(known, endpoint=f"tcp://{address}:{urlsplit(known.endpoint).port}")
        yield from _knock("right key at another address", elsewhere, [wear_right_key], rng)
    for kind, make in _RAW.items():
        yield from _shout(kind, known, [make(rng) for _ in range(count)])
    session = record(known)
    changed = [_flipped(session, rng) for _ in range(count)]
    cut = [session[: rng.randrange(10, len(session))] for _ in range(count)]
    yield from _shout("recorded session replayed", known, [session] * count)
    yield from _shout("recorded session, bits changed", known, changed)
    yield from _shout("recorded session, cut short", known, cut)


def is_let_in(known: Connection) -> bool:
    """Whether the right key gets an answer, by the very means that the attempts use: else they prove nothing."""
    (_, got), *_ = _knock("right key", known, [wear_right_key], ANY)
    return bool(got)


def wear_right_key(peer: zmq.Socket, known: Connection, _: random.Random = ANY) -> None:
    """Take the keys of the connection file."""
    peer.curve_serverkey = known.server_public.encode()
    peer.curve_publickey, peer.curve_secretkey = known.client_public.encode(), known.client_secret.encode()


def record(known: Connection) -> bytes:
    """Return all that a client with the right key sends in one session: greeting, handshake, a request."""
    address = urlsplit(known.endpoint)
    sent = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as relay, zmq.Context() as context:
        through = replace(known, endpoint=f"tcp://127.0.0.1:{relay.getsockname()[1]}")
        thread = threading.Thread(target=_relay, args=(relay, (address.hostname, address.port), sent), daemon=True)
        thread.start()
        with context.socket(zmq.DEALER) as peer:
            peer.linger = 0
            wear_right_key(peer, through)
            peer.connect(through.endpoint)
            peer.send(_HELLO)
            if not peer.poll(10_000):
                raise RuntimeError("a client with the right key was not let in through the relay")
        thread.join(10)
    return bytes(sent)


def _relay(door: socket.socket, target: tuple[str, int], sent: bytearray) -> None:
    client, _ = door.accept()
    with client, socket.create_connection(target) as server:
        content = b"it begins"
        while content:
            stream = select.select([client, server], [], [])[0][0]
            content = stream.recv(65536)
            if stream is client:
                sent += content
            (server if stream is client else client).sendall(content)


def _knock(kind: str, known: Connection, dresses: Sequence[Dress], rng: random.Random) -> Iterator[Attempt]:
    """Greet the server over sockets of ZeroMQ, all at once, and wait for what comes back."""
    with zmq.Context() as context:
        peers = []
        for dress in dresses:
            peer = context.socket(zmq.DEALER)
            peer.linger = 0
            dress(peer, known, rng)
            peer.connect(known.endpoint)
            peer.send(_HELLO)
            peers.append(peer)
        until = time.monotonic() + PATIENCE_S
        for peer in peers:
            heard = peer.poll(max(0, int((until - time.monotonic()) * 1000)))
            yield kind, f"an answer: {peer.recv()[:80]!r}" if heard else ""
            peer.close()


def _shout(kind: str, known: Connection, contents: Sequence[bytes]) -> Iterator[Attempt]:
    """Send bytes over plain connections, all at once, and look for the handshake's last word in what comes back."""
    address = urlsplit(known.endpoint)
    streams = [socket.create_connection((address.hostname, address.port), timeout=5) for _ in contents]
    heard = dict.fromkeys(streams, b"")
    for stream, content in zip(streams, contents, strict=True):
        with suppress(OSError):  # it was shown the door already
            stream.sendall(content)
    until = time.monotonic() + PATIENCE_S
    waiting = set(streams)
    while waiting and time.monotonic() < until:
        for stream in select.select(list(waiting), [], [], max(0.0, until - time.monotonic()))[0]:
            content = _received(stream)
            heard[stream] += content
            waiting -= set() if content else {stream}
    for stream in streams:
        stream.close()
        got = _READY in heard[stream] or b"Greeted" in heard[stream]
        yield kind, f"the handshake's last word: {heard[stream][-80:]!r}" if got else ""


def _received(stream: socket.socket) -> bytes:
    try:
        return stream.recv(65536)
    except OSError:
        return b""


def _other_addresses() -> list[str]:
    found = [each.address for card in psutil.net_if_addrs().values() for each in card if each.family == socket.AF_INET]
    return [*(address for address in found if not address.startswith("127.")), "127.0.0.2", "127.255.255.254"]


def _flipped(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _no_security(peer: zmq.Socket, _: Connection, rng: random.Random) -> None:
    peer.routing_id = rng.randbytes(8).hex().encode()


def _password(peer: zmq.Socket, _: Connection, rng: random.Random) -> None:
    peer.plain_username, peer.plain_password = (
        rng.choice([b"admin", b"root", b"videomama"]),
        rng.randbytes(6).hex().encode(),
    )


def _own_key(peer: zmq.Socket, known: Connection, _: random.Random) -> None:
    peer.curve_serverkey = known.server_public.encode()
    peer.curve_publickey, peer.curve_secretkey = (key.encode() for key in new_keys())


def _half_of_the_key(peer: zmq.Socket, known: Connection, _: random.Random) -> None:
    peer.curve_serverkey, peer.curve_publickey = known.server_public.encode(), known.client_public.encode()
    peer.curve_secretkey = new_keys()[1].encode()


def _the_servers_key(peer: zmq.Socket, known: Connection, _: random.Random) -> None:
    peer.curve_serverkey = peer.curve_publickey = known.server_public.encode()
    peer.curve_secretkey = new_keys()[1].encode()


def _other_server(peer: zmq.Socket, known: Connection, rng: random.Random) -> None:
    wear_right_key(peer, known, rng)
    peer.curve_serverkey = new_keys()[0].encode()


def _domain(peer: zmq.Socket, known: Connection, rng: random.Random) -> None:
    _own_key(peer, known, rng)
    peer.zap_domain = rng.choice([b"videomama", b"*", b"global", b"nowhere"])


def _greeting(mechanism: bytes, as_server: bool = False) -> bytes:
    return _GREETING % (mechanism.ljust(20, b"\0") + (b"\x01" if as_server else b"\0"))


_DRESSES: dict[str, Dress] = {
    "no security (NULL)": _no_security,
    "user and password (PLAIN)": _password,
    "a key of its own": _own_key,
    "public half of the right key": _half_of_the_key,
    "the server's own public key": _the_servers_key,
    "right key, wrong server key": _other_server,
    "a key of its own and a domain": _domain,
}
_RAW: dict[str, Callable[[random.Random], bytes]] = {
    "random bytes": lambda rng: rng.randbytes(rng.randrange(1, 5000)),
    "HTTP": lambda rng: rng.choice(_HTTP),
    "websocket": lambda rng: _WEBSOCKET + rng.randbytes(rng.randrange(200)),
    "half a greeting": lambda rng: _greeting(b"CURVE")[: rng.randrange(1, 64)],
    "greeting without security, READY": lambda _: (
        _greeting(b"NULL") + b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER"
    ),
    "greeting, READY out of turn": lambda _: _greeting(b"CURVE") + b"\x04\x06\x05READY",
    "greeting as a server": lambda rng: _greeting(b"CURVE", as_server=True) + rng.randbytes(200),
    "greeting, random handshake": lambda rng: _greeting(b"CURVE") + b"\x04\xc8\x05HELLO\x01" + rng.randbytes(193),
    "greeting, a frame of 1 GiB": lambda _: _greeting(b"CURVE") + b"\x06" + (1 << 30).to_bytes(8, "big") + b"\x05HELLO",
}
