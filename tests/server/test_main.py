"""The command, started by hand in the surroundings of a studio or a host."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import videomama_server.__main__ as entry
from videomama_client import connection
from videomama_client.client import Client

POISON = ("numpy", "json", "zmq", "msgpack", "click", "rich", "sitecustomize", "usercustomize", "videomama_client")
SCRIPT = Path(sys.executable).with_name("videomama")


@pytest.fixture
def poisoned(tmp_path, monkeypatch):
    """A PYTHONPATH, a working folder and a user site in which every module that the command needs is another."""
    user = tmp_path / "base" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    for folder in (tmp_path / "path", tmp_path / "here", user):
        folder.mkdir(parents=True)
        for name in POISON:
            (folder / f"{name}.py").write_text(f"raise RuntimeError('poison {name}')\n")
    settings = {"CONFIG": os.devnull, "CONNECTION_FILE": str(tmp_path / "connection.json"), "CACHE_DIR": "cache"}
    host = {"PYTHONPATH": str(tmp_path / "path"), "PYTHONUSERBASE": str(tmp_path / "base"), "PYTHONINSPECT": "1"}
    libraries = {"LD_LIBRARY_PATH": "/nowhere", "QT_PLUGIN_PATH": "/nowhere", "PYTHONOPTIMIZE": "1"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VIDEOMAMA_")}
    return {**kept, **host, **libraries, **{f"VIDEOMAMA_{name}": value for name, value in settings.items()}}


def run(folder: Path, environment: dict[str, str], *words: object) -> subprocess.CompletedProcess:
    command = [str(SCRIPT), *map(str, words)] if SCRIPT.exists() else [sys.executable, "-m", "videomama_server", *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_matte_runs_from_end_to_end_in_poisoned_surroundings(tmp_path, poisoned, make_clip):
    clip = make_clip(count=2)
    here = tmp_path / "here"
    try:
        said = run(here, poisoned, *clip.flags("--json"))
        assert said.returncode == 0, said.stderr
        assert json.loads(said.stdout)["computed"] == 2
        assert all((clip.read_alpha(frame) == clip.read_mask(frame)).all() for frame in clip.numbers)
        status = json.loads(run(here, poisoned, "status", "--json").stdout)
        assert status["config"]["cache_dir"] == str(here / "cache")
        assert status["differs"] == {}
        assert psutil.Process(status["worker_pid"]).cwd() == str(tmp_path)
    finally:
        assert run(here, poisoned, "stop").returncode == 0


def test_the_command_keeps_its_process_its_arguments_and_its_exit_code(tmp_path, poisoned):
    said = run(tmp_path / "here", poisoned, "cache", "--cache-dir", "a folder", "--json", "stat")
    assert json.loads(said.stdout)["folder"] == str(tmp_path / "here" / "a folder")
    assert run(tmp_path / "here", poisoned, "nonsense").returncode == 2


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_the_server_stays_the_process_that_was_started_and_keeps_the_variables_that_a_studio_names(
    tmp_path, poisoned, eventually, name
):
    poisoned["VIDEOMAMA_KEEP_ENV"] = "LD_LIBRARY_PATH"
    file = tmp_path / "connection.json"
    command = [sys.executable, "-m", "videomama_server", "serve"]
    # no poison in the folder: -m would take the server from there, which only its caller can mean
    process = subprocess.Popen(command, cwd=tmp_path, env=poisoned, stderr=subprocess.DEVNULL)
    try:
        eventually(file.exists, "the server listens")
        with Client(connection.read(file)) as client:
            client.status()  # it answers: signals are handled from here on
        assert json.loads(file.read_text())["pid"] == process.pid
        held = psutil.Process(process.pid).environ()
        assert (held["LD_LIBRARY_PATH"], "QT_PLUGIN_PATH" in held, "PYTHONPATH" in held) == ("/nowhere", False, False)
    finally:
        process.send_signal(getattr(signal, name))
        assert process.wait(60) == 0
    assert not file.exists()


def test_a_variable_that_comes_back_at_every_start_does_not_make_it_start_for_ever(monkeypatch):
    begun = []
    monkeypatch.setattr(entry.os, "execve", lambda *call: begun.append(call))
    monkeypatch.setattr(entry.sys, "flags", _Isolated())
    monkeypatch.setattr("videomama_server.cli.main", lambda: begun.append("run"))
    monkeypatch.setenv("QT_PLUGIN_PATH", "/from a start-up file")
    monkeypatch.setattr(entry.sys, "_xoptions", {"videomama_cleaned": True})
    entry.main()
    assert begun == ["run"]


class _Isolated:
    isolated = 1


@pytest.mark.parametrize("isolated", [0, 1])
def test_on_windows_it_waits_for_the_other_one_and_ends_as_that_did(monkeypatch, isolated):
    calls = []
    flags = _Isolated()
    flags.isolated = isolated
    monkeypatch.setattr(entry.sys, "flags", flags)
    monkeypatch.setattr(entry.sys, "platform", "win32")
    monkeypatch.setattr(entry.sys, "argv", ["videomama", "status", "a b"])
    monkeypatch.setenv("PYTHONPATH", "/host")
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    def done(command, env, check):
        calls.append((command, env.get("PYTHONPATH")))
        return subprocess.CompletedProcess(command, 7)

    monkeypatch.setattr(subprocess, "run", done)
    with pytest.raises(SystemExit) as left:
        entry.main()
    assert left.value.code == 7
    cleaned = ["-X", "videomama_cleaned"] if isolated else []
    command = [sys.executable, "-I", *cleaned, "-m", "videomama_server", "status", "a b"]
    assert calls == [(command, None if isolated else "/host")]


@pytest.mark.skipif(sys.platform == "win32", reason="there a console sends Ctrl-C to both by itself")
def test_ctrl_c_does_not_end_the_one_that_waits_before_the_other_has_said_what_comes_of_it():
    before = signal.getsignal(signal.SIGINT)
    interrupted = "import os, signal; os.kill(os.getppid(), signal.SIGINT); raise SystemExit(7)"
    try:
        assert entry._wait([sys.executable, "-c", interrupted], dict(os.environ)) == 7
    finally:
        signal.signal(signal.SIGINT, before)
