"""What the panel's tests share: Qt where there is one, servers that do as they are told, and a real one.

These tests also run on another Python, with PySide2: nothing here may need more than Qt, ZeroMQ and pytest. The real
server then runs on the Python that $VIDEOMAMA_TEST_SERVER_PYTHON names.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import zmq
from videomama_client import connection, messages, wire
from videomama_client.client import Client
from videomama_client.settings import MatteSettings
from videomama_nuke.panel import watcher as watchers

WAIT_S = 60.0  # for what comes within a second where nothing else runs
SERVER_PYTHON = os.environ.get("VIDEOMAMA_TEST_SERVER_PYTHON", sys.executable)
_WRITE_CLIP = """
import os, sys
import numpy as np
from videomama_server.media import frames, sequences
folder, count = sys.argv[1], int(sys.argv[2])
rng = np.random.default_rng(int.from_bytes(os.urandom(4), "big"))
for role, channels in (("plate", ("R", "G", "B")), ("mask", ("A",))):
    pattern = sequences.parse(f"{folder}/{role}.####.exr")
    pixels = rng.random((216, 384, len(channels)), np.float32)
    frames.write_picture(pattern.path(1001), pixels if role == "plate" else pixels[..., 0], channels, "half")
    for number in range(1002, 1001 + count):
        os.link(pattern.path(1001), pattern.path(number))
"""


def end_threads() -> None:
    """Wait for the panel's threads, which nobody waits for when a panel closes: none meets the next test."""
    for thread in threading.enumerate():
        if thread.name.startswith("videomama-panel"):
            thread.join(WAIT_S)
            assert not thread.is_alive(), f"{thread.name} has not ended"


def state_of(job: str = "", **changes) -> messages.JobState:
    """Make a job as the server reports it."""
    made = messages.JobState(
        job or uuid.uuid4().hex, "shot010.nk VideoMaMa1", "/shots/sh010/plate.####.exr", "interactive", "running",
        "passthrough", 40, 10, 8, 12.0,
    )  # fmt: skip
    return replace(made, **changes)


