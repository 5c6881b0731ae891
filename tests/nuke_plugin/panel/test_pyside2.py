"""The panel's tests once more, as Nuke 14 and 15 run it: Python 3.10 with PySide2, in an environment of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import videomama_client

HERE = Path(__file__).parent
PLUGIN = Path(videomama_client.__file__).parents[1]
PACKAGES = ("PySide2==5.15.2.1", "Qt.py>=2.0", "pyzmq>=25.1", "msgpack>=1.0.5", "pytest>=8.2")
FILES = (
    "test_cache_box.py",
    "test_controls.py",
    "test_jobs_model.py",
    "test_jobs_view.py",
    "test_live.py",
    "test_report_dialog.py",
    "test_style.py",
    "test_talker.py",
    "test_watcher.py",
    "test_widget.py",
)
PROBE = "from Qt import QtGui, QtTest, QtWidgets; QtWidgets.QApplication([]); print(QtWidgets.__name__)"
INSTALL_S = 300
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "VIRTUAL"))}
    return {**kept, "QT_QPA_PLATFORM": "offscreen", "QT_PREFERRED_BINDING": "PySide2", **more}


@pytest.fixture(scope="module")
def python(request, find_python) -> Path:
    """The interpreter of an environment that is made once and kept in pytest's cache folder."""
    folder = request.config.cache.mkdir("panel-pyside2") / "venv"
    made = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp = folder / "packages.txt"
    wanted = "\n".join(PACKAGES)
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(
            [find_python("3.10"), "-m", "venv", str(folder)], check=True, env=environment(), timeout=INSTALL_S
        )
        install(made)
        stamp.write_text(wanted)
    said = subprocess.run([made, "-c", PROBE], env=environment(), capture_output=True, text=True, timeout=60)
    if said.returncode:
        pytest.skip(f"PySide2 cannot be loaded here: {said.stderr.strip().splitlines()[-1]}")
    return made


def install(made: Path) -> None:
    words = [str(made), "-m", "pip", "install", "--quiet", "--only-binary", ":all:", *PACKAGES]
    try:
        said = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=INSTALL_S)
    except subprocess.TimeoutExpired:
        pytest.skip("PySide2 could not be fetched in time")
    if said.returncode:
        pytest.skip(f"PySide2 cannot be had for Python 3.10 here: {said.stderr.strip().splitlines()[-1]}")


def test_the_same_tests_pass_with_pyside2_on_python_310(python, tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = slow: more than a few seconds\nfilterwarnings = error\n")
    words = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib"]
    words += ["-c", tmp_path / "pytest.ini", "--rootdir", HERE, "--confcutdir", HERE, "--basetemp", tmp_path / "t"]
    words += [HERE / name for name in FILES]
    said = subprocess.run(
        list(map(str, words)),
        env=environment(PYTHONPATH=str(PLUGIN), VIDEOMAMA_TEST_SERVER_PYTHON=sys.executable),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert said.returncode == 0, said.stdout[-8000:] + said.stderr[-2000:]
    assert " passed" in said.stdout
    assert "failed" not in said.stdout
