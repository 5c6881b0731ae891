"""Tests for the socket below the client: silence, wrong keys, dead endpoints, forked children."""

import gc
import os
import select
import signal
import subprocess
import sys
import uuid
from collections import deque
from contextlib import nullcontext
from dataclasses import replace

import pytest
import zmq
from videomama_client import channel, connection, messages
from videomama_client.client import Client
from videomama_client.errors import BadInput, ProtocolError, ServerUnreachable, VideoMaMaError
from videomama_client.settings import MatteSettings

CHILD_S = 60.0  # what a forked child may take; a client that hangs waits for ever


@pytest.fixture
def asked(server):
    with server.client() as client:
        yield client


def test_no_event_in_time_is_none_and_no_error(asked):
    assert asked.next_event("nonsense", 0.2) is None


def test_a_client_that_was_busy_elsewhere_goes_on(asked, server, make_clip, monkeypatch, eventually):
    """A host may not come back to its events for longer than a server may be silent."""
    job = asked.submit(make_clip(count=1).order())
    with server.client() as other:
        eventually(lambda: not other.describe_job(job).state.left, "the job has ended")
    monkeypatch.setattr(channel, "SILENCE_S", 0.4)
    assert isinstance(list(asked.events(job))[-1], messages.MatteDone)


def test_an_answer_that_was_not_read_yet_is_no_silence(asked, monkeypatch, eventually):
    """A host may leave while it waits for the answer to a ping, and come back long after that has arrived."""
    with monkeypatch.context() as soon:
        soon.setattr(channel, "PING_EVERY_S", -1.0)
        asked._channel._ping()
    eventually(lambda: asked._channel._socket.poll(0), "the answer has arrived")
    monkeypatch.setattr(channel, "SILENCE_S", 0.0)
    assert asked.next_event("nonsense", 0.1) is None


def test_an_answer_that_came_while_its_client_was_busy_is_taken_after_its_time(asked, eventually):
    request = messages.ReportStatus(channel.new_id(), brief=True)
    asked._channel.send(request)
    eventually(lambda: asked._channel._socket.poll(0), "the answer has arrived")
    answer, _ = asked._channel.answer(request.request, 0.0)
    assert answer.request == request.request


def test_a_server_that_falls_silent_is_reported(unheard, monkeypatch):
    monkeypatch.setattr(channel, "SILENCE_S", 0.5)
    monkeypatch.setattr(channel, "PING_EVERY_S", 0.1)
    with Client(unheard) as lonely, pytest.raises(ServerUnreachable, match="not been heard of") as caught:
        lonely.next_event("job", 10)
    assert "cache" in caught.value.hint


@pytest.mark.timeout(120)
def test_any_number_of_messages_to_a_dead_endpoint_holds_up_nobody(unheard):
    with Client(unheard) as lonely:
        for number in range(2000):  # ZeroMQ by itself waits for ever after a thousand
            lonely.cancel(str(number))


def test_a_dead_endpoint_is_reported_within_the_time_asked_for(unheard):
    with Client(unheard) as lonely, pytest.raises(ServerUnreachable, match=r"did not answer within 0\.3 s"):
        lonely.hello(timeout=0.3)


def test_a_wrong_client_key_gets_no_answer(server):
    known = connection.read(server.connection_file)
    public, secret = connection.new_keys()
    stranger_known = replace(known, client_public=public, client_secret=secret)
    with Client(stranger_known) as stranger, pytest.raises(ServerUnreachable):
        stranger.hello(timeout=0.5)
    with server.client() as friend:
        friend.hello()


def test_a_wrong_server_key_gets_no_answer(server):
    known = connection.read(server.connection_file)
    with Client(replace(known, server_public=connection.new_keys()[0])) as misled, pytest.raises(ServerUnreachable):
        misled.hello(timeout=0.5)


@pytest.mark.parametrize(
    "change",
    [
        {"server_public": "short"},
        {"client_public": ""},
        {"client_secret": "#" * 40},
        {"server_public": "\N{SNOWMAN}" * 40},
        {"client_public": "\udce9" * 40},
        {"endpoint": "nonsense"},
        {"endpoint": ""},
        {"endpoint": "tcp://127.0.0.1:port"},
    ],
    ids=str,
)
def test_keys_or_an_endpoint_that_make_no_sense_are_reported(unheard, change):
    with pytest.raises(ServerUnreachable, match="make no sense"):
        Client(replace(unheard, **change))


def test_close_may_be_called_twice(unheard):
    lonely = Client(unheard)
    lonely.close()
    lonely.close()


def test_an_answer_to_an_older_request_is_passed_over(asked):
    asked._channel.send(messages.ReportStatus(uuid.uuid4().hex))
    assert isinstance(asked.hello(), messages.Greeted)


