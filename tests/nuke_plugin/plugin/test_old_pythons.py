"""`nuke -t videomama_batch.py` on every Python that Nuke brings, with ZeroMQ, msgpack and Qt.py alone beside it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import comps
import numpy as np
import pytest

STANDIN = Path(comps.__file__).parent
COUNT = 6
NEEDED = ("pyzmq", "msgpack", "Qt.py")


@pytest.fixture(scope="session", params=["3.9", "3.10", "3.11"])
def old_python(request, find_python, tmp_path_factory) -> tuple[str, Path]:
    """A Python as Nuke brings it, and a folder with the plug-in's libraries for it."""
    python = find_python(request.param)
    folder = tmp_path_factory.mktemp(f"python{request.param}")
    wheels = ("--python-version", request.param, "--implementation", "cp", "--only-binary", ":all:")
    command = [sys.executable, "-m", "pip", "install", "-q", "--target", str(folder), *wheels, *NEEDED]
    made = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if made.returncode:
        pytest.skip(f"the plug-in's libraries for Python {request.param} cannot be had: {made.stderr[-300:]}")
    return python, folder


@pytest.fixture
def in_batch(old_python, server, tmp_path):
    """Run the shipped script as Nuke's terminal mode does, in the old Python."""
    python, libraries = old_python

    def run(*words: object, **more: str) -> subprocess.CompletedProcess:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "NUKE_PATH": str(comps.PLUGIN),
            "PYTHONPATH": os.pathsep.join((str(STANDIN), str(libraries))),
            "NUKE_STANDIN_PYTHON": sys.executable,
            "NUKE_STANDIN_FORBID": "numpy,torch,cv2,OpenImageIO,videomama_server",
            "VIDEOMAMA_CONNECTION_FILE": str(server.connection_file),
            "PYTHONUTF8": "1",
            **more,
        }
        command = [python, "-m", "nuke_standin", "-t", str(comps.PLUGIN / "videomama_batch.py"), *map(str, words)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)

    return run


def test_refines_and_renders(in_batch, tmp_path):
    comps.write_clip(tmp_path, COUNT)
    comps.write_exr(tmp_path / "mask.1003.exr", np.zeros((comps.HEIGHT, comps.WIDTH), np.float32), ("A",))
    (tmp_path / "comp.nk").write_text(comps.plain_script(tmp_path, count=COUNT))
    said = in_batch(tmp_path / "comp.nk", "--frames=1001-1004", "--write=Write1", f"--save={tmp_path / 'done.nk'}")
    assert said.returncode == 0, said.stderr + said.stdout
    assert "VideoMaMa: VideoMaMa1: QC: mask missed on 1003: the mask is gone, or nearly, all at once" in said.stdout
    assert "VideoMaMa: VideoMaMa1: 4 frames of 1001-1006" in said.stdout
    assert "VideoMaMa: VideoMaMa1: done, 4 computed, 0 cached" in said.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"comp.{n}.exr" for n in range(1001, 1005)]
    saved = (tmp_path / "done.nk").read_text()
    assert 'state "1005-1006 not refined"' in saved
    assert re.search(r"\n result_file \S+/alpha\.%04d\.exr\n", saved)
    assert "result_file" not in (tmp_path / "comp.nk").read_text()


def test_a_failure_is_said_and_has_its_exit_code(in_batch, tmp_path):
    comps.write_clip(tmp_path, COUNT)
    (tmp_path / "comp.nk").write_text(comps.plain_script(tmp_path, "window 0\n overlap 99", COUNT))
    said = in_batch(tmp_path / "comp.nk")
    assert said.returncode == 1
    assert "VideoMaMa1: failed: 'overlap' 99 is out of range" in said.stdout


def test_wrong_use_and_no_such_node_have_theirs(in_batch, tmp_path):
    (tmp_path / "comp.nk").write_text(comps.root_node(tmp_path / "comp.nk"))
    assert in_batch(tmp_path / "comp.nk").returncode == 3
    assert in_batch(tmp_path / "comp.nk", "--node=Blur1").returncode == 3
    assert in_batch(tmp_path / "nowhere.nk").returncode == 2
    assert in_batch("--no-such-flag").returncode == 2
