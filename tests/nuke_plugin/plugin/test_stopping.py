"""A farm's task: signals end it at once, exit codes say whether to try again, and tasks beside it are left alone."""

import os
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import comps
import psutil
import pytest
from videomama_client import launch, messages
from videomama_client.errors import Cancelled, ServerUnreachable

STANDIN = Path(comps.__file__).parent
SLOW = "quality high\n window 6\n overlap 1"  # seconds for the frames of `long_script`


def begin(folder: Path, *words: object, **more: str) -> subprocess.Popen:
    """Start videomama_batch.py as a farm does."""
    environment = {
        **os.environ,
        "NUKE_PATH": str(comps.PLUGIN),
        "PYTHONPATH": str(STANDIN),
        "HOME": str(folder),
        "VIDEOMAMA_COMMAND": "",
        **more,
    }
    command = [sys.executable, "-m", "nuke_standin", "-t", str(comps.PLUGIN / "videomama_batch.py"), *map(str, words)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder
    )


def finish(*tasks: subprocess.Popen) -> list[str]:
    """Wait for tasks to end well and return what they said."""
    said = [task.communicate(timeout=120) for task in tasks]
    for task, (out, err) in zip(tasks, said, strict=True):
        assert task.returncode == 0, out + err
    return [out for out, _ in said]


def wait_for(task: subprocess.Popen, words: str) -> None:
    """Read a task's lines until one holds the words."""
    for line in task.stdout:
        if words in line:
            return
    raise AssertionError(f"never said {words!r}: {task.stderr.read()}")


def long_script(folder: Path) -> Path:
    comps.write_clip(folder, 48, 240, 180)
    script = folder / "comp.nk"
    script.write_text(comps.plain_script(folder, SLOW, 48))
    return script


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_cancels_the_job_at_once_and_leaves_a_server_that_was_there(
    tmp_path, server, job_at_server, number, code, eventually
):
    task = begin(tmp_path, long_script(tmp_path), VIDEOMAMA_CONNECTION_FILE=str(server.connection_file))
    wait_for(task, "refining: ")
    task.send_signal(number)
    out, err = task.communicate(timeout=120)
    assert task.returncode == code, out + err
    assert "VideoMaMa1: cancelled" in out
    assert not list((tmp_path / "videomama").glob("*/export/*"))
    eventually(lambda: job_at_server().state == messages.CANCELLED, "the server has cancelled it")


def test_a_signal_while_a_write_renders_ends_it(tmp_path, server):
    """A frame takes a while here; `-t` loads an init.py that says when each is written."""
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "init.py").write_text(
        "import nuke, time\nnuke.addAfterFrameRender(lambda: (print('frame written', flush=True), time.sleep(2)))\n"
    )
    comps.write_clip(tmp_path)
    script = tmp_path / "comp.nk"
    script.write_text(comps.plain_script(tmp_path) + comps.write_node(tmp_path / "second.%04d.exr", "W2"))
    where = {"VIDEOMAMA_CONNECTION_FILE": str(server.connection_file), "NUKE_PATH": f"{comps.PLUGIN}{os.pathsep}{slow}"}
    task = begin(tmp_path, script, "--frames=1001-1020", "--write=Write1", "--write=W2", **where)
    wait_for(task, "done, ")
    wait_for(task, "frame written")
    task.send_signal(signal.SIGTERM)
    out, err = task.communicate(timeout=120)
    assert task.returncode == 143, out + err
    assert "Traceback" not in out + err
    assert "rendered" not in out
    assert 0 < len(list((tmp_path / "out").glob("*.exr"))) < comps.COUNT
    assert not list(tmp_path.glob("second.*"))


def test_a_signal_while_the_plugin_is_loaded_ends_the_task_with_its_code(monkeypatch, bare_nuke):
    heard: dict[int, object] = {}
    monkeypatch.setattr(signal, "signal", heard.__setitem__)
    monkeypatch.setitem(sys.modules, "videomama_nuke.stopping", None)  # which therefore cannot be imported
    task = runpy.run_path(str(comps.PLUGIN / "videomama_batch.py"))
    assert task["main"](["comp.nk"]) == 2
    assert set(heard) == {signal.SIGTERM, signal.SIGINT}
    with pytest.raises(SystemExit) as ended:
        heard[signal.SIGINT](signal.SIGINT, None)
    assert ended.value.code == 130


def gone(number: int) -> bool:
    """Whether a process has ended, taken leave of by its parent or not."""
    try:
        return psutil.Process(number).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.slow
def test_a_signal_ends_a_server_that_the_task_started_and_that_does_not_come_up(tmp_path, eventually):
    comps.write_clip(tmp_path, 2)
    script = tmp_path / "comp.nk"
    script.write_text(comps.plain_script(tmp_path, count=2))
    hanging = tmp_path / "videomama"
    hanging.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 300\n")
    hanging.chmod(0o755)
    own = str(tmp_path / "own" / "connection.json")
    task = begin(tmp_path, script, VIDEOMAMA_CONNECTION_FILE=own, VIDEOMAMA_COMMAND=str(hanging))
    until = time.monotonic() + 60
    while not (tmp_path / "pid").is_file() or not (tmp_path / "pid").read_text().strip():
        assert time.monotonic() < until
        time.sleep(0.05)
    task.send_signal(signal.SIGTERM)
    out, err = task.communicate(timeout=120)
    assert task.returncode == 143, out + err
    number = int((tmp_path / "pid").read_text())
    eventually(lambda: gone(number), "the server has ended")


