import os
import socket
import subprocess
import sys
import time

import pytest
from videomama_client.whole_files import mark
from videomama_server.files.process_marks import left_behind


@pytest.fixture(scope="module")
def dead():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def old(tmp_path):
    """Make a file of some age: `old(100)`."""

    def make(age):
        path = tmp_path / "file"
        path.touch()
        os.utime(path, (time.time() - age,) * 2)
        return path

    return make


def test_what_this_process_made_is_not_left_behind(old):
    assert not left_behind(old(10**6), f"{mark()}x")


def test_what_a_dead_process_made_is_left_behind_after_a_grace(old, dead):
    name = f"{socket.gethostname()}~{dead}~x"
    assert left_behind(old(100), name)
    assert not left_behind(old(10), name)
    assert left_behind(old(10), name, grace_s=0.0)


@pytest.mark.parametrize("name", ["elsewhere~1~x", "0123456789abcdef.exr", f"{socket.gethostname()}~pid~x", ""])
def test_of_other_machines_and_names_age_alone_tells(old, name):
    assert left_behind(old(25 * 3600), name)
    assert not left_behind(old(23 * 3600), name)


def test_what_is_gone_is_nothing_to_remove(tmp_path):
    assert not left_behind(tmp_path / "none", "")
