"""What admitted peers may say, and strangers do to the port: the server answers or drops, and keeps nothing."""

import os
import socket
import struct
from contextlib import ExitStack
from dataclasses import fields

import msgpack
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from videomama_client import connection, messages, wire
from videomama_client.settings import MatteSettings

HELLO = wire.encode(messages.Hello("hello", messages.PROTOCOL_VERSION, "test"))
SLACK_MB = 48  # that server and worker may differ by, once they are warm
relaxed = settings(database=None, deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))

# Ended on purpose by these; and a sound job would do work.
REQUESTS = sorted(
    {kind.__name__ for kind in messages.KINDS.values()} - {"StopServer", "UnloadEngine", "ClearCache", "SubmitMatte"}
)
odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=5),
    st.sampled_from(["\0", "../..", "/dev/zero", "1-1000000x2", "9" * 5000, "x" * 65_000]),
    st.builds(msgpack.ExtType, st.integers(0, 127), st.binary(max_size=4)),
    st.lists(st.integers(0, 5) | st.text(max_size=3), max_size=4),
    st.dictionaries(st.text(max_size=5), st.integers(0, 5), max_size=3),
)


@pytest.fixture(scope="module")
def target(run_server, tmp_path_factory):
    running = run_server(tmp_path_factory.mktemp("attacked"), ())
    with running.client() as client:  # warm: the worker has loaded what it needs
        client.plan_frames(MatteSettings(engine="passthrough"), "1-10", "")
    yield running
    assert running.process.poll() is None, running.log_file.read_text()
    assert running.status().worker_restarts == 0, running.log_file.read_text()
    assert "Traceback" not in running.log_file.read_text()
    running.end()


def packed(content: object) -> bytes:
    return msgpack.packb(content, use_bin_type=True, unicode_errors="surrogateescape")


def hears_until_greeted(peer, *parts: bytes) -> list:
    """Send something and a Hello after it; return what came before the answer to that."""
    if parts:
        peer.send(*parts)
    peer.send(HELLO)
    heard = [peer.answer()]
    while heard[-1] is not None and getattr(heard[-1], "request", "") != "hello":
        heard.append(peer.answer())
    assert isinstance(heard[-1], messages.Greeted), heard
    return heard[:-1]


def files_of(server) -> int:
    return psutil.Process(server.process.pid).num_fds()


def memory_of(server) -> float:
    family = [psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children(recursive=True)]
    return sum(process.memory_info().rss for process in family) / 1e6


def address(server) -> tuple[str, int]:
    host, port = connection.read(server.connection_file).endpoint.removeprefix("tcp://").split(":")
    return host, int(port)


def test_random_bytes_in_any_number_of_parts_are_refused(target, make_peer):
    peer = make_peer(target)

    @relaxed
    @given(st.lists(st.binary(max_size=100), min_size=1, max_size=4))
    def check(parts):
        (answer,) = hears_until_greeted(peer, *parts)
        assert isinstance(answer, messages.RequestRefused)

    check()


def test_any_field_of_any_message_may_hold_anything(target, make_peer):
    peer = make_peer(target)

    @settings(relaxed, max_examples=150)
    @given(st.sampled_from(REQUESTS), st.data())
    def check(name, data):
        content = {field.name: data.draw(odd) for field in fields(messages.KINDS[name])}
        if data.draw(st.booleans()) and content:
            del content[data.draw(st.sampled_from(sorted(content)))]
        for answer in hears_until_greeted(peer, packed({"kind": name, **content})):
            assert getattr(answer, "code", "") != "internal", answer

    check()


def test_settings_of_any_kind_are_refused_or_planned(target, make_peer):
    peer = make_peer(target)
    ask = wire.encode(messages.PlanFrames("r", MatteSettings(engine="passthrough"), "1-10", ""))
    sound = msgpack.unpackb(ask)

    @relaxed
    @given(st.data())
    def check(data):
        changed = {data.draw(st.sampled_from(sorted(sound["settings"]))): data.draw(odd)}
        peer.send(packed({**sound, "settings": {**sound["settings"], **changed}}))
        answer = peer.answer()
        assert isinstance(answer, (messages.FramesPlanned, messages.RequestRefused))
        assert getattr(answer, "code", "") != "internal", answer

    check()


@pytest.mark.parametrize("head", [0xDB, 0xC6, 0xDD, 0xDF, 0xC9], ids=["str", "bin", "array", "map", "ext"])
@pytest.mark.parametrize("before", [b"", b"\x81\xa4kind", b"\x81"], ids=["bare", "as kind", "as key"])
def test_four_gigabytes_that_are_announced_take_no_memory(target, make_peer, head, before):
    peer = make_peer(target)
    was = memory_of(target)
    (answer,) = hears_until_greeted(peer, before + bytes([head]) + struct.pack(">I", 0xFFFFFFFF) + b"\0")
    assert answer.code == "protocol"
    assert memory_of(target) < was + SLACK_MB


