"""Comps for the tests of the plug-in: clips and scripts on disk, opened in the stand-in with the plug-in loaded."""

import functools
import itertools
import os
import runpy
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from videomama_server.media import frames
from videomama_server.media.geometry import Geometry, Rect

STANDIN = Path(__file__).parent
PLUGIN = STANDIN.parents[1] / "nuke_plugin"
WIDTH, HEIGHT = 64, 48
FIRST, COUNT, MANY = 1001, 20, 24
WAIT_S = 60.0
KEPT_SIZE, KEPT_TIME = 1 << 16, 1_700_000_000
_clips = itertools.count(1)


def pixels(frame: int, width: int = WIDTH, height: int = HEIGHT) -> tuple[np.ndarray, np.ndarray]:
    """Return a plate (H, W, 3) and a mask (H, W): a bright disc that moves over a dark ground."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    centre = width * (0.35 + 0.015 * (frame - FIRST)), height * 0.45
    distance = np.hypot(columns - centre[0], rows - centre[1]) - height * 0.25
    alpha = np.clip(0.5 - distance / 3, 0, 1).astype(np.float32)
    ground = np.stack([0.05 + 0.1 * columns / width, 0.08 + 0 * rows, 0.1 * rows / height], axis=-1)
    plate = alpha[..., None] * np.float32([0.7, 0.5, 0.3]) + (1 - alpha[..., None]) * ground
    return plate.astype(np.float32), (distance < 0).astype(np.float32)


def write_exr(path: Path, values: np.ndarray, channels: tuple[str, ...], geometry: Geometry | None = None) -> None:
    """Write a float EXR; by default its canvas is its display window."""
    height, width = values.shape[:2]
    whole = Rect(0, 0, width, height)
    path.parent.mkdir(parents=True, exist_ok=True)
    frames.write_picture(path, values, channels, "float", geometry or Geometry(whole, whole, 1.0))


def write_clip(folder: Path, count: int = COUNT, width: int = WIDTH, height: int = HEIGHT) -> None:
    """Write plate.####.exr and mask.####.exr; no two plates are the same, so another test's cache is no help."""
    own = 1 + next(_clips) / 1024
    for frame in range(FIRST, FIRST + count):
        plate, _ = pixels(frame, width, height)
        write_exr(folder / f"plate.{frame}.exr", plate * own, ("R", "G", "B"))
        (folder / f"mask.{frame}.exr").write_bytes(_as_file("mask", frame, width, height))


def write_same_clip(folder: Path) -> None:
    """Write what `write_clip` writes for those who compute nothing: its plates are the same each time."""
    folder.mkdir(parents=True, exist_ok=True)
    for role, frame in itertools.product(("plate", "mask"), range(FIRST, FIRST + COUNT)):
        (folder / f"{role}.{frame}.exr").write_bytes(_as_file(role, frame, WIDTH, HEIGHT))


@functools.cache
def _as_file(role: str, frame: int, width: int, height: int) -> bytes:
    """Return a picture of a clip as it lies on disk, which takes a while to make and is the same for many tests."""
    plate, mask = pixels(frame, width, height)
    values, channels = (plate, ("R", "G", "B")) if role == "plate" else (mask, ("A",))
    with tempfile.TemporaryDirectory() as folder:
        write_exr(Path(folder) / "picture.exr", values, channels)
        return Path(folder, "picture.exr").read_bytes()


def keep_marks(folder: Path) -> None:
    """Give the files of a clip one size and time: a saved script remembers both, and versions of a library differ."""
    for path in folder.glob("*.exr"):
        assert path.stat().st_size < KEPT_SIZE
        os.truncate(path, KEPT_SIZE)  # nobody who reads an EXR looks behind its last chunk
        os.utime(path, (KEPT_TIME, KEPT_TIME))


def read_node(name: str, file: Path | str, count: int = COUNT, more: str = "") -> str:
    """Return a Read as a script holds it."""
    last = FIRST + count - 1
    span = f"first {FIRST}\n last {last}\n origfirst {FIRST}\n origlast {last}\n origset true"
    return f'Read {{\n inputs 0\n file_type exr\n file "{file}"\n {span}\n raw true\n {more}\n name {name}\n}}\n'


def node(words: str = "", name: str = "VideoMaMa1", inputs: int = 2) -> str:
    """Return a VideoMaMa node as a script holds it; the guided filter alone, which takes no time."""
    return f"VideoMaMa {{\n inputs {inputs}\n engine classic\n quality fast\n {words}\n name {name}\n}}\n"


def write_node(file: Path | str, name: str = "Write1", more: str = "") -> str:
    """Return a Write of all four channels as a script holds it."""
    kind = 'file_type exr\n datatype "32 bit float"\n channels rgba\n raw true\n create_directories true'
    return f'Write {{\n file "{file}"\n {kind}\n {more}\n name {name}\n}}\n'


def root_node(script: Path, count: int = COUNT, more: str = "") -> str:
    """Return the head of a script."""
    span = f"first_frame {FIRST}\n last_frame {FIRST + count - 1}"
    form = f'format "{WIDTH} {HEIGHT} 0 0 {WIDTH} {HEIGHT} 1 small"'
    return f'version 15.0 v1\nRoot {{\n inputs 0\n name "{script}"\n {span}\n {form}\n {more}\n}}\n'


