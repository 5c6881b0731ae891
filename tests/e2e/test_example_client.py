"""The program of docs/examples that refines over the client, run as its reader would run it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "refine.py"


@pytest.fixture
def run(server, make_clip):
    """Run the example on a clip, with these settings; return the process."""
    clip = make_clip(count=2)
    variables = {**os.environ, "VIDEOMAMA_CONNECTION_FILE": str(server.connection_file)}

    def start(*settings, plate=None):
        files = (plate or clip.plate, clip.mask, clip.out)
        command = [sys.executable, str(EXAMPLE), *map(str, files), *settings]
        return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)

    start.clip = clip
    return start


def test_it_names_every_frame_and_resumes_what_was_done(run):
    first, second = run("engine=passthrough"), run("engine=passthrough")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    lines = first.stdout.splitlines()
    assert [line.rpartition(" ")[2] for line in lines[:-1]] == ["computed", "computed"]
    assert all(Path(line.rpartition(" ")[0]).is_file() for line in lines[:-1])
    assert lines[-1] == "2 frames, 2 computed, by passthrough"
    assert second.stdout.splitlines()[-1] == "2 frames, 0 computed, by passthrough"


def test_it_says_of_which_kind_an_error_is(run):
    found = run("engine=passthrough", plate=run.clip.folder / "no" / "plate.####.exr")
    assert found.returncode == 1
    assert found.stderr.startswith("bad-input: plate: no frames match ")