def in_child(work) -> str:
    """Run `work` in a forked child and return what it returned there, or what it raised; a child that hangs fails."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = str(work())
        except VideoMaMaError as error:
            said = f"{type(error).__name__}: {error}"
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        poll = select.poll()
        poll.register(stream, select.POLLIN)
        heard = poll.poll(CHILD_S * 1000)
        if not heard:
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return stream.read().decode() if heard else "it hung"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.parametrize(
    "use",
    [
        lambda asked: asked.status(),
        lambda asked: asked.submit(messages.SubmitMatte("r", "p", "m", "o", MatteSettings())),
        lambda asked: asked.next_event("job", 1),
        lambda asked: list(asked.events("job")),
        lambda asked: asked.cancel("job"),
        lambda asked: asked.fetch_alpha("job", 1),
    ],
    ids=["status", "submit", "next_event", "events", "cancel", "fetch_alpha"],
)
def test_a_client_says_at_once_that_it_is_in_a_forked_child(asked, use):
    asked.hello()
    said = in_child(lambda: use(asked))
    assert said.startswith(f"ServerUnreachable: this client belongs to process {os.getpid()} and cannot be used")
    assert "Make a new client in the child" in said
    assert asked.status().pid  # the parent's goes on


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_closing_in_a_forked_child_neither_hangs_nor_closes_the_parents(asked, server):
    def close() -> str:
        with asked:
            pass
        asked.close()
        gc.collect()
        return "closed"

    assert in_child(close) == "closed"
    assert asked.status().pid == server.process.pid


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_forked_child_can_make_a_client_of_its_own_and_end_as_programs_do(server):
    code = (
        "import os, sys; from pathlib import Path; from videomama_client import launch\n"
        "held = launch.connect(Path(sys.argv[1]), start=False)\n"
        "child = os.fork()\n"
        "with launch.connect(Path(sys.argv[1]), start=False) as own:\n"
        "    os.write(1, b'%d ' % own.status().pid)\n"  # at once: print writes the line's end by itself
        "if child:\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "    print(held.status().pid)\n"
    )
    command = [sys.executable, "-c", code, str(server.connection_file)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_S, check=False)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.split() == [str(server.process.pid)] * 3


def test_an_answer_of_another_kind_is_a_protocol_error(asked):
    with pytest.raises(ProtocolError, match="answered StatusReported to ReportStatus"):
        asked._channel.ask(messages.ReportStatus("r"), messages.Greeted)


def test_a_refused_request_raises_what_it_was_refused_for(asked):
    with pytest.raises(BadInput, match="unknown job"):
        asked._channel.ask(messages.FetchAlpha("r", "nonsense", 1), messages.AlphaFetched)


def test_a_server_that_takes_no_messages_is_unreachable(unheard):
    with Client(unheard) as lonely:
        lonely._channel._socket.close()
        lonely._channel._socket = Full()
        with pytest.raises(ServerUnreachable, match="does not take messages"):
            lonely.cancel("job")


class Full:
    """A socket whose queue is full."""

    def send_multipart(self, parts):
        raise zmq.Again

    def close(self, linger=0):
        """Nothing is held."""


def test_times_and_sizes_are_those_that_the_protocol_page_names():
    assert (channel.ANSWER_S, channel.SILENCE_S, channel.PING_EVERY_S) == (10.0, 10.0, 1.0)
    assert channel.MAX_BULK_BYTES == 2**30


def test_the_socket_neither_lingers_nor_holds_anybody_up(unheard):
    with Client(unheard) as lonely:
        socket = lonely._channel._socket
        found = [socket.getsockopt(option) for option in (zmq.LINGER, zmq.SNDHWM, zmq.RCVHWM, zmq.SNDTIMEO)]
        assert found == [0, 0, 0, 5000]
        assert socket.getsockopt(zmq.MAXMSGSIZE) == 2**30


def test_events_that_are_there_are_given_without_a_wait_and_in_order(unheard):
    with Client(unheard) as lonely:
        queue = lonely._channel._events
        queue["job"] = deque([messages.FrameDone("job", 1, False, "a"), messages.FrameDone("job", 2, False, "b")])
        assert [lonely.next_event("job", 0).frame for _ in range(2)] == [1, 2]
        assert lonely.next_event("job", 0) is None


@pytest.mark.parametrize(
    ("pinged", "heard", "unanswered", "sent", "since"),
    [
        (0.0, 99.5, 0.0, 0, 0.0),  # heard of just now
        (0.0, 98.0, 0.0, 1, 100.0),
        (98.5, 95.0, 95.5, 1, 95.5),  # no answer to the ping before: silence counts from the first
        (99.5, 95.0, 95.5, 0, 95.5),
        (90.0, 98.9, 89.0, 1, 100.0),
    ],
)
def test_a_quiet_server_is_asked_every_second(unheard, monkeypatch, pinged, heard, unanswered, sent, since):
    with Client(unheard) as lonely:
        socket, asked = lonely._channel, []
        monkeypatch.setattr(socket, "send", asked.append)
        socket._pinged, socket._heard, socket._unanswered = pinged, heard, unanswered
        with monkeypatch.context() as clock:
            clock.setattr(channel.time, "monotonic", lambda: 100.0)
            socket._ping()
        assert [type(message) for message in asked] == [messages.ReportStatus] * sent
        assert socket._unanswered == since


@pytest.mark.parametrize(("unanswered", "given_up"), [(90.0, False), (89.9, True)])
def test_a_server_is_given_up_ten_seconds_after_the_first_ping_without_an_answer(
    unheard, monkeypatch, unanswered, given_up
):
    with Client(unheard) as lonely:
        socket = lonely._channel
        socket._pinged, socket._heard, socket._unanswered = 99.5, 80.0, unanswered
        said = pytest.raises(ServerUnreachable, match="not been heard of for 10 s") if given_up else nullcontext()
        with monkeypatch.context() as clock, said:
            clock.setattr(channel.time, "monotonic", lambda: 100.0)
            socket._ping()