def test_a_signal_stops_a_server_that_the_task_started(tmp_path):
    own = tmp_path / "own" / "connection.json"
    task = begin(tmp_path, long_script(tmp_path), VIDEOMAMA_CONNECTION_FILE=str(own))
    wait_for(task, "refining: ")
    task.send_signal(signal.SIGTERM)
    out, err = task.communicate(timeout=120)
    assert task.returncode == 143, out + err
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            launch.connect(own, start=False).close()
        except ServerUnreachable:
            return
        time.sleep(0.2)
    raise AssertionError("the server still answers")


def test_parallel_chunks_of_one_node_do_not_disturb_each_other(tmp_path, server):
    comps.write_clip(tmp_path)
    tracker = "Tracker4 {\n name Tracker1\n}\nset N [stack 0]\n"  # of which nobody can tell whether it changes
    mask, plate = (comps.read_node(f"{name}Read", tmp_path / f"{name.lower()}.%04d.exr") for name in ("Mask", "Plate"))
    script = tmp_path / "comp.nk"
    words = "node_id 0123456789abcdef0123456789abcdef"
    script.write_text(comps.root_node(script) + mask + tracker + plate + comps.node(words))
    file = str(server.connection_file)
    chunks = ["1001-1005", "1006-1010", "1011-1015", "1016-1020"]
    tasks = [begin(tmp_path, script, f"--frames={chunk}", VIDEOMAMA_CONNECTION_FILE=file) for chunk in chunks]
    said = finish(*tasks)
    assert all("done, 5 computed" in out for out in said), said
    (folder,) = (tmp_path / "videomama").iterdir()
    assert len(list(folder.rglob("alpha.*.exr"))) == comps.COUNT
    assert not list(folder.glob("export/*"))


def code_of(folder: Path, *words: object, **more: str) -> int:
    task = begin(folder, *words, **more)
    task.communicate(timeout=120)
    return task.returncode


def test_a_server_or_a_disk_that_is_away_is_worth_another_try(tmp_path, server):
    comps.write_clip(tmp_path, 2)
    file = str(server.connection_file)
    script = tmp_path / "comp.nk"
    script.write_text(comps.plain_script(tmp_path, count=2))
    away = {"VIDEOMAMA_CONNECTION_FILE": str(tmp_path / "none" / "c.json"), "VIDEOMAMA_COMMAND": "/nowhere/videomama"}
    assert code_of(tmp_path, script, **away) == 4
    assert code_of(tmp_path, tmp_path / "unmounted" / "comp.nk", VIDEOMAMA_CONNECTION_FILE=file) == 4
    script.write_text(script.read_text().replace("/mask.", "/unmounted/mask."))
    assert code_of(tmp_path, script, VIDEOMAMA_CONNECTION_FILE=file) == 4
    script.write_text(comps.plain_script(tmp_path, "window 0\n overlap 99", 2))
    assert code_of(tmp_path, script, VIDEOMAMA_CONNECTION_FILE=file) == 1


def test_a_relative_path_of_the_script_puts_the_alphas_beside_it(tmp_path, server):
    comps.write_clip(tmp_path, 2)
    (tmp_path / "comp.nk").write_text(comps.plain_script(tmp_path, count=2))
    finish(begin(tmp_path, "comp.nk", VIDEOMAMA_CONNECTION_FILE=str(server.connection_file)))
    assert len(list((tmp_path / "videomama").rglob("alpha.*.exr"))) == 2


@pytest.fixture
def stopping(offline_comp):
    """What a signal asks for, with a refine that has not begun as its job."""
    from videomama_nuke import job, order
    from videomama_nuke.stopping import Stopping

    made = Stopping()
    made.job = job.Refine(offline_comp.node(), order.read(offline_comp.node()))
    return made


def test_a_signal_lets_the_server_end_the_job_that_it_has_and_a_second_one_changes_nothing(stopping):
    stopping.job.following = True
    stopping._asked(signal.SIGTERM, None)
    assert stopping.job.cancelled()
    assert stopping.job.patience_s == 0.8
    stopping.job.following = False
    stopping._asked(signal.SIGINT, None)
    assert stopping.signal == signal.SIGTERM


@pytest.mark.parametrize("job", [True, False])
def test_a_signal_ends_what_is_waited_for_where_the_server_has_no_job_yet(stopping, job):
    refining = stopping.job
    stopping.job = refining if job else None
    with pytest.raises(Cancelled, match="Cancelled by SIGINT"):
        stopping._asked(signal.SIGINT, None)
    assert stopping.signal == signal.SIGINT
    assert refining.cancelled() is job


def test_both_signals_are_listened_to(stopping, monkeypatch):
    heard: dict[int, object] = {}
    monkeypatch.setattr(signal, "signal", heard.__setitem__)
    stopping.listen()
    assert heard == dict.fromkeys((signal.SIGTERM, signal.SIGINT), stopping._asked)


def test_a_server_that_somebody_else_started_is_left_alone(stopping, server, monkeypatch):
    stopping.connection_file = server.connection_file
    stopping.stop_server()
    with server.client() as client:
        assert client.status().server
    monkeypatch.setattr(launch, "started", lambda: True)
    monkeypatch.setattr("videomama_nuke.stopping._SERVER_S", 0.0)
    stopping._answered = True
    ended: list[bool] = []
    monkeypatch.setattr(launch, "end_started", lambda: ended.append(True))
    stopping.stop_server()  # no time is left
    with server.client() as client:
        assert client.status().server
    assert not ended
