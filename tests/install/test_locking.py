from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from locking import held

INSTALL = Path(__file__).resolve().parents[2] / "install"


def holder(lock: Path) -> subprocess.Popen[str]:
    """Another process that holds `lock` until it is told to end, and has it when this returns."""
    code = (
        f"import pathlib, sys, locking\nwith locking.held(pathlib.Path({str(lock)!r})):\n"
        "    print('held', flush=True)\n    sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=INSTALL, text=True, **pipes)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_the_folder_is_made_and_the_lock_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        with held(tmp_path / "new" / "lock"):
            assert (tmp_path / "new" / "lock").exists()


def test_a_second_process_waits_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    with holder(tmp_path / "lock") as process:

        def wait(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 3:
                process.communicate(timeout=60)

        monkeypatch.setattr("locking.time", SimpleNamespace(sleep=wait))
        with held(tmp_path / "lock"):
            assert process.returncode == 0
    assert waits == [0.2] * 3
    assert capsys.readouterr().out.count("Another install is working in") == 1


def test_a_killed_holder_leaves_the_lock_free(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with holder(tmp_path / "lock") as process:
        process.kill()
        process.wait()
        with held(tmp_path / "lock"):
            assert capsys.readouterr().out == ""
