"""A day on a farm: two artists, three machines that see the shot elsewhere, chunks in parallel, a killed task."""

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import comps
import numpy as np
import pytest

STANDIN = Path(comps.__file__).parent
COUNT = 12
MAPPING = """import nuke
nuke.pluginAddPath(r"{plugin}")
nuke.addFilenameFilter(lambda path: path.replace(r"{studio}", r"{root}") if path.startswith(r"{studio}/") else None)
"""


@dataclass(frozen=True)
class Machine:
    """A machine of the farm: `root` is where it sees the studio's disk."""

    root: Path
    studio: Path
    connection_file: Path

    def begin(self, *words: object) -> subprocess.Popen:
        """Start Nuke in a terminal, with a filename filter as a farm's adaptor sets it."""
        home = self.root.parent / f"{self.root.name} home"
        (home / ".nuke").mkdir(parents=True, exist_ok=True)
        start = MAPPING.format(plugin=comps.PLUGIN, studio=self.studio, root=self.root)
        (home / ".nuke" / "init.py").write_text(start)
        environment = {
            **os.environ,
            "HOME": str(home),
            "PYTHONPATH": str(STANDIN),
            "NUKE_PATH": "",
            "VIDEOMAMA_CONNECTION_FILE": str(self.connection_file),
        }
        command = [sys.executable, "-m", "nuke_standin", *map(str, words)]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def refine(self, chunk: str) -> subprocess.Popen:
        return self.begin("-t", comps.PLUGIN / "videomama_batch.py", self.root / "comp.nk", f"--frames={chunk}")

    def render(self, chunk: str) -> tuple[int, str]:
        task = self.begin("-x", "-X", "Write1", self.root / "comp.nk", chunk)
        said = task.communicate(timeout=120)[0]
        return task.returncode, said


@pytest.fixture
def studio(tmp_path) -> Path:
    folder = tmp_path / "studio"
    folder.mkdir()
    comps.write_clip(folder, COUNT)
    return folder


@pytest.fixture
def farm(studio, tmp_path, server) -> list[Machine]:
    """One machine sees the studio's disk as the artists do, one under another path, one has copies of the plates."""
    mounted, copies = tmp_path / "mounted", tmp_path / "copies"
    mounted.symlink_to(studio)
    copies.mkdir()
    sync(studio, copies)
    for name in ("videomama", "comp.nk", "out"):
        (copies / name).symlink_to(studio / name)
    return [Machine(root, studio, server.connection_file) for root in (studio, mounted, copies)]


def sync(studio: Path, copies: Path) -> None:
    """Copy the plates with times of their own."""
    for path in studio.glob("*.exr"):
        shutil.copyfile(path, copies / path.name)


def artist(open_nuke, studio: Path):
    comp = open_nuke()
    comp.folder = studio
    return comp


def status(comp) -> str:
    from videomama_nuke import node_state

    node_state.refresh(comp.node())
    return comp.status()


def ended(task: subprocess.Popen) -> tuple[int, str]:
    said = task.communicate(timeout=120)[0]
    return task.returncode, said


@pytest.mark.slow
def test_a_day_on_a_farm(open_nuke, studio, farm, monkeypatch):
    for name in ("videomama", "out"):
        (studio / name).mkdir()
    first = artist(open_nuke, studio)
    first.open(comps.plain_script(studio, "roi_mode off", COUNT))
    first.nuke.scriptSave()
    assert status(first) == "not refined"
    assert "VideoMaMa1: not refined" in farm[0].render("1001-1002")[1]

    # Chunks in parallel; one task is killed and one cancelled before they have done anything, and both run again.
    chunks = ["1001-1004", "1005-1008", "1009-1012"]
    tasks = [machine.refine(chunk) for machine, chunk in zip(farm, chunks, strict=True)]
    tasks[1].kill()
    tasks[2].stdout.readline()
    tasks[2].send_signal(signal.SIGTERM)
    codes = [ended(task)[0] for task in tasks]
    assert codes[:2] == [0, -signal.SIGKILL]
    assert codes[2] == 143
    again = [farm[number].refine(chunks[number]) for number in (1, 2)]
    for code, said in map(ended, again):
        assert code == 0, said
        computed, cached = map(int, re.search(r"done, (\d+) computed, (\d+) cached", said).groups())
        assert computed + cached == 4

    # The second artist opens the script, which nobody has saved since: all alphas are there.
    second = artist(open_nuke, studio)
    second.nuke.scriptOpen(str(studio / "comp.nk"))
    assert status(second) == f"refined 1001-{1000 + COUNT}"
    second.nuke.scriptSave()
    for machine, chunk in zip(farm, chunks, strict=True):
        code, said = machine.render(chunk)
        assert code == 0, said
        assert "not checked" not in said
    assert len(list((studio / "out").glob("comp.*.exr"))) == COUNT

    # A mask is drawn again. Where its new file has arrived, the old alphas are refused.
    comps.write_exr(studio / "mask.1003.exr", np.ones((comps.HEIGHT, comps.WIDTH), np.float32), ("A",))
    assert status(second) == "stale: plate or mask changed"
    for machine in farm[:2]:
        code, said = machine.render("1001-1004")
        assert code == 1
        assert "VideoMaMa1: stale, plate or mask changed" in said
    monkeypatch.setenv("VIDEOMAMA_CONNECTION_FILE", str(farm[0].connection_file))
    assert second.refine().startswith(f"refined 1001-{1000 + COUNT}")
    second.nuke.scriptSave()
    assert farm[0].render("1001-1004")[0] == farm[1].render("1001-1004")[0] == 0
    code, said = farm[2].render("1001-1004")
    assert code == 1, said
    assert "stale, plate or mask changed" in said
    sync(studio, farm[2].root)
    assert farm[2].render("1001-1004")[0] == 0
    rendered = comps.read_exr(studio / "out" / "comp.1003.exr")[..., 3]
    assert np.array_equal(rendered, second.alpha(1003)[..., 0])
