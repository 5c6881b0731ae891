"""Renders docs/images/panel.png without a screen: a real server with jobs in several states, in a dark palette.

Run it as `.venv/bin/python tests/nuke_plugin/render_panel.py [FILE [WIDTH ...]]`, on Linux or macOS.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
from Qt import QtCore, QtGui, QtWidgets
from videomama_client import launch, messages
from videomama_client.client import Client
from videomama_client.settings import MatteSettings
from videomama_nuke.panel import watcher
from videomama_nuke.panel.widget import Panel
from videomama_server.media import frames, sequences

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "panel.png"
WIDTHS = (420, 900)
HEIGHT = 740
_LONG = 150
_DARK = {
    "Window": "#323232",
    "WindowText": "#c8c8c8",
    "Base": "#282828",
    "AlternateBase": "#323232",
    "Text": "#c8c8c8",
    "Button": "#404040",
    "ButtonText": "#c8c8c8",
    "ToolTipBase": "#1e1e1e",
    "ToolTipText": "#c8c8c8",
    "Highlight": "#f7931e",
    "HighlightedText": "#101010",
}


def dark_palette() -> QtGui.QPalette:
    """Return a palette like Nuke's."""
    palette = QtGui.QPalette()
    for name, colour in _DARK.items():
        palette.setColor(getattr(QtGui.QPalette.ColorRole, name), QtGui.QColor(colour))
    return palette


def write_clip(folder: Path, count: int, size: tuple[int, int]) -> None:
    """Write plate and mask, a bright disc over noise, one file under many numbers."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(count)
    width, height = size
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    mask = (np.hypot(columns - width / 2, rows - height / 2) < height / 4).astype(np.float32)
    plate = 0.1 * rng.random((height, width, 3), np.float32) + 0.7 * mask[..., None]
    for role, pixels in (("plate", plate), ("mask", mask)):
        pattern = sequences.parse(str(folder / f"{role}.####.exr"))
        frames.write_picture(pattern.path(1001), pixels, ("R", "G", "B") if role == "plate" else ("A",), "half")
        for number in range(1002, 1001 + count):
            os.link(pattern.path(1001), pattern.path(number))


def lose_mask(file: Path, size: tuple[int, int]) -> None:
    """Write a mask with nothing in it, which quality control flags."""
    file.unlink()  # it is the file of other frames, too
    frames.write_picture(file, np.zeros((size[1], size[0]), np.float32), ("A",), "half")


def order(folder: Path, label: str, **changes: object) -> messages.SubmitMatte:
    """Return a job of the clip in a folder."""
    settings = MatteSettings(engine="passthrough", roi="off")
    plate, mask, out = (str(folder / name) for name in ("plate.####.exr", "mask.####.exr", "out/alpha.####.exr"))
    return messages.SubmitMatte(uuid.uuid4().hex, plate, mask, out, settings, label=label, **changes)  # type: ignore[arg-type]


def fill(client: Client, folder: Path) -> str:
    """Submit a day's work; return the job that runs for long."""
    write_clip(folder / "sh010", 24, (192, 108))
    lose_mask(folder / "sh010" / "mask.1020.exr", (192, 108))
    write_clip(folder / "sh020", _LONG, (1920, 1080))
    write_clip(folder / "sh030", 8, (192, 108))
    client.next_event(client.submit(order(folder / "sh010", "", frame_ranges="1001-1016")), 10)
    for job in (
        order(folder / "sh010", "sh010_comp_v014.nk  VideoMaMa1"),
        order(folder / "sh030", "sh030_comp_v002.nk  VideoMaMa1", frame_ranges="1001-1012"),
    ):
        finish(client, client.submit(job))
    stopped = client.submit(order(folder / "sh020", "", frame_ranges=f"1001-{1000 + _LONG}"))
    wait(lambda: job_of(client, stopped).done > 20)
    client.cancel(stopped)
    finish(client, stopped)
    return client.submit(order(folder / "sh020", "sh020_comp_v007.nk  VideoMaMa1"))


def finish(client: Client, job: str) -> None:
    """Wait for a job's end, whatever it is."""
    wait(lambda: job_of(client, job).state not in (messages.WAITING, messages.RUNNING))


def job_of(client: Client, job: str) -> messages.JobState:
    """Return how far a job is."""
    return next(state for state in client.jobs() if state.job == job)


def wait(said: Callable[[], bool], seconds: float = 300.0) -> None:
    """Wait for something to become true, while Qt goes on where there is an application."""
    until = time.monotonic() + seconds
    while not said():
        if time.monotonic() > until:
            raise SystemExit("waited in vain")
        QtWidgets.QApplication.processEvents()
        time.sleep(0.02)


def signal_worker(client: Client, number: signal.Signals) -> None:
    """Stop the server's worker process, or let it go on."""
    pid = client.status().worker_pid
    if pid is not None:
        os.kill(pid, number)


def render(panel: Panel, widths: list[int]) -> QtGui.QImage:
    """Return the panel at several widths side by side, on twice as many pixels."""
    pictures = []
    for width in widths:
        panel.resize(width, HEIGHT)
        settle = time.monotonic() + 0.4
        wait(lambda until=settle: time.monotonic() > until)  # type: ignore[misc]
        image = QtGui.QImage(QtCore.QSize(2 * width, 2 * HEIGHT), QtGui.QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(2.0)
        panel.render(image)
        pictures.append(image)
    gap = 32 if len(pictures) > 1 else 0
    whole = QtGui.QImage(
        sum(one.width() for one in pictures) + gap * (len(pictures) - 1), 2 * HEIGHT, QtGui.QImage.Format.Format_RGB32
    )
    whole.fill(QtGui.QColor("#1b1b1b"))
    painter = QtGui.QPainter(whole)
    left = 0
    for image in pictures:
        image.setDevicePixelRatio(1.0)
        painter.drawImage(left, 0, image)
        left += image.width() + gap
    painter.end()
    return whole


def main(target: Path, widths: list[int]) -> None:
    """Start a server, fill it with jobs, and write the picture."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QtWidgets.QApplication([])
    app.setStyle("Fusion")
    app.setPalette(dark_palette())
    font = app.font()
    font.setPixelSize(12)
    app.setFont(font)
    with tempfile.TemporaryDirectory(prefix="videomama-", dir="/tmp") as name:
        folder = Path(name)
        file = folder / "connection.json"
        with launch.connect(file, flags=["--cache-dir", str(folder / "cache"), "--cache-limit-gb", "100"]) as client:
            try:
                long = fill(client, folder / "jobs")
                panel = Panel(connection_file=file)
                panel.resize(widths[0], HEIGHT)
                panel.show()
                wait(lambda: job_of(client, long).done > _LONG // 3)
                signal_worker(client, signal.SIGSTOP)  # so that nothing changes in mid-picture
                client.submit(order(folder / "jobs" / "sh030", "sh030_hair  farm", priority="batch"))
                wait(lambda: panel.cache.clear.isEnabled() and panel.jobs.jobs.rowCount() > 5)
                panel.jobs.selectRow(1)
                picture = render(panel, widths)
                panel.close()
                watcher.close_all()
            finally:
                signal_worker(client, signal.SIGCONT)
                client.stop_server()
                time.sleep(1.0)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not picture.save(str(target)):
        raise SystemExit(f"cannot write {target}")


if __name__ == "__main__":
    named = sys.argv[1:]
    main(Path(named[0]) if named else PICTURE, [int(width) for width in named[1:]] or list(WIDTHS))
