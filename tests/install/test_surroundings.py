"""What the installer starts processes with."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import surroundings
from environment import Environment
from interpreter import probe
from videomama_client import surroundings as of_client

ROOT = Path(__file__).resolve().parents[2]
NAMES = (
    *("PYTHONPATH", "PYTHONHOME", "PYTHON_ANYTHING", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH"),
    *("QT_PLUGIN_PATH", "QML2_IMPORT_PATH", "OIIO_LIBRARY_PATH", "HOME", "PATH", "PIP_INDEX_URL", "OCIO", "LANG"),
)


@pytest.mark.parametrize("kept", ["", "LD_LIBRARY_PATH", "LD_PRELOAD, QT_PLUGIN_PATH", "HOME"])
def test_the_installer_and_the_client_leave_out_the_same(kept):
    given = {**dict.fromkeys(NAMES, "value"), "VIDEOMAMA_KEEP_ENV": kept}
    assert surroundings.environment(given) == of_client.environment(given)
    assert (surroundings.ISOLATED, surroundings.KEEP) == (of_client.ISOLATED, of_client.KEEP)


@pytest.fixture
def poisoned(tmp_path, monkeypatch):
    """A PYTHONPATH and a working folder in which modules that the installer needs are others."""
    for name in ("path", "here"):
        (tmp_path / name).mkdir()
        for module in ("json", "argparse", "subprocess", "dataclasses", "venv", "sysconfig", "pip", "sitecustomize"):
            (tmp_path / name / f"{module}.py").write_text("raise RuntimeError('poison')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    monkeypatch.setenv("PYTHONHOME", "")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


@pytest.mark.parametrize("words", [["--help"], ["service", "--print"]], ids=" ".join)
def test_the_installer_itself_starts_in_poisoned_surroundings(poisoned, words):
    command = [sys.executable, str(ROOT / "install"), *words]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stderr
    assert "install" in said.stdout


def test_a_python_says_what_it_is_in_poisoned_surroundings(poisoned):
    assert probe(sys.executable).modules == probe(shutil.which(sys.executable)).modules != ()


def test_the_environment_of_an_install_is_free_of_the_host(poisoned, monkeypatch):
    monkeypatch.setenv("LD_LIBRARY_PATH", "/host")
    variables = Environment(poisoned / "venv").variables()
    assert {"PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH"}.isdisjoint(variables)
    assert variables["VIRTUAL_ENV"] == str(poisoned / "venv")


@pytest.mark.slow
def test_an_environment_is_made_and_its_pip_runs_in_poisoned_surroundings(poisoned):
    environment = Environment(poisoned / "venv")
    environment.path.mkdir()
    made = environment.build(probe(sys.executable))
    from packages import pip_works

    assert pip_works(environment)
    assert Path(made.prefix) == environment.path
