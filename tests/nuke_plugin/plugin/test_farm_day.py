"""A day on a farm: artists, three machines that see the shot elsewhere, chunks in parallel, killed and cancelled tasks.

What each render said stands in a table of docs/nuke.md, which is compared with this day.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import comps
import numpy as np
import psutil
import pytest
from videomama_client import launch
from videomama_client.errors import ServerUnreachable

STANDIN = Path(comps.__file__).parent
TABLE = Path(__file__).parents[3] / "docs" / "nuke.md"
COUNT = 12
CHUNKS = ("1001-1004", "1005-1008", "1009-1012")
MAPPING = """import nuke
nuke.pluginAddPath(r"{plugin}")
nuke.addFilenameFilter(lambda path: path.replace(r"{studio}", r"{root}") if path.startswith(r"{studio}/") else None)
"""


@dataclass(frozen=True)
class Machine:
    """A machine of the farm: `root` is where it sees the studio's disk."""

    name: str
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


@dataclass
class Day:
    """What each render of the day said, and after what."""

    said: list[tuple[str, str, str, str]] = field(default_factory=list)
    after: str = ""

    def render(self, machine: Machine, chunk: str) -> str:
        """Render a chunk with `nuke -x` and return what came of it."""
        task = machine.begin("-x", "-X", "Write1", machine.root / "comp.nk", chunk)
        text = task.communicate(timeout=120)[0]
        refusal = re.search(r"VideoMaMa1: (.+?)(?: of /\S+)?\. Refine", text)
        assert (task.returncode == 0) == (refusal is None), text
        assert "not checked" not in text
        answer = "rendered" if refusal is None else refusal[1]
        self.said.append((self.after, machine.name, chunk, answer))
        return answer


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
    roots = {"same path": studio, "mapped path": mounted, "copies of the plates": copies}
    return [Machine(name, root, studio, server.connection_file) for name, root in roots.items()]


@pytest.fixture
def with_own_server(farm, tmp_path):
    """The second machine with a server of its own, which its tasks start."""
    machine = replace(farm[1], connection_file=tmp_path / "own" / "connection.json")
    yield machine
    try:
        with launch.connect(machine.connection_file, start=False) as client:
            client.stop_server()
    except ServerUnreachable:
        pass


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


def table() -> list[tuple[str, ...]]:
    """Return the rows of the table in the documentation; an empty cell is the one above it."""
    text = TABLE.read_text(encoding="utf-8").partition("**A day on a farm.**")[2].partition("|---")[2]
    rows: list[tuple[str, ...]] = []
    for line in text.partition("\n\n")[0].splitlines()[1:]:
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        rows.append((cells[0] or rows[-1][0], *cells[1:]))
    return rows


def kill_in_mid_job(machine: Machine, chunk: str) -> list[Path]:
    """End a machine once its server has the job: the task, the server and its worker. Return the exports left there."""
    task = machine.refine(chunk)
    while "waiting for the engine" not in task.stdout.readline():
        assert task.poll() is None
    with launch.connect(machine.connection_file, start=False) as client:
        until = time.monotonic() + 60
        while not client.jobs() and time.monotonic() < until:
            time.sleep(0.02)
        assert client.jobs()
    for process in (*psutil.Process(task.pid).children(recursive=True), psutil.Process(task.pid)):
        process.kill()
    assert ended(task)[0] == -signal.SIGKILL
    return list(machine.root.glob("videomama/*/export/task-*"))


def refine_in_chunks(farm: list[Machine]) -> None:
    """Refine on three machines at once: one task is killed, one cancelled at its start; both run again."""
    tasks = [machine.refine(chunk) for machine, chunk in zip(farm, CHUNKS, strict=True)]
    tasks[1].kill()
    tasks[2].stdout.readline()
    tasks[2].send_signal(signal.SIGTERM)
    assert [ended(task)[0] for task in tasks] == [0, -signal.SIGKILL, 143]
    again = [farm[number].refine(CHUNKS[number]) for number in (1, 2)]
    for code, said in map(ended, again):
        assert code == 0, said
        computed, cached = map(int, re.search(r"done, (\d+) computed, (\d+) cached", said).groups())
        assert computed + cached == 4


