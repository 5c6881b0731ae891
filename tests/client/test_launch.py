import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

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
        process.wait(60)
    assert psutil.wait_procs(workers, 60)[1] == []


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
        thread.join(120)
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
    assert launch.server_command() == [sys.executable, "-I", "-m", "videomama_server"]
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


POISON = ("numpy", "json", "zmq", "msgpack", "click", "sitecustomize", "usercustomize", "videomama_server")


@pytest.fixture
def poisoned(tmp_path, monkeypatch):
    """A PYTHONPATH, a working folder and a user site in which every module that a Python of ours needs is another."""
    user = tmp_path / "base" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    folders = [tmp_path / "path", tmp_path / "here", user]
    for folder in folders:
        folder.mkdir(parents=True)
        for name in POISON:
            (folder / f"{name}.py").write_text(f"raise RuntimeError('poison {name}')\n")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    monkeypatch.setenv("PYTHONUSERBASE", str(tmp_path / "base"))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "path" / "numpy.py"))
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere")
    monkeypatch.setenv("QT_PLUGIN_PATH", "/nowhere")


@pytest.mark.parametrize("named", [False, True], ids=["this Python", "a command"])
def test_server_and_worker_start_free_of_the_host_s_surroundings(tmp_path, started, poisoned, monkeypatch, named):
    if named:
        script = f"#!{sys.executable}\nfrom videomama_server.__main__ import main\nmain()\n"
        (tmp_path / "videomama").write_text(script)
        (tmp_path / "videomama").chmod(0o755)
        monkeypatch.setenv("VIDEOMAMA_COMMAND", str(tmp_path / "videomama"))
    monkeypatch.setenv("OCIO", "/show/config.ocio")
    with launch.connect(tmp_path / "connection.json", flags=flags(tmp_path)) as client:
        assert client.cache_report().entries == 0  # the worker's answer: its imports are fine
        status = client.status()
    for pid in (status.pid, status.worker_pid):
        held = psutil.Process(pid).environ()
        assert [name for name in held if name.startswith(("PYTHON", "LD_", "QT_"))] == []
        assert held["OCIO"] == "/show/config.ocio"
        assert psutil.Process(pid).cmdline()[1] == "-I"
    assert status.worker_restarts == 0
    assert "poison" not in (tmp_path / "connection.log").read_text()


def test_the_server_leaves_its_caller_s_folder_and_relative_paths_keep_their_meaning(tmp_path, started, monkeypatch):
    (tmp_path / "shot").mkdir()
    monkeypatch.chdir(tmp_path / "shot")
    monkeypatch.setenv("VIDEOMAMA_CACHE_DIR", "cache")
    monkeypatch.setenv("VIDEOMAMA_ROOTS", "plates")
    with launch.connect(Path("state/connection.json"), flags=["--weights", "models"]) as client:
        client.cache_report()
        status = client.status()
    held = {known.name: known.value for known in status.config}
    here = tmp_path / "shot"
    assert (held["cache_dir"], held["roots"]) == (str(here / "cache"), str(here / "plates"))
    assert (held["weights"], held["connection_file"]) == (str(here / "models"), str(here / "state" / "connection.json"))
    folders = {psutil.Process(pid).cwd() for pid in (status.pid, status.worker_pid)}
    assert folders == {str(here / "state")}


def test_a_server_can_be_started_from_a_folder_that_is_gone(tmp_path, started, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    here = Path.cwd()
    (tmp_path / "gone").mkdir()
    os.chdir(tmp_path / "gone")
    try:
        (tmp_path / "gone").rmdir()
        with launch.connect(tmp_path / "connection.json", flags=flags(tmp_path)) as client:
            client.hello()
        with pytest.raises(ServerUnreachable, match="working folder cannot be used") as caught:
            launch.connect(Path("connection.json"))
        assert "folder that exists" in caught.value.hint
    finally:
        os.chdir(here)


def test_a_server_is_given_a_minute_and_a_half_to_start_and_ten_seconds_to_answer():
    assert (launch.START_S, launch.HELLO_S, launch._POLL_S) == (90.0, 10.0, 0.05)


@pytest.mark.parametrize(("text", "said"), [("", "its log is empty"), ("one\ntwo \n\n", "two")])
def test_the_last_line_of_a_log_is_told(tmp_path, text, said):
    (tmp_path / "s.log").write_text(text)
    assert launch._tail(tmp_path / "s.log") == said


@pytest.mark.parametrize(("codes", "is_started"), [([], False), ([0], False), ([None], True), ([1, None], True)])
def test_a_server_of_this_process_is_known_while_it_runs(monkeypatch, codes, is_started):
    monkeypatch.setattr(launch, "_STARTED", [SimpleNamespace(poll=lambda code=code: code) for code in codes])
    assert launch.started() == is_started


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(launch.connect) == {"start": True}
