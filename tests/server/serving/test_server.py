"""What of the server needs no client; over its socket it is tested end to end."""

import asyncio

import psutil
import pytest
from videomama_server import config
from videomama_server.serving import server
from videomama_server.serving.housekeeping import Housekeeping


@pytest.fixture
def own(tmp_path):
    return config.load({"connection_file": tmp_path / "connection.json", "cache_dir": tmp_path / "cache"})


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


def test_a_server_that_is_asked_to_stop_says_so_and_ends(start_server):
    running = start_server()
    with running.client() as client:
        client.stop_server()
    assert running.process.wait(20) == 0
    assert not running.connection_file.exists()
