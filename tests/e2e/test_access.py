"""Who gets in, and what happens to those who talk nonsense once they are in."""

import os
from collections import deque
from dataclasses import asdict

import msgpack
import pytest
import zmq
from videomama_client import connection, messages, wire

HELLO = messages.Hello("r1", messages.PROTOCOL_VERSION, "test")


@pytest.fixture
def peer(server, make_peer):
    return make_peer(server)


def test_a_peer_without_keys_gets_nothing(server, make_peer):
    stranger = make_peer(server, authentic=False)
    stranger.send(wire.encode(HELLO))
    assert stranger.answer(0.7) is None
    server.status()


def test_a_peer_with_keys_of_its_own_gets_nothing(server):
    known = connection.read(server.connection_file)
    public, secret = connection.new_keys()
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.linger = 0
        socket.curve_serverkey = known.server_public.encode()
        socket.curve_publickey, socket.curve_secretkey = public.encode(), secret.encode()
        socket.connect(known.endpoint)
        socket.send(wire.encode(HELLO))
        assert not socket.poll(700)
    server.status()


def test_a_peer_that_speaks_no_zeromq_does_no_harm(server):
    import socket

    endpoint = connection.read(server.connection_file).endpoint
    host, port = endpoint.removeprefix("tcp://").split(":")
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(5000), b""):
        with socket.create_connection((host, int(port)), timeout=60) as stream:
            stream.sendall(garbage)
    server.status()


def test_the_server_listens_on_this_machine_alone(server):
    assert connection.read(server.connection_file).endpoint.startswith("tcp://127.0.0.1:")


def test_the_file_of_a_running_server_is_for_this_user_alone(server):
    assert server.connection_file.stat().st_mode & 0o777 == 0o600


NONSENSE = {
    "nothing": [b""],
    "bytes": [b"\xc1\xff\x00"],
    "random": [bytes(range(256))],
    "a list": [msgpack.packb([1, 2, 3])],
    "unknown kind": [msgpack.packb({"kind": "MakeTea", "request": "r"})],
    "unknown field": [msgpack.packb({"kind": "ReportStatus", "request": "r", "verbose": True})],
    "missing field": [msgpack.packb({"kind": "Hello", "request": "r"})],
    "wrong type": [msgpack.packb({"kind": "ReportStatus", "request": 5})],
    "an event": [wire.encode(messages.FrameDone("j", 1, False, "/etc/passwd"))],
    "a reply": [wire.encode(messages.ServerStopping("r"))],
    "the pipe's": [msgpack.packb({"kind": "DropJob", "job": "j"})],
    "three parts": [wire.encode(HELLO), b"bulk", b"more"],
    "many parts": [b"x"] * 50,
    "nested": [b"\x91" * 10_000],
    "too large": [bytes(wire.MAX_PACKED_BYTES + 1)],
    "a frame of no job": [wire.encode(messages.SupplyFrame("j", "plate", 1)), b"bytes"],
}


@pytest.mark.parametrize("parts", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_gets_a_typed_answer_and_the_server_goes_on(peer, parts):
    peer.send(*parts)
    answer = peer.answer()
    assert isinstance(answer, messages.RequestRefused)
    assert answer.code in ("protocol", "bad-input")
    assert answer.message
    peer.send(wire.encode(HELLO))
    assert isinstance(peer.answer(), messages.Greeted)


def test_a_bulk_part_where_none_belongs_is_passed_over(peer):
    peer.send(wire.encode(HELLO), b"x" * 100_000)
    assert isinstance(peer.answer(), messages.Greeted)


@pytest.mark.parametrize(
    "path", ["a\0b", "relative.exr", "/" + "x" * 300, "/" + "x/" * 3000, "", "/dev/zero", "/dev/null", "/"]
)
def test_no_path_upsets_the_proof(peer, path):
    peer.send(wire.encode(messages.ProveFile("r", path, "nonce")))
    answer = peer.answer()
    if isinstance(answer, messages.RequestRefused):
        assert answer.code in ("not-permitted", "bad-input"), answer
    else:
        assert answer == messages.FileProved("r", "")


def test_a_refusal_names_the_request_it_refuses(peer):
    peer.send(wire.encode(messages.FetchAlpha("r7", "nonsense", 1)))
    answer = peer.answer()
    assert (answer.request, answer.code) == ("r7", "bad-input")


def test_inline_frames_of_another_client_or_frame_are_refused(server, make_peer, make_clip):
    clip = make_clip(count=1)
    request = clip.order(inline=True, inline_frame_numbers=[1001], plate_digests=["p"], mask_digests=["m"])
    owner, intruder = make_peer(server), make_peer(server)
    owner.send(wire.encode(request))
    job = owner.answer().job
    content = clip.file("plate", 1001).read_bytes()
    for sender, role, frame in ((intruder, "plate", 1001), (owner, "plate", 1002), (owner, "depth", 1001)):
        sender.send(wire.encode(messages.SupplyFrame(job, role, frame)), content)
        heard = deque([sender.answer()])
        while not isinstance(heard[-1], messages.RequestRefused):
            heard.append(sender.answer())
        assert heard[-1].code == "protocol"
    owner.send(wire.encode(messages.CancelJob("r", job)))
    while not isinstance(owner.answer(), messages.MatteFailed):
        continue


def test_frames_sent_before_they_are_asked_for_are_taken(server, make_peer, make_clip):
    from videomama_client.digests import content_digest

    clip = make_clip(count=1)
    digests = {role: content_digest(clip.file(role, 1001)) for role in ("plate", "mask")}
    request = clip.order(
        inline=True, inline_frame_numbers=[1001], plate_digests=[digests["plate"]], mask_digests=[digests["mask"]]
    )
    eager = make_peer(server)
    eager.send(wire.encode(request))
    job = eager.answer().job
    for role in ("plate", "mask"):
        eager.send(wire.encode(messages.SupplyFrame(job, role, 1001)), clip.file(role, 1001).read_bytes())
    answers = [eager.answer()]
    while not isinstance(answers[-1], (messages.MatteDone, messages.MatteFailed, type(None))):
        if isinstance(answers[-1], messages.FrameWanted):
            role = answers[-1].role
            eager.send(wire.encode(messages.SupplyFrame(job, role, 1001)), clip.file(role, 1001).read_bytes())
        answers.append(eager.answer())
    assert isinstance(answers[-1], messages.MatteDone), answers
    assert server.refine(make_clip(count=1)).done.frame_count == 1


def test_a_request_may_leave_out_what_has_a_default(server, make_peer, make_clip):
    clip = make_clip(count=1)
    content = {**asdict(clip.order()), "kind": "SubmitMatte", "settings": {"engine": "passthrough"}}
    for name in ("clip", "frame_ranges", "priority", "layer", "dtype", "rehash", "inline"):
        del content[name]
    peer = make_peer(server)
    peer.send(msgpack.packb(content))
    answers: list[str] = []
    while not answers or answers[-1] != "MatteDone":
        answers.append(type(peer.answer()).__name__)
    told = [answer for answer in answers if answer != "PhaseChanged"]
    assert told == ["JobAccepted", "MattePlanned", "FrameDone", "MatteDone"]