class ScriptedServer:
    """A server over a real socket that answers what the test wrote down, counts, and hangs or dies when told to."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "connection.json"
        self.log_file = folder / "server.log"
        self.cache = messages.CacheReported("", str(folder / "cache"), 12, 34_000_000, 100_000_000_000)
        self.jobs: list[messages.JobState] = []
        self.status_changes: dict[str, object] = {}
        self.refusals: dict[str, tuple[str, str, str]] = {}
        self.heard: list[tuple[float, messages.Message]] = []
        self.hangs = threading.Event()
        self._hung = threading.Event()
        self.start()

    def hang(self) -> None:
        """Answer nothing from now on; what was taken in before has been answered when this returns."""
        self._hung.clear()
        self.hangs.set()
        assert self._hung.wait(WAIT_S)

    def start(self) -> None:
        """Listen, also again: with new keys, at another port, under the same connection file."""
        self._ending = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="scripted-server", daemon=True)
        self._thread.start()
        assert self._ready.wait(WAIT_S)

    def end(self) -> None:
        """Vanish without a word; the connection file stays."""
        self._ending.set()
        self._thread.join(WAIT_S)

    def count(self, *kinds: type, since: float = 0.0) -> int:
        """Count the requests of some kinds, or all."""
        return sum(at >= since and (not kinds or isinstance(heard, kinds)) for at, heard in list(self.heard))

    def last(self, kind: type):
        """Return the newest request of a kind."""
        return next(heard for _, heard in reversed(self.heard) if isinstance(heard, kind))

    def _serve(self) -> None:
        server_public, server_secret = connection.new_keys()
        client_public, client_secret = connection.new_keys()
        context = zmq.Context()
        with context.socket(zmq.ROUTER) as socket:
            socket.setsockopt(zmq.LINGER, 0)
            socket.curve_server = True
            socket.curve_secretkey = server_secret.encode()
            port = socket.bind_to_random_port("tcp://127.0.0.1")
            keys = (server_public, client_public, client_secret)
            connection.write(self.file, connection.Connection(f"tcp://127.0.0.1:{port}", *keys, os.getpid(), "0.1.0"))
            self._ready.set()
            while not self._ending.is_set():
                if not self.hangs.is_set() and socket.poll(20):
                    self._answer(socket, socket.recv_multipart())
                elif self.hangs.is_set():
                    self._hung.set()
                    time.sleep(0.02)
        context.destroy(linger=0)

    def _answer(self, socket: zmq.Socket, parts: list[bytes]) -> None:
        asked = wire.decode(parts[1], messages.KINDS)
        self.heard.append((time.monotonic(), asked))
        kind = type(asked).__name__
        if kind in self.refusals:
            answer = messages.RequestRefused(asked.request, *self.refusals[kind])
        else:
            answer = getattr(self, f"_on_{kind}")(asked)
        if answer is not None:
            socket.send_multipart([parts[0], wire.encode(answer)])

    def _on_Hello(self, asked):  # noqa: N802
        return messages.Greeted(asked.request, messages.PROTOCOL_VERSION, "0.1.0", os.getpid())

    def _on_ReportStatus(self, asked):  # noqa: N802
        known = messages.StatusReported(
            asked.request, "0.1.0", 4711, 75.0, self.cache.folder, str(self.log_file), 4712, 532_000_000, "videomama",
            1, 3, 0, [messages.LoadedEngine("videomama", "cuda:0", "bf16", 3_100_000_000, 7_800_000_000)],
        )  # fmt: skip
        return replace(known, **self.status_changes)

    def _on_ReportJobs(self, asked):  # noqa: N802
        return messages.JobsReported(asked.request, list(self.jobs))

    def _on_ReportCache(self, asked):  # noqa: N802
        return replace(self.cache, request=asked.request)

    def _on_PruneCache(self, asked):  # noqa: N802
        return replace(self.cache, request=asked.request, removed=3, freed_bytes=9_000_000)

    def _on_ClearCache(self, asked):  # noqa: N802
        self.cache = replace(self.cache, entries=0, bytes=0)
        return replace(self.cache, request=asked.request, removed=12, freed_bytes=34_000_000)

    def _on_CancelJob(self, asked):  # noqa: N802
        self.jobs = [replace(job, state="cancelled") if job.job == asked.job else job for job in self.jobs]

    def _on_UnloadEngine(self, asked):  # noqa: N802
        return messages.EngineUnloaded(asked.request)

    def _on_StopServer(self, asked):  # noqa: N802
        return messages.ServerStopping(asked.request)


@pytest.fixture
def make_job():
    """Make jobs as the server reports them: `make_job(state="done")`."""
    return state_of


@pytest.fixture
def scripted(tmp_path):
    """A server that does as it is told."""
    server = ScriptedServer(tmp_path)
    yield server
    server.hangs.clear()
    server.end()


class LiveServer:
    """A real server process with a connection file and a cache of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "connection.json"
        self.process: subprocess.Popen
        self.start()

    def start(self) -> None:
        """Start it, also again after its end."""
        words = [SERVER_PYTHON, "-m", "videomama_server", "serve", "--connection-file", str(self.file)]
        words += ["--cache-dir", str(self.folder / "cache")]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("VIDEOMAMA_")}
        environment.pop("PYTHONPATH", None)
        with self.file.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**environment, "VIDEOMAMA_CONFIG": os.devnull},
            )  # fmt: skip
        until = time.monotonic() + 60
        while not self._listens():
            assert self.process.poll() is None, self.file.with_suffix(".log").read_text()
            assert time.monotonic() < until, "the server does not listen"
            time.sleep(0.05)

    def end(self) -> None:
        """End it as a person does."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(60)

    def order(self, clip: Path, label: str, **changes) -> messages.SubmitMatte:
        """Make a job of a clip."""
        settings = MatteSettings(engine="passthrough", roi="off")
        plate, mask, out = (str(clip / name) for name in ("plate.####.exr", "mask.####.exr", "out/alpha.####.exr"))
        return messages.SubmitMatte(uuid.uuid4().hex, plate, mask, out, settings, label=label, **changes)

    def client(self) -> Client:
        return Client(connection.read(self.file))

    def _listens(self) -> bool:
        if not self.file.exists():
            return False
        known = connection.read(self.file)
        return known.pid == self.process.pid and known.listening()


@pytest.fixture
def live(tmp_path):
    """A real server."""
    server = LiveServer(tmp_path)
    yield server
    server.end()


@pytest.fixture
def long_clip(tmp_path):
    """The folder of a clip that keeps a server busy for some seconds."""
    folder = tmp_path / "clip"
    folder.mkdir()
    subprocess.run([SERVER_PYTHON, "-c", _WRITE_CLIP, str(folder), "600"], check=True, timeout=60)
    return folder


@pytest.fixture
def eventually():
    """Wait for something without Qt: `eventually(lambda: done(), "it is done")`."""

    def wait(said, what: str, seconds: float = WAIT_S) -> None:
        until = time.monotonic() + seconds
        while not said():
            assert time.monotonic() < until, f"waited {seconds:g} s in vain until {what}"
            time.sleep(0.02)

    return wait


@pytest.fixture
def make_watcher():
    """Make watchers that end with the test: `make_watcher(file)`."""
    made: list[watchers.Watcher] = []

    def make(file: Path, watched: bool = True) -> watchers.Watcher:
        made.append(watchers.Watcher(file))
        made[-1].open()
        made[-1].watch(watched)
        return made[-1]

    yield make
    assert all(watcher.close(WAIT_S) for watcher in made)
    end_threads()


@pytest.fixture(scope="session")
def qt():
    """Qt's modules and the panel's widgets, and one application; skipped where Qt cannot be loaded."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    try:
        from Qt import QtCore, QtGui, QtTest, QtWidgets
        from videomama_nuke.panel import jobs_model, style, widget
    except ImportError as error:
        pytest.skip(f"Qt cannot be loaded here: {error}")
    app = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    app.setStyle("Fusion")
    return SimpleNamespace(
        app=app,
        core=QtCore,
        gui=QtGui,
        test=QtTest.QTest,
        widgets=QtWidgets,
        panel=widget,
        model=jobs_model,
        style=style,
    )


@pytest.fixture
def spin(qt):
    """Let Qt go on until something is true: `spin(lambda: done(), "it is done")`."""

    def until(said, what: str, seconds: float = WAIT_S) -> None:
        end = time.monotonic() + seconds
        while not said():
            assert time.monotonic() < end, f"waited {seconds:g} s in vain until {what}"
            qt.app.processEvents()
            time.sleep(0.005)

    return until


@pytest.fixture
def open_panel(qt):
    """Open panels that end with the test: `open_panel(file)`."""
    made = []

    def make(file: Path, width: int = 420, height: int = 700):
        made.append(qt.panel.Panel(connection_file=file))
        made[-1].resize(width, height)
        made[-1].show()
        made[-1].activateWindow()
        return made[-1]

    yield make
    for panel in made:
        panel.close()
        panel.deleteLater()
    made.clear()
    assert watchers.close_all(WAIT_S)
    qt.app.sendPostedEvents(None, int(qt.core.QEvent.Type.DeferredDelete))
    gc.collect()
    end_threads()


@pytest.fixture
def panel_threads():
    """Return the panel's threads that run."""
    return lambda: [thread.name for thread in threading.enumerate() if thread.name.startswith("videomama-panel")]
