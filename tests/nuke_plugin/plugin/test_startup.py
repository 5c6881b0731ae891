"""Nuke starts and ends: what is loaded when, what a broken panel does, and that nothing keeps Nuke from quitting."""

import os
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import comps
import pytest
from nuke_standin import session

STANDIN = Path(comps.__file__).parent
QUIT_S = 8.0  # a server that says nothing would be waited for ten seconds; the refine is for one
LOADED = """
import sys, nuke_standin, runpy, threading
nuke = nuke_standin.install(gui=False)
before = set(sys.modules)
runpy.run_path(r"{plugin}/init.py")
new = {{name.split(".")[0] for name in set(sys.modules) - before}}
unwanted = {{"zmq", "msgpack", "Qt", "PySide2", "PySide6", "numpy", "torch", "socket"}}
print(sorted(new & unwanted), threading.active_count())
nuke.scriptOpen(r"{script}")
node = nuke.toNode("VideoMaMa1")
print(node["status"].value(), sorted({{"zmq", "Qt"}} & set(sys.modules)))
"""
QUITS = """
import sys, time, comps
from pathlib import Path
comp = comps.start(Path(sys.argv[1]), gui=True)
comp.open(Path(sys.argv[1], "comp.nk").read_text())
comp.press("refine")
from nuke_standin import threads
until = time.monotonic() + float(sys.argv[2])
while time.monotonic() < until:
    threads.pump(0.02)
print("quits", comp.status(), flush=True)
sys.exit(0)
"""


