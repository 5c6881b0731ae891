"""Makes the installer's modules importable as they are under `python install`, and lends the tests small projects."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

INSTALL = Path(__file__).resolve().parents[2] / "install"
sys.path.insert(0, str(INSTALL))

import archive  # noqa: E402 - found where the line above says
import prepare  # noqa: E402
import targets  # noqa: E402
import unbundle  # noqa: E402
from environment import Environment  # noqa: E402

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


WHEEL = "x-1-py3-none-any.whl"
PROJECT = {
    "project/pyproject.toml": b"[project]\n",
    "project/install/constraints.txt": b"x==1\ny==2\n",
    "project/install/__main__.py": b"import sys; print('installer', sys.argv[1:]); sys.exit(5)\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project that is the one in the bundle."""
    for name, content in PROJECT.items():
        path = tmp_path / "root" / name.partition("/")[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "root"


@pytest.fixture
def request_(root: Path) -> prepare.Request:
    """What is to be true of that project, with the Python that runs this."""
    return prepare.Request(root, Environment(root / ".venv"), (), sys.executable)


@pytest.fixture
def make(tmp_path: Path, request_: prepare.Request, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A function that makes a bundle for the Python that runs this, on this processor."""
    own = targets.here(unbundle._python(request_))
    monkeypatch.setattr("targets._MACHINES", {own.platform: targets.machine_here(), "win32": "AMD64"})

    def made(target: targets.Target = own, installed: int = 10, more: Mapping[str, bytes] | None = None) -> Path:
        path = tmp_path / "bundle ä.zip"
        manifest = archive.Manifest("1.0", ("videomama",), (archive.Share(target, (WHEEL,), installed),), ())
        archive.write(path, manifest, {**PROJECT, f"wheels/{WHEEL}": b"wheel", **(more or {})})
        return path

    return made


@pytest.fixture
def poisoned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PYTHONPATH and a working folder in which modules that the installer needs are others."""
    for name in ("path", "here"):
        (tmp_path / name).mkdir()
        for module in ("json", "argparse", "subprocess", "dataclasses", "venv", "sysconfig", "pip", "sitecustomize"):
            (tmp_path / name / f"{module}.py").write_text("raise RuntimeError('poison')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    monkeypatch.setenv("PYTHONHOME", "")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path
