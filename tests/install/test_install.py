"""The program as a person runs it, on a project that installs offline: real environments, a real pip."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def variables() -> dict[str, str]:
    """This process' variables, without its pip settings and with no index to reach."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return {**kept, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path]) -> Path:
    """The project, under a name that has to be quoted everywhere; its environment lasts from test to test."""
    return make_project(tmp_path_factory.mktemp("some where") / "project")


@pytest.fixture(scope="module")
def run(root: Path) -> Run:
    def run_program(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(root / "install"), *arguments]
        return subprocess.run(command, cwd=root.parent, env=variables(), capture_output=True, text=True, check=False)

    return run_program


@pytest.fixture(scope="module")
def installed(root: Path, run: Run) -> subprocess.CompletedProcess[str]:
    """The first run that ends, after one that was killed while it made the environment."""
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / ".venv" / "bin" / "half-made").touch()
    (root / ".venv" / "videomama-install.lock").touch()
    return run("demo", "--frames", "3")


def change(file: Path) -> None:
    file.write_text(file.read_text() + "\n")


def info(root: Path) -> Path:
    return next((root / ".venv").rglob("offline_project-1.0.dist-info"))


def test_a_half_made_environment_is_made_anew_and_the_demo_runs(
    installed: subprocess.CompletedProcess[str], root: Path
) -> None:
    assert (installed.stderr, installed.returncode) == ("", 7)
    assert "(it is broken)" in installed.stdout
    assert not (root / ".venv" / "bin" / "half-made").exists()
    assert "ran ['demo', '--frames', '3']" in installed.stdout


def test_a_second_run_only_runs_the_demo(installed: subprocess.CompletedProcess[str], run: Run) -> None:
    again = run("demo")
    assert (again.stdout, again.returncode) == ("ran ['demo']\n", 7)


def test_checks_install_the_extras_and_the_demo_profits(
    installed: subprocess.CompletedProcess[str], root: Path, run: Run
) -> None:
    checks = run("test", "-q")
    # The project has no tools, so each step fails; all of them are run and told.
    assert checks.returncode == 1
    assert checks.stdout.count("FAILED (127)") == 2 * 5
    assert "packages for bench, cluster, dev, docs, edges, movies, segment, train, videomama, web" in checks.stdout
    assert "Making " not in checks.stdout
    assert run("demo").stdout == "ran ['demo']\n"


def test_a_failed_pip_is_told(installed: subprocess.CompletedProcess[str], root: Path, run: Run) -> None:
    change(root / "pyproject.toml")
    (root / "fail").write_text("ReadTimeoutError: Read timed out.")
    failed = run("demo")
    (root / "fail").unlink()
    assert failed.returncode == 1
    assert "pip failed with exit code 1" in failed.stderr
    assert "Read timed out." in failed.stderr
    assert "HTTPS_PROXY" in failed.stderr


def test_an_install_killed_in_the_middle_is_taken_up(
    installed: subprocess.CompletedProcess[str], root: Path, run: Run
) -> None:
    if sys.platform == "win32":
        pytest.skip("kills a process group, which Windows has not")
    change(root / "pyproject.toml")
    (root / "hang").touch()
    command = [sys.executable, str(root / "install"), "demo"]
    with subprocess.Popen(command, env=variables(), start_new_session=True, stdout=subprocess.DEVNULL) as program:
        deadline = time.monotonic() + 120
        while not (root / "hanging").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert (root / "hanging").exists()
        os.killpg(program.pid, signal.SIGKILL)
    (root / "hang").unlink()
    # What a kill a moment later leaves: metadata, but not yet the last files that pip writes.
    (info(root) / "INSTALLER").unlink()
    again = run("demo")
    assert (again.stderr, again.returncode) == ("", 7)
    assert "to be installed again: offline_project-1.0." in again.stdout
    assert "Making " not in again.stdout