def draw_a_mask_again(day: Day, artist_, studio: Path, farm: list[Machine]) -> None:
    day.after = "a mask is drawn again"
    comps.write_exr(studio / "mask.1003.exr", np.ones((comps.HEIGHT, comps.WIDTH), np.float32), ("A",))
    assert status(artist_) == "stale: plate or mask changed"
    for machine in farm:
        day.render(machine, CHUNKS[0])
    day.after = "an artist refines and saves"
    assert artist_.refine().startswith(f"refined 1001-{1000 + COUNT}")
    artist_.nuke.scriptSave()
    for machine in farm:
        day.render(machine, CHUNKS[0])
    day.after = "the new mask is copied"
    sync(studio, farm[2].root)
    day.render(farm[2], CHUNKS[0])
    rendered = comps.read_exr(studio / "out" / "comp.1003.exr")[..., 3]
    assert np.array_equal(rendered, artist_.alpha(1003)[..., 0])


def lose_a_machine(day: Day, artist_, open_nuke, farm: list[Machine], own: Machine) -> None:
    """Refine other settings on the farm, where one machine dies; another artist refines what is missing."""
    day.after = "a setting is changed and saved"
    artist_.node()["mask_grow"].setValue(2)
    artist_.nuke.scriptSave()
    day.render(farm[0], CHUNKS[0])
    day.after = "chunks are refined, and a machine dies in mid-job"
    tasks = [farm[number].refine(CHUNKS[number]) for number in (0, 2)]
    left = kill_in_mid_job(own, CHUNKS[1])
    assert len(left) >= 1
    for code, said in map(ended, tasks):
        assert code == 0, said
    another = artist(open_nuke, artist_.folder)
    another.nuke.scriptOpen(str(another.script))
    assert status(another) == f"{CHUNKS[1]} not refined"
    another.nuke.scriptSave()
    for machine, chunk in zip(farm, CHUNKS, strict=True):
        day.render(machine, chunk)
    day.after = "another artist refines and saves"
    assert another.refine().startswith(f"refined 1001-{1000 + COUNT}")
    another.nuke.scriptSave()
    day.render(farm[1], CHUNKS[1])
    assert ended(own.refine(CHUNKS[1]))[0] == 0  # the machine is back, beside what it had left


@pytest.mark.slow
def test_a_day_on_a_farm(open_nuke, studio, farm, with_own_server, monkeypatch):
    monkeypatch.setenv("VIDEOMAMA_CONNECTION_FILE", str(farm[0].connection_file))
    for name in ("videomama", "out"):
        (studio / name).mkdir()
    day = Day(after="nothing is refined")
    first = artist(open_nuke, studio)
    first.open(comps.plain_script(studio, "roi_mode off", COUNT))
    first.nuke.scriptSave()
    assert status(first) == "not refined"
    day.render(farm[0], CHUNKS[0])

    # The second artist opens the script, which nobody has saved since: all alphas are there.
    refine_in_chunks(farm)
    second = artist(open_nuke, studio)
    second.nuke.scriptOpen(str(studio / "comp.nk"))
    assert status(second) == f"refined 1001-{1000 + COUNT}"
    second.nuke.scriptSave()
    day.after = "chunks are refined, and an artist opens and saves"
    for machine, chunk in zip(farm, CHUNKS, strict=True):
        day.render(machine, chunk)
    assert len(list((studio / "out").glob("comp.*.exr"))) == COUNT

    draw_a_mask_again(day, second, studio, farm)
    lose_a_machine(day, second, open_nuke, farm, with_own_server)
    sys.stdout.write("\n".join("| " + " | ".join(row) + " |" for row in day.said) + "\n")
    assert day.said == table()
