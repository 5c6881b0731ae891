"""Python, the engine that runs anywhere, ports and the clock."""

import os
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from videomama_server.config import Config
from videomama_server.doctor import machine


def test_python_is_named_with_its_place(monkeypatch):
    line = machine.python()
    assert line.state == "ok"
    assert sys.executable in line.what
    monkeypatch.setattr(machine, "OLDEST_PYTHON", (99, 0))
    assert machine.python().state == "problem"


def test_the_engine_that_runs_anywhere_loads():
    assert machine.engine().state == "ok"


def test_an_engine_whose_packages_are_broken_is_a_problem(tmp_path, lend):
    (tmp_path / "cv2").mkdir()
    (tmp_path / "cv2" / "__init__.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')\n")
    lend(tmp_path)
    line = machine.engine()
    assert line.state == "problem"
    assert "libGL.so.1" in line.what
    assert "python install server" in line.fix


@pytest.fixture
def taken():
    """A port that somebody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        yield door.getsockname()[1]


def test_any_port_will_do():
    assert machine.ports(Config(), served=False).state == "ok"


def test_a_port_that_is_taken(taken):
    config = replace(Config(), port=taken)
    line = machine.ports(config, served=False)
    assert (line.state, f"127.0.0.1:{taken}" in line.what) == ("problem", True)
    assert "VIDEOMAMA_PORT" in line.fix
    assert machine.ports(config, served=True).state == "ok"


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "::ffff:192.0.2.1"])
def test_an_address_that_is_not_this_machines(host):
    assert machine.ports(replace(Config(), host=host), served=False).state == "problem"


def test_every_address_of_the_machine():
    assert machine.ports(replace(Config(), host="0.0.0.0"), served=False).state == "ok"


def test_the_clock(tmp_path, monkeypatch):
    assert machine.clock(tmp_path).state == "ok"
    assert machine.clock(tmp_path / "not" / "made").state == "ok"
    assert not (tmp_path / "not").exists()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 40 * 365 * 86400)
    line = machine.clock(tmp_path)
    assert (line.state, "newer" in line.what) == ("warning", True)


def test_the_clock_is_compared_with_the_files_of_every_room(tmp_path, monkeypatch):
    newest = tmp_path / "package" / "room" / "module.py"
    newest.parent.mkdir(parents=True)
    newest.touch()
    os.utime(newest, (time.time() + 10 * 86400,) * 2)
    monkeypatch.setattr(machine.videomama_server, "__file__", str(tmp_path / "package" / "__init__.py"))
    assert machine.clock(tmp_path).state == "warning"


@pytest.mark.parametrize(("seconds", "side"), [(90, "behind"), (-90, "ahead")])
def test_a_disk_with_another_time(tmp_path, monkeypatch, seconds, side):
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + seconds)
    line = machine.clock(tmp_path)
    assert line.state == "warning"
    assert side in line.what


@pytest.mark.parametrize(("before", "after", "ahead"), [(-10, 10, 0), (-20, -10, 10), (10, 20, -10)])
def test_a_disk_that_is_slow_has_no_other_time(tmp_path, monkeypatch, before, after, ahead):
    now = time.time()
    says = iter((now + before, now + after))
    monkeypatch.setattr(machine, "time", SimpleNamespace(time=lambda: next(says)))
    assert machine._disk_skew(tmp_path) == pytest.approx(ahead, abs=5)


def test_a_disk_that_cannot_be_written_says_nothing_of_the_time(small_disk, make_read_only, monkeypatch):
    disk = small_disk(64)
    assert machine._disk_skew(disk) == pytest.approx(0, abs=5)
    make_read_only(disk)
    assert machine._disk_skew(disk) is None
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 90)  # of which a disk that can be written would tell
    assert machine.clock(disk).state == "ok"


@pytest.mark.parametrize(
    ("skew", "state", "said"),
    [
        (2.0, "ok", ""),
        (-2.0, "ok", ""),
        (2.6, "warning", "is 3 s ahead"),
        (-2.6, "warning", "is 3 s behind"),
        (None, "ok", ""),
    ],
)
def test_clocks_may_be_two_seconds_apart(tmp_path, monkeypatch, skew, state, said):
    monkeypatch.setattr(machine, "_disk_skew", lambda _: skew)
    line = machine.clock(tmp_path)
    assert (line.state, said in line.what) == (state, True)


@pytest.mark.parametrize(("behind", "state"), [(86_300.0, "ok"), (86_500.0, "warning")])
def test_a_clock_may_be_a_day_behind_the_software(tmp_path, monkeypatch, behind, state):
    files = list(Path(machine.videomama_server.__file__).parent.rglob("*.py"))
    built = max(path.stat().st_mtime for path in files)
    monkeypatch.setattr(machine, "_disk_skew", lambda _: 0.0)
    monkeypatch.setattr(machine.time, "time", lambda: built - behind)
    assert machine.clock(tmp_path).state == state


def test_an_engine_is_given_three_minutes_to_load(monkeypatch):
    asked = []
    monkeypatch.setattr(machine, "ask_python", lambda words, seconds: asked.append((words[0], seconds)))
    assert machine.engine().state == "ok"
    assert asked == [("-c", 180.0)]
    assert machine.OLDEST_PYTHON == (3, 11)
    assert machine._CONNECT_S == 5.0


def test_a_port_that_the_server_itself_has_is_well(taken):
    config = replace(Config(), port=taken)
    assert machine.ports(config, served=True).what == f"The server listens at 127.0.0.1:{taken}"
    assert machine.ports(config, served=False).state == "problem"
    assert machine.ports(Config(), served=True).what == "A server can listen at 127.0.0.1, at any port"
