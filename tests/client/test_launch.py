import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
from videomama_client import connection, launch, messages
from videomama_client.errors import InternalError, ProtocolError, ServerUnreachable


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch):
    for name in [name for name in os.environ if name.startswith("VIDEOMAMA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VIDEOMAMA_CONFIG", os.devnull)


@pytest.fixture
def started(monkeypatch):
    """The processes that `launch` started; they are ended with the test."""
    processes: list[subprocess.Popen] = []
    monkeypatch.setattr(launch, "_STARTED", processes)
    yield processes
    workers = [child for process in processes if process.poll() is None for child in _children(process.pid)]
    for process in processes:
        process.terminate()
        process.wait(15)
    assert psutil.wait_procs(workers, 15)[1] == []


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return []


def flags(folder: Path) -> list[str]:
    return ["--cache-dir", str(folder / "cache")]


def command(folder: Path, script: str) -> Path:
    path = folder / "command"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_running_server_is_found(server, started):
    with launch.connect(server.connection_file) as client:
        assert client.hello().pid == server.process.pid
    assert started == []


def test_no_server_and_no_start_says_how_to_start_one(tmp_path, started):
    with pytest.raises(ServerUnreachable, match="no server runs here") as caught:
        launch.connect(tmp_path / "connection.json", start=False)
    assert "videomama serve" in caught.value.hint
    assert started == []


def test_a_server_is_started_where_none_runs_and_found_the_next_time(tmp_path, started):
    path = tmp_path / "state" / "connection.json"
    with launch.connect(path, flags=flags(tmp_path)) as client:
        pid = client.hello().pid
        assert client.status().cache_dir == str(tmp_path / "cache")
    with launch.connect(path, start=False) as client:
        assert client.hello().pid == pid
    assert [process.pid for process in started] == [pid]
    assert "listens at" in path.with_suffix(".log").read_text()


def test_two_clients_that_start_a_server_at_once_end_up_on_one(tmp_path, started, eventually):
    path = tmp_path / "connection.json"
    pids = []

    def run():
        with launch.connect(path, flags=flags(tmp_path)) as client:
            pids.append(client.hello().pid)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    assert len(pids) == 3
    assert len(set(pids)) == 1
    eventually(lambda: [process.pid for process in started if process.poll() is None] == pids[:1], "the others ended")
    assert {process.returncode for process in started} <= {None, 0}


def test_a_server_is_started_while_the_one_before_is_still_ending(tmp_path, started):
    path = tmp_path / "connection.json"
    with launch.connect(path, flags=flags(tmp_path)) as client:
        first = client.hello().pid
        client.stop_server()
    with launch.connect(path, flags=flags(tmp_path)) as client:
        assert client.hello().pid != first


def test_the_file_of_a_dead_server_is_replaced(tmp_path, started, unheard):
    path = tmp_path / "connection.json"
    connection.write(path, unheard)
    with pytest.raises(ServerUnreachable, match="is gone"):
        launch.connect(path, start=False)
    with launch.connect(path, flags=flags(tmp_path)) as client:
        assert client.hello().pid == connection.read(path).pid


def test_garbage_in_the_connection_file_is_replaced(tmp_path, started):
    path = tmp_path / "connection.json"
    path.write_text("garbage")
    with launch.connect(path, flags=flags(tmp_path)) as client:
        client.hello()


def test_another_version_is_reported_and_no_second_server_started(server, started, monkeypatch):
    monkeypatch.setattr(messages, "PROTOCOL_VERSION", messages.PROTOCOL_VERSION + 1)
    with pytest.raises(ProtocolError, match="Update the server"):
        launch.connect(server.connection_file)
    assert started == []


def test_a_server_that_ends_at_once_is_reported_with_its_last_words(tmp_path, started, monkeypatch):
    monkeypatch.setenv("VIDEOMAMA_COMMAND", str(command(tmp_path, "echo first; echo no such disk >&2; exit 3")))
    with pytest.raises(InternalError, match="ended with code 3: no such disk") as caught:
        launch.connect(tmp_path / "connection.json")
    assert "connection.log" in caught.value.hint


def test_a_server_that_ends_at_once_without_a_word_is_reported(tmp_path, started, monkeypatch):
    monkeypatch.setenv("VIDEOMAMA_COMMAND", str(command(tmp_path, "exit 3")))
    with pytest.raises(InternalError, match="its log is empty"):
        launch.connect(tmp_path / "connection.json")


def test_a_server_that_never_answers_is_given_up(tmp_path, started, monkeypatch):
    monkeypatch.setattr(launch, "START_S", 0.3)
    monkeypatch.setenv("VIDEOMAMA_COMMAND", str(command(tmp_path, "exec sleep 60")))
    with pytest.raises(ServerUnreachable, match="no server") as caught:
        launch.connect(tmp_path / "connection.json")
    assert "log" in caught.value.hint


@pytest.mark.parametrize("named", ["gone/videomama", "folder"])
def test_a_command_that_cannot_be_run_is_reported(tmp_path, started, monkeypatch, named):
    (tmp_path / "folder").mkdir()
    monkeypatch.setenv("VIDEOMAMA_COMMAND", str(tmp_path / named))
    with pytest.raises(ServerUnreachable, match=named):
        launch.connect(tmp_path / "connection.json")


def test_a_state_folder_that_cannot_be_made_is_reported(tmp_path, started):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ServerUnreachable, match="file"):
        launch.connect(tmp_path / "file" / "connection.json")


def test_the_command_is_the_named_one_then_this_python_then_the_one_on_the_path(tmp_path, monkeypatch):
    assert launch.server_command() == [sys.executable, "-m", "videomama_server"]
    monkeypatch.setenv("VIDEOMAMA_COMMAND", "/opt/videomama")
    assert launch.server_command() == ["/opt/videomama"]
    monkeypatch.delenv("VIDEOMAMA_COMMAND")
    monkeypatch.setattr(launch.importlib.util, "find_spec", lambda name: None)
    found = command(tmp_path, "true").rename(tmp_path / "videomama")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert launch.server_command() == [str(found)]
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ServerUnreachable, match="no server is installed") as caught:
        launch.server_command()
    assert "installer" in caught.value.hint
