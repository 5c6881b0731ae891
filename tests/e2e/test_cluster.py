"""`videomama label --on` and `videomama evaluate --on` on a real Ray cluster of two machines, one of which dies."""

import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import psutil
import pytest
from videomama_server.media import frames

CLIPS, FRAMES = 30, 5
BAD = {"sav_000003", "sav_000008", "sav_000021"}
HOW = ("--engine", "classic", "--mask-quality", "exact", "--tolerate", "0.19")


def writers(name):
    """Return a module of writers of data sets, from the tests of that room."""
    place = Path(__file__).parents[1] / "server" / "datasets" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"{name}_sets", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def variables(tmp_path):
    """The variables of cluster and commands: a token, and nothing of this machine's own."""
    short = tempfile.mkdtemp(prefix="ray-")  # names of sockets have at most 107 bytes
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VIDEOMAMA_", "RAY_"))}
    yield kept | {
        "HOME": str(tmp_path / "home"),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # listens on the loopback alone
        "RAY_TMPDIR": short,
        "TMPDIR": short,
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0",  # else whatever else this machine does goes first
        "VIDEOMAMA_CACHE_DIR": str(tmp_path / "cache"),
        "VIDEOMAMA_CONFIG": os.devnull,
    }
    shutil.rmtree(short, ignore_errors=True)


class TwoNodes:
    """The cluster of `two_nodes.py`."""

    def __init__(self, variables):
        script = Path(__file__).with_name("two_nodes.py")
        self._process = subprocess.Popen(
            [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables
        )
        self.address = self._process.stdout.readline().strip()
        assert self.address, "the cluster starts"

    def family(self):
        """Return its processes, and all that they started."""
        return [psutil.Process(self._process.pid), *psutil.Process(self._process.pid).children(recursive=True)]

    def kill_second(self):
        """Kill all processes of the second machine."""
        self._process.stdin.write("kill\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "killed\n"

    def end(self):
        """End it, and see that nothing of it is left."""
        family = self.family()
        self._process.communicate(timeout=60)
        _, left = psutil.wait_procs(family, 60)
        for process in left:
            process.kill()
        assert not left, f"left running: {left}"


@pytest.fixture
def two_nodes(variables):
    """A cluster of two machines of one GPU each, or so they say."""
    pytest.importorskip("ray", reason="the extra cluster is not installed")
    cluster = TwoNodes(variables)
    yield cluster
    cluster.end()


def command(*words):
    return [sys.executable, "-m", "videomama_server", *map(str, words)]


def servers(family):
    """Return the servers among processes."""
    found = []
    for one in family:
        with contextlib.suppress(psutil.NoSuchProcess):  # Ray's processes come and go
            if "--end-with-input" in one.cmdline():
                found.append(one)
    return found


def lives(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def started(words, variables):
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables)


def records(out):
    return {path.parent.name: path.stat().st_mtime_ns for path in out.glob("[lr]*/*/label.json")}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_command_and_a_machine_that_are_killed_cost_no_label_and_make_none_twice(
    two_nodes, server, videomama, variables, eventually, tmp_path
):
    writers("annotated").generated_sav(tmp_path / "set", CLIPS, BAD)
    out, alone = tmp_path / "out", tmp_path / "alone"
    words = ["label", tmp_path / "set", *HOW, "--json"]
    on = ["--out", out, "--on", two_nodes.address, "--gpus", 1]

    def both():
        return len(servers(two_nodes.family())) == 2  # one for each machine

    with started(command(*words, *on), variables) as first:
        eventually(lambda: (len(records(out)) >= 5 and both()) or first.poll() is not None, "some are made", 200)
        known, own = records(out), servers(two_nodes.family())
        first.kill()
    assert 5 <= len(known) < CLIPS
    eventually(lambda: not any(map(lives, own)), "the servers end with the work")
    with started(command(*words, *on), variables) as second:
        eventually(lambda: (len(records(out)) >= 12 and both()) or second.poll() is not None, "more are made", 200)
        own += servers(two_nodes.family())
        two_nodes.kill_second()
        known |= records(out)
        said, told = second.communicate()
    assert second.returncode == 0, told
    assert len(own) == 4
    eventually(lambda: not any(map(lives, own)), "the servers end with the work")
    assert len(known) < CLIPS
    found = json.loads(said)
    assert (found["kept"] + found["made"], found["failed"], found["clips"]) == (CLIPS, 0, CLIPS)
    assert {name: stamp for name, stamp in records(out).items() if name in known} == known
    # Hidden files are what a killed server was writing.
    entries = [path for path in (tmp_path / "cache").glob("entries/*/*.exr") if not path.name.startswith(".")]
    assert len(entries) == CLIPS * FRAMES
    told_of = [line for line in told.splitlines() if line.startswith("sav_")]
    assert sorted(told_of) == [f"sav_{number:06d}" for number in range(CLIPS)]
    assert len(list(out.glob(".cluster-*"))) <= 1  # of the command that was killed
    here = ["--connection-file", server.connection_file]
    again = json.loads(videomama(*words, *here, "--out", out).out)
    assert (again["kept"], again["made"], again["rejected"]) == (CLIPS, 0, found["rejected"])
    part = json.loads(videomama(*words, *here, "--out", alone, "--shard", "2/10").out)
    assert part["made"] == CLIPS // 10
    _check_same(out, alone)


def _check_same(out, alone):
    """See that labels that were made without Ray are the same to the bit, and rejected for the same reasons."""
    lines = {place: (place / "manifest.jsonl").read_text().splitlines() for place in (out, alone)}
    known = {line["name"]: line for line in map(json.loads, lines[out])}
    assert len(known) == len(lines[out]) == CLIPS
    for line in map(json.loads, lines[alone]):
        assert line["reasons"] == known[line["name"]]["reasons"]
        for truth in (alone / line["folder"] / "truth").iterdir():
            other = out / line["folder"] / "truth" / truth.name
            np.testing.assert_array_equal(frames.read_mask(other).pixels, frames.read_mask(truth).pixels)


@pytest.mark.slow
def test_clips_are_evaluated_as_without_a_cluster(two_nodes, server, videomama, variables, tmp_path):
    make = writers("miniature").Makers(tmp_path)
    make.plain("one")
    suite = make.plain("two")
    words = ["evaluate", suite, "--engine", "passthrough", "--masks", "box", "--json"]
    on = ["--out", tmp_path / "out", "--on", two_nodes.address]
    done = subprocess.run(command(*words, *on), capture_output=True, text=True, check=False, env=variables)
    assert done.returncode == 0, done.stderr
    alone = json.loads(videomama(*words, "--out", tmp_path / "alone", "--connection-file", server.connection_file).out)
    found = json.loads(done.stdout)
    assert (found["units"], found["kept"], found["failed"]) == (4, 0, 0)
    assert len(found["overall"]) == 2
    for one, other in zip(found["overall"], alone["overall"], strict=True):
        assert (one["engine"], one["clips"]) == (other["engine"], 2)
        assert one["mean"] == pytest.approx(other["mean"], rel=1e-8)  # threads add up in another order
    again = json.loads(videomama(*words, "--out", tmp_path / "out", "--connection-file", server.connection_file).out)
    assert again["kept"] == 4
