"""What of the server needs no client; over its socket it is tested end to end."""

import asyncio

import psutil
import pytest
from videomama_server import config
from videomama_server.serving import server


def test_the_memory_of_a_process_that_is_gone_is_not_known():
    assert server._memory(None) is None
    assert server._memory(2**22 + 1) is None


def test_a_server_whose_watch_fails_ends_and_says_why(tmp_path, monkeypatch):
    """Deaf or blind it would be worse than gone: a client starts another."""
    own = config.load({"connection_file": tmp_path / "connection.json", "cache_dir": tmp_path / "cache"})

    async def fail(_):
        await asyncio.sleep(0.1)
        raise RuntimeError("the watch broke")

    monkeypatch.setattr(server.Server, "_watch_idle", fail)
    before = psutil.Process().children()
    with pytest.raises(RuntimeError, match="the watch broke"):
        server.serve(own)
    assert not own.connection_file.exists()
    assert set(psutil.Process().children()) <= set(before)