def run(code: str, *words: object, **more: str) -> subprocess.Popen:
    path = os.pathsep.join((str(STANDIN), str(comps.PLUGIN), str(comps.PLUGIN.parent / "server")))
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        env={**os.environ, "PYTHONPATH": path, "NUKE_PATH": str(comps.PLUGIN), **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_init_loads_no_socket_and_no_window(tmp_path):
    comps.write_clip(tmp_path, 2)
    (tmp_path / "comp.nk").write_text(comps.plain_script(tmp_path, count=2))
    out, err = run(LOADED.format(plugin=comps.PLUGIN, script=tmp_path / "comp.nk")).communicate(timeout=60)
    assert out.splitlines() == ["[] 1", "not refined []"], err


def test_a_panel_that_cannot_be_had_is_a_warning(open_nuke, tmp_path, monkeypatch):
    open_nuke(gui=True)
    assert not session.current().messages
    monkeypatch.setitem(sys.modules, "nukescripts", None)
    runpy.run_path(str(comps.PLUGIN / "menu.py"))
    assert "no menu and no panel" in str(session.current().messages)


def test_a_missing_library_is_said_in_the_status_line(open_nuke, tmp_path, monkeypatch):
    comps.write_clip(tmp_path, 2)
    comp = open_nuke()
    comp.open(comps.plain_script(tmp_path, count=2))
    for name in [name for name in sys.modules if name.startswith("videomama_client")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "zmq", None)
    comp.press("refine")
    assert "pyzmq cannot be imported" in comp.status()
    assert "python install nuke" in comp.status()


def ended_within(process: subprocess.Popen, server=None, hurt: int = 0) -> float:
    """Wait for the script to say that it quits, hurt the server at that moment, and return how long the end took."""
    line = process.stdout.readline()
    assert line.startswith("quits"), line + process.stderr.read()
    begun = time.monotonic()
    if hurt:
        os.kill(server.process.pid, hurt)
    process.communicate(timeout=60)
    return time.monotonic() - begun


@pytest.mark.parametrize("seconds", [0.0, 1.5, 4.0])
def test_nuke_quits_while_a_job_runs(start_server, tmp_path, seconds):
    server = start_server()
    comps.write_clip(tmp_path, 48, 240, 180)
    (tmp_path / "comp.nk").write_text(comps.plain_script(tmp_path, "quality high\n window 6\n overlap 1", 48))
    process = run(QUITS, tmp_path, seconds, VIDEOMAMA_CONNECTION_FILE=str(server.connection_file))
    assert ended_within(process) < QUIT_S
    assert process.returncode == 0


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop a process for a while")
def test_nuke_quits_while_the_server_hangs(start_server, tmp_path):
    server = start_server()
    comps.write_clip(tmp_path, 48, 240, 180)
    (tmp_path / "comp.nk").write_text(comps.plain_script(tmp_path, "quality high\n window 6\n overlap 1", 48))
    process = run(QUITS, tmp_path, 3.0, VIDEOMAMA_CONNECTION_FILE=str(server.connection_file))
    try:
        assert ended_within(process, server, signal.SIGSTOP) < QUIT_S
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


def test_nuke_quits_when_no_server_can_be_started(tmp_path):
    comps.write_clip(tmp_path, 4)
    (tmp_path / "comp.nk").write_text(comps.plain_script(tmp_path, count=4))
    (tmp_path / "videomama").write_text("#!/bin/sh\nsleep 30\n")
    (tmp_path / "videomama").chmod(0o755)
    more = {"VIDEOMAMA_CONNECTION_FILE": str(tmp_path / "none.json"), "VIDEOMAMA_COMMAND": str(tmp_path / "videomama")}
    process = run(QUITS, tmp_path, 1.0, **more)
    assert ended_within(process) < QUIT_S


def test_vendored_libraries_come_after_a_studios_own_and_once(bare_nuke, monkeypatch, tmp_path):
    from videomama_nuke import startup

    monkeypatch.setattr(startup, "_HOME", tmp_path)
    monkeypatch.setattr(sys, "path", ["/studio"])
    startup._add_vendored()
    assert sys.path == ["/studio"]
    python = f"cp{sys.version_info[0]}{sys.version_info[1]}-{sys.platform}"
    startup.vendored().mkdir(parents=True)
    for _ in range(2):
        startup._add_vendored()
    assert sys.path == ["/studio", str(tmp_path / "_vendor" / python)]


def test_the_menu_makes_a_node_and_the_panel_is_registered(bare_nuke):
    bare_nuke.menu("Nodes").findItem("VideoMaMa/VideoMaMa").invoke()
    assert [node.Class() for node in bare_nuke.allNodes()] == ["VideoMaMa"]
    assert "com.videomama.panel" in str(session.current().panels)


def test_closing_a_script_cancels_what_runs_and_ending_nuke_closes_all(bare_nuke, monkeypatch):
    from videomama_nuke import buttons, startup
    from videomama_nuke.panel import watcher

    called = []
    monkeypatch.setattr(buttons, "cancel_all", lambda: called.append("cancel"))
    monkeypatch.setattr(buttons, "close", lambda: called.append("close"))
    monkeypatch.setattr(watcher, "close_all", lambda: called.append("panel"))
    startup._script_closes()
    startup._nuke_ends()
    assert called == ["cancel", "close", "panel"]
    for name in ("buttons", "panel.watcher"):
        monkeypatch.delitem(sys.modules, f"videomama_nuke.{name}")
    startup._script_closes()  # nothing was ever pressed
    startup._nuke_ends()
    assert len(called) == 3


def test_what_is_set_up_takes_alphas_on_load_guards_renders_and_cancels_on_close(offline_comp, monkeypatch):
    from videomama_nuke import buttons, result

    comp, cancelled = offline_comp, []
    monkeypatch.setattr(buttons, "cancel_all", lambda: cancelled.append(1))
    comp.show_alphas()
    shown = comp.node()["result_file"].value()
    result.forget(comp.node())
    with pytest.raises(RuntimeError, match="VideoMaMa1: not refined"):
        comp.render(1001)
    comp.nuke.scriptSave()
    comp.nuke.scriptOpen(str(comp.script))
    assert comp.node()["result_file"].value() == shown
    assert cancelled
    Path(shown % 1002).unlink()
    comp.render(1001)
    with pytest.raises(RuntimeError, match="1 frame missing: 1002"):
        comp.render(1002)
    cancelled.clear()
    comp.nuke.scriptClear()
    assert cancelled
