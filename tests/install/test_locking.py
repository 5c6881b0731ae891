from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from locking import held

INSTALL = Path(__file__).resolve().parents[2] / "install"


def holder(lock: Path, seconds: float) -> subprocess.Popen[str]:
    """Another process that holds `lock`, and has it when this returns."""
    code = (
        f"import pathlib, time, locking\nwith locking.held(pathlib.Path({str(lock)!r})):\n"
        f"    print('held', flush=True)\n    time.sleep({seconds})"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=INSTALL, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_the_folder_is_made_and_the_lock_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        with held(tmp_path / "new" / "lock"):
            assert (tmp_path / "new" / "lock").exists()


def test_a_second_process_waits_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun = time.monotonic()
    with holder(tmp_path / "lock", 1.0), held(tmp_path / "lock"):
        waited = time.monotonic() - begun
    assert waited > 0.9
    assert capsys.readouterr().out.count("Another install is working in") == 1


def test_a_killed_holder_leaves_the_lock_free(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with holder(tmp_path / "lock", 60) as process:
        process.kill()
        process.wait()
        with held(tmp_path / "lock"):
            assert capsys.readouterr().out == ""
