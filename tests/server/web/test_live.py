"""Parts of a page that are sent again when they change."""

import asyncio

import pytest
from videomama_server.web import live


def events(parts, count, monkeypatch):
    monkeypatch.setattr(live, "EVERY_S", 0.001)
    left = iter(parts)

    async def take():
        stream = live.stream(lambda: next(left))
        found = []
        async for event in stream.body_iterator:
            found.append(event)
            if len(found) == count:
                return found
        return found

    return asyncio.run(take())


def test_a_part_is_sent_only_when_it_changes(monkeypatch):
    assert events(["a", "a", "b", "c"], 3, monkeypatch) == ["data: a\n\n", "data: b\n\n", "data: c\n\n"]


def test_every_line_of_a_part_is_data(monkeypatch):
    assert events(["a\n\nevent: forged"], 1, monkeypatch) == ["data: a\ndata: \ndata: event: forged\n\n"]


def test_a_quiet_stream_gives_a_sign_of_life(monkeypatch):
    monkeypatch.setattr(live, "_SIGN_S", 0.002)
    assert events(["a"] * 50, 2, monkeypatch)[1].startswith(":")


def test_it_is_at_most_a_second_behind():
    assert live.EVERY_S < 1
    assert live.stream(str).media_type == "text/event-stream"


def test_a_part_that_cannot_be_made_ends_the_stream(monkeypatch):
    def fail():
        raise ZeroDivisionError

    async def take():
        return [event async for event in live.stream(fail).body_iterator]

    with pytest.raises(ZeroDivisionError):
        asyncio.run(take())
