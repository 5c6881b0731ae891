import os
import socket
import subprocess
import sys
import time

import pytest
from videomama_server.files.replacing import sweep, writing_in


def test_what_a_killed_process_was_writing_is_swept_and_nothing_else(tmp_path):
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    host, pid = socket.gethostname(), int(dead.stdout)
    names = [f".videomama-{host}~{pid}~a.exr", f".videomama-{host}~{os.getpid()}~b.exr", ".videomama-c", ".DS_Store"]
    for name in (*names, "alpha.1001.exr"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - 100,) * 2)
    young = tmp_path / f".videomama-{host}~{pid}~young.exr"
    young.touch()  # its process may be in a container, out of sight
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names[1:], "alpha.1001.exr", young.name])


def test_work_is_done_again_when_its_folder_is_removed_meanwhile(tmp_path):
    folder, tries = tmp_path / "folder", []

    def work():
        tries.append(folder.is_dir())
        if len(tries) < 3:
            folder.rmdir()
        return (folder / "file").touch()

    writing_in(folder, work, lambda path: path.mkdir(exist_ok=True))
    assert tries == [True] * 3
    tries[:] = []
    (folder / "file").unlink()
    with pytest.raises(FileNotFoundError):
        writing_in(folder, work, lambda path: path.mkdir(exist_ok=True), tries=2)
    assert tries == [True] * 2


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(writing_in) == {"tries": 3}
