"""What of the server needs no client; over its socket it is tested end to end."""

import asyncio
from typing import get_args

import psutil
import pytest
from videomama_client import messages
from videomama_server import config, pipe
from videomama_server.serving import server
from videomama_server.serving.housekeeping import Housekeeping


@pytest.fixture
def own(tmp_path):
    return config.load({"connection_file": tmp_path / "connection.json", "cache_dir": tmp_path / "cache"})


def test_every_request_of_the_protocol_has_a_handler(own):
    assert set(server.Server(own)._handlers) == set(get_args(messages.Request))


def test_the_memory_and_device_of_the_engine_are_as_the_worker_said_last(own):
    served = server.Server(own)
    served._on_worker(pipe.EngineHolds("cuda:0", "float16", 1, 2))
    served._on_worker(pipe.EngineHolds("cuda:0", "float16", 3, 4))
    assert served._held == pipe.EngineHolds("cuda:0", "float16", 3, 4)


def test_every_event_of_a_job_is_entered_in_the_book(own):
    handlers = server.Server(own)._worker_handlers
    assert {handlers[kind] for kind in messages.JOB_EVENTS} == {handlers[messages.FrameDone]}


def test_a_message_of_the_worker_that_asks_for_nothing_changes_nothing(own):
    served = server.Server(own)
    served._on_worker(pipe.WorkerReady(7))
    assert served._held == pipe.EngineHolds()
    assert served._book.report() == []


def test_the_memory_of_a_process_that_is_gone_is_not_known():
    assert server._memory(None) is None
    assert server._memory(2**22 + 1) is None


def test_a_server_whose_watch_fails_ends_and_says_why(own, monkeypatch):
    """Deaf or blind it would be worse than gone: a client starts another."""

    async def fail(_):
        await asyncio.sleep(0.1)
        raise RuntimeError("the watch broke")

    monkeypatch.setattr(Housekeeping, "run", fail)
    before = psutil.Process().children()
    with pytest.raises(RuntimeError, match="the watch broke"):
        server.serve(own)
    assert not own.connection_file.exists()
    assert set(psutil.Process().children()) <= set(before)
