"""Requests over real sockets, answered by handlers of the tests' own."""

import asyncio
from contextlib import asynccontextmanager

import pytest
import zmq
import zmq.asyncio
from videomama_client import messages, wire
from videomama_client.errors import BadInput
from videomama_server.serving import router
from videomama_server.serving.router import Incoming, Router


@asynccontextmanager
async def running(handlers):
    """Yield a router at work and a client's socket."""
    context = zmq.asyncio.Context()
    bound, client = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
    bound.bind("tcp://127.0.0.1:*")
    client.connect(bound.getsockopt_string(zmq.LAST_ENDPOINT))
    one = Router(bound, handlers, "the log")
    work = asyncio.create_task(one.run())
    try:
        yield one, client
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        context.destroy(linger=0)


async def answer(client):
    """Return the next message that the client is sent, and its bulk frame."""
    parts = await asyncio.wait_for(client.recv_multipart(), 10)
    return wire.decode(parts[0], messages.KINDS), parts[1] if len(parts) == 2 else None


def ask(client, *parts):
    """Send frames from a client."""
    return client.send_multipart([part if isinstance(part, bytes) else wire.encode(part) for part in parts])


async def refused(client):
    """Return code and message of the refusal that comes next."""
    told, _ = await answer(client)
    assert isinstance(told, messages.RequestRefused)
    return told.request, told.code, told.message


def test_a_handler_gets_client_request_and_bulk_frame_and_its_answer_is_sent():
    seen = []

    async def fetch(incoming):
        seen.append(incoming)
        request = incoming.ask
        return messages.AlphaFetched(request.request, request.job, request.frame), b"pixels"

    async def scene():
        async with running({messages.FetchAlpha: fetch}) as (one, client):
            before = one.heard
            await ask(client, messages.FetchAlpha("r", "job", 7), b"bulk")
            assert await answer(client) == (messages.AlphaFetched("r", "job", 7), b"pixels")
            assert one.heard > before

    asyncio.run(scene())
    assert seen[0].client
    assert seen[0] == Incoming(seen[0].client, messages.FetchAlpha("r", "job", 7), b"bulk")


def test_a_request_without_bulk_bytes_comes_with_none():
    seen = []

    async def stop(incoming):
        seen.append(incoming.bulk)
        return messages.ServerStopping(incoming.ask.request), None

    async def scene():
        async with running({messages.StopServer: stop}) as (_, client):
            await ask(client, messages.StopServer("r"))
            await answer(client)

    asyncio.run(scene())
    assert seen == [None]


def test_a_handler_that_answers_in_its_own_time_sends_by_itself():
    async def scene():
        async def stop(incoming):
            await one.send(incoming.client, messages.ServerStopping(incoming.ask.request))

        handlers = {}
        async with running(handlers) as (one, client):
            handlers[messages.StopServer] = stop
            await ask(client, messages.StopServer("r"))
            assert await answer(client) == (messages.ServerStopping("r"), None)

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((messages.StopServer("r"),), ("r", "protocol", "StopServer is not a request")),
        ((messages.StopServer("r"), b"", b""), ("", "protocol", "a message of 3 parts")),
    ],
)
def test_what_nobody_handles_is_refused(parts, expected):
    async def scene():
        async with running({}) as (_, client):
            await ask(client, *parts)
            assert await refused(client) == expected

    asyncio.run(scene())


def test_bytes_that_are_no_message_are_refused_and_the_next_request_is_answered():
    async def hello(incoming):
        return messages.ServerStopping(incoming.ask.request), None

    async def scene():
        async with running({messages.StopServer: hello}) as (_, client):
            await ask(client, b"\xff\x00garbage")
            request, code, _ = await refused(client)
            assert (request, code) == ("", "protocol")
            await ask(client, messages.StopServer("r"))
            assert await answer(client) == (messages.ServerStopping("r"), None)

    asyncio.run(scene())


def test_an_error_of_a_handler_is_told_and_one_that_was_not_foreseen_is_logged(caplog):
    async def bad_input(_):
        raise BadInput("no such job", "Submit anew.")

    async def bug(_):
        raise ZeroDivisionError("oh")

    async def scene():
        async with running({messages.StopServer: bad_input, messages.UnloadEngine: bug}) as (_, client):
            await ask(client, messages.StopServer("one"))
            assert await refused(client) == ("one", "bad-input", "no such job")
            await ask(client, messages.UnloadEngine("two"))
            told, _ = await answer(client)
            assert told == messages.RequestRefused("two", "internal", "ZeroDivisionError: oh", "See the log.")

    asyncio.run(scene())
    assert "a request failed" in caplog.text


@pytest.mark.parametrize("limit", ["_AT_ONCE", "_AT_ONCE_BYTES"])
def test_requests_beyond_the_limit_wait_for_those_before_them(limit, monkeypatch):
    """Of bytes, one message alone may be more than the limit: it is answered while no other is."""
    monkeypatch.setattr(router, limit, 1)
    under_way, most = 0, 0

    async def slow(incoming):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        return messages.ServerStopping(incoming.ask.request), None

    async def scene():
        async with running({messages.StopServer: slow}) as (_, client):
            for number in range(5):
                await ask(client, messages.StopServer(str(number)))
            return [(await answer(client))[0].request for _ in range(5)]

    assert asyncio.run(scene()) == ["0", "1", "2", "3", "4"]
    assert most == 1


def test_what_is_being_answered_ends_with_the_router():
    ended = []

    async def scene():
        begun = asyncio.Event()

        async def endless(_):
            begun.set()
            try:
                await asyncio.sleep(60)
            finally:
                ended.append(True)

        async with running({messages.StopServer: endless}) as (_, client):
            await ask(client, messages.StopServer("r"))
            await asyncio.wait_for(begun.wait(), 10)

    asyncio.run(scene())
    assert ended == [True]


def test_a_thousand_requests_and_two_gibibytes_may_be_answered_at_once():
    assert (router._AT_ONCE, router._AT_ONCE_BYTES) == (1000, 2 * 2**30)
    assert Incoming(b"client", messages.StopServer("r")).bulk is None
