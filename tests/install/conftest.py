"""Makes the installer's modules importable as they are under `python install`, and lends the tests small projects."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

INSTALL = Path(__file__).resolve().parents[2] / "install"
sys.path.insert(0, str(INSTALL))

# A build backend without dependencies, so that pip's own work is real and nothing is downloaded.
_BACKEND = """
import os, time, zipfile

INFO = "offline_project-1.0.dist-info"
EXTRAS = "Provides-Extra: dev\\nProvides-Extra: videomama\\n"
FILES = {
    f"{INFO}/METADATA": "Metadata-Version: 2.1\\nName: offline-project\\nVersion: 1.0\\n" + EXTRAS,
    f"{INFO}/WHEEL": "Wheel-Version: 1.0\\nGenerator: offline\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    f"{INFO}/entry_points.txt": "[console_scripts]\\nvideomama = offline_project:main\\n",
}

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    if os.path.exists("fail"):
        raise OSError(open("fail").read())
    if os.path.exists("hang"):
        open("hanging", "w").close()
        time.sleep(60)
    name = "offline_project-1.0-py3-none-any.whl"
    files = {**FILES, "offline_project.pth": os.getcwd()}
    files[f"{INFO}/RECORD"] = "".join(f"{file},,\\n" for file in [*files, f"{INFO}/RECORD"])
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)
    return name

build_wheel = build_editable
"""
_PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
_PROGRAM = """
import sys

def main():
    print("ran", sys.argv[1:])
    return 7
"""


@pytest.fixture(scope="session")
def make_project() -> Callable[[Path], Path]:
    """A function that writes a project into a folder: installable offline, its `videomama` command exits with 7."""

    def make(root: Path) -> Path:
        (root / "install").mkdir(parents=True)
        for module in INSTALL.glob("*.py"):
            (root / "install" / module.name).write_bytes(module.read_bytes())
        (root / "install" / "constraints.txt").write_text("torch==2.13.0\n")
        (root / "pyproject.toml").write_text(_PYPROJECT)
        (root / "backend.py").write_text(_BACKEND)
        (root / "offline_project.py").write_text(_PROGRAM)
        return root

    return make


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have been run; each claims to have exited with 3."""
    seen: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        seen.append(command)
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr(subprocess, "run", run)
    return seen