def test_a_message_of_millions_of_empty_lists_is_refused_before_they_are_made(target, make_peer):
    many = b"\xdd" + struct.pack(">I", 200_000) + b"\x90" * 200_000
    (answer,) = hears_until_greeted(make_peer(target), b"\x81\xa4kind" + b"\xdd" + struct.pack(">I", 80) + many * 80)
    assert "values" in answer.message


def test_a_field_that_is_there_twice_is_refused(target, make_peer):
    twice = b"\x83" + packed("kind") + packed("ReportJobs") + 2 * (packed("request") + packed("r"))
    (answer,) = hears_until_greeted(make_peer(target), twice)
    assert "twice" in answer.message


def test_a_flood_of_greetings_is_answered_to_the_last(target, make_peer):
    peer = make_peer(target)
    for number in range(5000):
        peer.send(wire.encode(messages.Hello(f"{number}", messages.PROTOCOL_VERSION, f"client{number}")))
    for number in range(5000):
        assert peer.answer().request == f"{number}"


def test_a_client_that_never_reads_holds_up_nobody_and_leaves_nothing(target, make_peer, eventually):
    sound = make_peer(target)

    def flood() -> None:
        deaf = make_peer(target)
        deaf.socket.rcvhwm = 1
        for _ in range(5000):
            deaf.send(wire.encode(messages.ReportStatus("r" * 1000)))
        assert hears_until_greeted(sound) == []
        deaf.context.destroy(linger=0)

    assert hears_until_greeted(sound) == []
    flood()
    memory, files = memory_of(target), files_of(target)
    for _ in range(5):
        flood()
    eventually(lambda: files_of(target) < files + 5, "its descriptors are free")
    eventually(lambda: memory_of(target) < memory + SLACK_MB, "its memory is free")


def test_bulk_that_nobody_asked_for_leaves_nothing(target, make_peer, eventually):
    peer, bulk = make_peer(target), os.urandom(8 << 20)
    unasked = wire.encode(messages.SupplyFrame("nobody", "plate", 1)), bulk
    hears_until_greeted(peer, *unasked)
    memory = memory_of(target)
    for _ in range(20):
        peer.send(*unasked)
    refusals = hears_until_greeted(peer)
    assert [refusal.code for refusal in refusals] == ["bad-input"] * 20
    eventually(lambda: memory_of(target) < memory + SLACK_MB, "the bulk is free")


def test_half_closed_slow_and_silent_strangers_hold_up_nobody(target, make_peer, eventually):
    files = files_of(target)
    with ExitStack() as held:
        half, slow, silent = (held.enter_context(socket.create_connection(address(target))) for _ in range(3))
        half.shutdown(socket.SHUT_WR)
        greeting = b"\xff" + bytes(8) + b"\x7f\x03\x01CURVE" + bytes(47)
        for at in range(len(greeting)):
            slow.sendall(greeting[at : at + 1])
            if at % 16 == 0:
                assert hears_until_greeted(make_peer(target)) == []
        silent.settimeout(10)
        assert silent.recv(1) == b"\xff"  # the server took it in, and greeted it
    eventually(lambda: files_of(target) <= files + 8, "the strangers' descriptors are free")


@pytest.mark.slow
def test_a_stranger_that_says_nothing_is_dropped(target, eventually):
    with socket.create_connection(address(target)) as silent:
        silent.settimeout(30)
        while silent.recv(1024):
            continue  # its greeting, and then the end


def test_thousands_of_connections_leave_no_descriptor(target, make_peer, eventually):
    where = address(target)

    def come_and_go(count: int) -> None:
        for number in range(count):
            with socket.create_connection(where, timeout=60) as stranger:
                stranger.sendall((b"", b"\xff", b"GET / HTTP/1.1\r\n\r\n")[number % 3])

    come_and_go(300)
    assert hears_until_greeted(make_peer(target)) == []
    memory, files = memory_of(target), files_of(target)
    come_and_go(3000)
    eventually(lambda: files_of(target) <= files + 2, "descriptors are free")
    assert memory_of(target) < memory + SLACK_MB


def test_hundreds_of_admitted_clients_leave_no_descriptor(target, make_peer, eventually):
    def come_and_go(count: int) -> None:
        for number in range(count):
            peer = make_peer(target)
            if number % 4:
                assert hears_until_greeted(peer) == []
            else:
                peer.send(HELLO)
            peer.context.destroy(linger=0)

    come_and_go(20)
    memory, files = memory_of(target), files_of(target)
    come_and_go(150)
    eventually(lambda: files_of(target) <= files + 2, "descriptors are free")
    assert memory_of(target) < memory + SLACK_MB
