"""A server of one process alone: it starts on demand and ends with that process."""

import os
import subprocess
import sys
import tempfile

import psutil
import pytest
from videomama_client.errors import InternalError
from videomama_client.whole_files import mark
from videomama_server import own_server as own_server_module
from videomama_server.own_server import OwnServer

KEEPER = """
import sys, time
from videomama_server.own_server import OwnServer
server = OwnServer(["--device", "cpu"])
with server.connect() as client:
    client.status()
print(server.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def own_server(monkeypatch, tmp_path):
    """A server with a cache of its own."""
    monkeypatch.setenv("VIDEOMAMA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("VIDEOMAMA_CONFIG", "/dev/null")
    server = OwnServer()
    yield server
    server.end()


def gone(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_it_starts_when_it_is_needed_and_serves_every_connection(own_server):
    assert own_server.pid is None
    with own_server.connect() as client:
        assert client.status().jobs == []
    first = own_server.pid
    with own_server.connect():
        assert own_server.pid == first
    own_server.end()
    assert own_server.pid is None
    assert gone(first)


def test_another_one_starts_after_it_was_killed(own_server):
    with own_server.connect():
        first = own_server.pid
    psutil.Process(first).kill()
    psutil.wait_procs([psutil.Process(first)], 60)
    with own_server.connect() as client:
        assert client.status().jobs == []
    assert own_server.pid != first


def test_one_that_does_not_end_in_time_is_killed(own_server, monkeypatch):
    monkeypatch.setattr(own_server_module, "_END_S", 0.2)
    with own_server.connect():
        first = own_server.pid
    psutil.Process(first).suspend()
    own_server.end()
    assert own_server.pid is None
    assert gone(first)


@pytest.mark.slow
def test_it_ends_when_its_process_is_killed(eventually, monkeypatch, tmp_path):
    monkeypatch.setenv("VIDEOMAMA_CACHE_DIR", str(tmp_path / "cache"))
    with subprocess.Popen([sys.executable, "-c", KEEPER], stdout=subprocess.PIPE, text=True) as keeper:
        pid = int(keeper.stdout.readline())
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        assert all(one.is_running() for one in family)
        keeper.kill()
    eventually(lambda: all(gone(one.pid) for one in family), "the server and its worker end")


def test_folders_of_killed_processes_are_removed_and_those_of_living_ones_stay(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    named = mark().replace(str(os.getpid()), "{0}")
    dead, living = (tmp_path / f"videomama-server-{named.format(pid)}x" for pid in (ended.pid, os.getppid()))
    for folder in (dead, living):
        folder.mkdir()
        os.utime(folder, (0, 0))
    server = OwnServer()
    assert not dead.exists()
    assert living.exists()
    del server
    assert list(tmp_path.iterdir()) == [living]


def test_a_server_that_cannot_start_says_why():
    with pytest.raises(InternalError, match="nonsense"):
        OwnServer(["--delivery", "nonsense"]).connect()
