"""The server without a terminal: one process, with its log where clients look for it."""

import os
import subprocess
import sys

import pytest
from videomama_client import connection, launch
from videomama_server import background


@pytest.mark.skipif(os.name != "posix", reason="on Windows it waits for a process of its own")
def test_it_becomes_the_server_and_logs_to_its_file(tmp_path, eventually):
    path = tmp_path / "stät e" / "connection.json"
    settings = {"CONFIG": os.devnull, "CONNECTION_FILE": str(path), "CACHE_DIR": str(tmp_path / "cache")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VIDEOMAMA_")}
    variables = {**kept, **{f"VIDEOMAMA_{name}": value for name, value in settings.items()}}
    closed = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, "-m", "videomama_server.background"], env=variables, **closed)
    try:
        eventually(lambda: path.exists() and connection.read(path).listening(), "the server listens")
        assert connection.read(path).pid == process.pid
        with launch.connect(path, start=False) as client:
            assert client.status().log_file == str(path.with_suffix(".log"))
        assert "listens at" in path.with_suffix(".log").read_text()
    finally:
        process.terminate()
        assert process.wait(60) == 0


@pytest.mark.skipif(os.name != "posix", reason="stands in with a shell script")
def test_on_windows_it_waits_for_a_python_that_has_streams(tmp_path, monkeypatch):
    python = tmp_path / "python.exe"
    python.write_text('#!/bin/sh\necho "$@"\necho more >&2\nexit 7\n')
    python.chmod(0o755)
    log = tmp_path / "state" / "server.log"
    monkeypatch.setenv("VIDEOMAMA_CONFIG", os.devnull)
    monkeypatch.setenv("VIDEOMAMA_CONNECTION_FILE", str(log.with_suffix(".json")))
    monkeypatch.setattr(background.sys, "executable", str(tmp_path / "pythonw.exe"))
    monkeypatch.setattr(background.sys, "platform", "win32")
    assert background._NO_WINDOW == 0x08000000  # CREATE_NO_WINDOW of Windows, which other systems refuse
    monkeypatch.setattr(background, "_NO_WINDOW", 0)
    assert background.main() == 7
    assert log.read_text() == "-I -m videomama_server serve\nmore\n"
