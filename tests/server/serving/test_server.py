"""What of the server needs no client; over its socket it is tested end to end."""

import asyncio
import signal
import sys
from types import SimpleNamespace

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
    assert running.process.wait(60) == 0
    assert not running.connection_file.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="a system without SIGTERM")
@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_gets_a_signal_ends_as_if_it_were_asked_to(start_server, name):
    running = start_server()
    with running.client() as client:
        assert client.jobs() == []
    running.process.send_signal(name)
    assert running.process.wait(60) == 0
    assert not running.connection_file.exists()


@pytest.mark.parametrize("platform", ["linux", "win32"])
def test_both_signals_end_it_by_what_the_system_has(own, monkeypatch, platform):
    """asyncio has no signal handlers on Windows; elsewhere only they wake a loop that waits for its sockets."""
    taken = {"linux": [], "win32": []}

    async def scene():
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(server, "sys", SimpleNamespace(platform=platform))
        monkeypatch.setattr(loop, "add_signal_handler", lambda name, does: taken["linux"].append((name, does)))
        monkeypatch.setattr(server.signal, "signal", lambda name, does: taken["win32"].append((name, does)))
        for index, name in enumerate((signal.SIGINT, signal.SIGTERM)):
            one = server.Server(own)
            one._end_on_signals()
            known, does = taken[platform][2 * index + index % 2]
            assert known == name
            does(*([] if platform == "linux" else [name, None]))
            await asyncio.wait_for(one._ending.wait(), 10)
        return {system: len(calls) for system, calls in taken.items()}

    assert asyncio.run(scene()) == {"linux": 0, "win32": 0, platform: 4}


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(server.serve) == {"end_with_input": False}
    assert numbers_left_out(server.Server) == {"end_with_input": False}