@dataclass
class Comp:
    """A script that is open in the stand-in, with the plug-in loaded."""

    nuke: Any
    folder: Path
    longest_block: float = 0.0

    @property
    def script(self) -> Path:
        return self.folder / "comp.nk"

    def open(self, text: str) -> None:
        self.script.write_text(text, encoding="utf-8")
        self.nuke.scriptOpen(str(self.script))

    def node(self, name: str = "VideoMaMa1"):
        found = self.nuke.toNode(name)
        assert found is not None, name
        return found

    def press(self, button: str, name: str = "VideoMaMa1") -> None:
        self.node(name)[button].execute()

    def pump(self, until, what: str, seconds: float = WAIT_S) -> None:
        """Serve the main thread, as Nuke's event loop does, until something is true."""
        from nuke_standin import threads

        end = time.monotonic() + seconds
        while not until():
            begun = time.monotonic()
            threads.pump(0.01)
            self.longest_block = max(self.longest_block, time.monotonic() - begun)
            assert time.monotonic() < end, f"waited in vain until {what}; status: {self.status()}"

    def status(self, name: str = "VideoMaMa1") -> str:
        return str(self.node(name)["status"].value())

    def choose(self, frames: str, name: str = "VideoMaMa1") -> None:
        """Set the node's custom frame range."""
        self.node(name)["frame_range"].setValue("custom")
        self.node(name)["frames"].setValue(frames)

    def refine(self, name: str = "VideoMaMa1") -> str:
        """Press Refine, wait for the end, and return the status."""
        self.press("refine", name)
        self.finish()
        return self.status(name)

    def agree(self, *answers: bool) -> None:
        """Answer the questions to come, by default one with yes."""
        from nuke_standin import session

        session.current().answers += answers or (True,)

    def show_alphas(self, frames: Iterable[int] | None = None, name: str = "VideoMaMa1") -> str:
        """Publish alphas as a refine of all frames does, but only `frames` of them, and return the status.

        The alphas are the masks, and no server is asked.
        """
        from videomama_nuke import node_state, order, result, sidecar

        node = self.node(name)
        asked = order.read(node)
        for frame in asked.wanted if frames is None else frames:
            alpha = Path(asked.out % frame)
            alpha.parent.mkdir(parents=True, exist_ok=True)
            alpha.write_bytes(_as_file("mask", frame, WIDTH, HEIGHT))
        last = replace(asked.record, engine="classic")
        sidecar.leave(last, asked.folder / last.key)
        result.show(node, last, asked.clip)
        node_state.refresh(node)
        return self.status(name)

    def finish(self) -> None:
        from videomama_nuke import buttons

        self.pump(lambda: not buttons.running_jobs(), "the refine is over")

    def let_look(self) -> None:
        """Serve the main thread until no look at the disk runs in a thread of its own."""
        from videomama_nuke import node_state

        self.pump(lambda: not node_state._looking.locked(), "the look is over")

    def alpha(self, frame: int, name: str = "VideoMaMa1") -> np.ndarray:
        """Return the alpha that the node published, as it lies on disk."""
        from videomama_nuke import record

        return read_exr(Path(record.read(self.node(name)).out % frame))

    def render(self, frame: int, write: str = "Write1") -> np.ndarray:
        """Execute a Write for one frame and return its picture (H, W, C)."""
        target = self.node(write)
        self.nuke.execute(target, frame, frame)
        return read_exr(Path(target["file"].getEvaluatedValue() % frame))


def read_exr(path: Path) -> np.ndarray:
    """Return a picture's pixels as they lie on disk, (H, W, C), channels in the order of the file."""
    import OpenImageIO as oiio

    source = oiio.ImageInput.open(str(path))
    assert source is not None, oiio.geterror()
    values = source.read_image("float")
    source.close()
    return values


def start(folder: Path, gui: bool) -> Comp:
    """Start a session with the plug-in, as Nuke does."""
    import nuke_standin

    forget_plugin()
    nuke = nuke_standin.install(gui=gui)
    runpy.run_path(str(PLUGIN / "init.py"))
    if gui:
        runpy.run_path(str(PLUGIN / "menu.py"))
    return Comp(nuke, folder)


def end() -> None:
    """End the session as Nuke does when it quits."""
    import nuke_standin

    buttons = sys.modules.get("videomama_nuke.buttons")
    if buttons is not None:
        buttons.close()
    forget_plugin()
    for thread in threading.enumerate():
        if thread.name.startswith("VideoMaMa"):  # none meets the next test's Nuke, or what that test patches
            thread.join(WAIT_S)
            assert not thread.is_alive(), f"{thread.name} has not ended"
    nuke_standin.uninstall()


def plain_script(folder: Path, words: str = "", count: int = COUNT) -> str:
    """Return the comp that most tests use: plate, mask, VideoMaMa1, Write1."""
    return (
        root_node(folder / "comp.nk", count)
        + read_node("MaskRead", folder / "mask.%04d.exr", count)
        + read_node("PlateRead", folder / "plate.%04d.exr", count)
        + node(words)
        + write_node(folder / "out" / "comp.%04d.exr")
    )


def in_terminal(folder: Path, *words: object, **more: str) -> subprocess.CompletedProcess:
    """Run a terminal mode of the stand-in in a process of its own, with the plug-in on NUKE_PATH and a home folder."""
    environment = {
        **os.environ,
        "NUKE_PATH": str(PLUGIN),
        "PYTHONPATH": str(STANDIN),
        "HOME": str(folder),
        **more,
    }
    command = [sys.executable, "-m", "nuke_standin", *map(str, words)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def forget_plugin() -> None:
    """Make the next import load the plug-in anew: it holds on to the `nuke` that it was loaded with.

    What still waits for that Nuke's main thread, which nobody serves any more, is let go.
    """
    main_thread = sys.modules.get("videomama_nuke.main_thread")
    if main_thread is not None:
        main_thread.closing.set()
    for name in [name for name in sys.modules if name.split(".")[0] == "videomama_nuke"]:
        del sys.modules[name]
