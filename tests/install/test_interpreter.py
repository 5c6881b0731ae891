from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from dataclasses import replace
from pathlib import Path

import interpreter
import pytest
from failure import InstallError
from interpreter import Interpreter, find, find_builder, probe

ROOT = Path(__file__).resolve().parents[2]
GOOD = Interpreter("/opt/python", (3, 11, 7), "/opt", "/opt", ("venv", "ensurepip", "pip"), ("/opt/lib",))


def python39() -> str | None:
    homes = sorted(Path.home().glob(".pyenv/versions/3.9.*/bin/python"))
    for candidate in (shutil.which("python3.9"), *map(str, homes)):
        found = probe(candidate) if candidate else None
        if found and found.version[:2] == (3, 9):
            return found.executable
    return None


def answer_with(monkeypatch: pytest.MonkeyPatch, found: Interpreter | None) -> None:
    monkeypatch.setattr(interpreter, "probe", lambda executable: found)


def test_the_running_python_describes_itself() -> None:
    found = probe(sys.executable)
    assert found is not None
    assert found.version == sys.version_info[:3]
    assert found.base_prefix == sys.base_prefix
    assert all(Path(folder).is_dir() for folder in found.site_packages)


def test_a_pythonpath_of_the_host_lends_no_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "bare"
    venv.create(bare, with_pip=False, symlinks=True)
    (tmp_path / "host" / "pip").mkdir(parents=True)
    (tmp_path / "host" / "pip" / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "host"))
    found = probe(str(bare / "bin" / "python"))
    assert found is not None
    assert "pip" not in found.modules


def test_what_is_no_python_is_none(tmp_path: Path) -> None:
    assert probe(str(tmp_path / "missing")) is None
    assert probe(shutil.which("true") or "true") is None


def test_the_python_of_an_environment_stands_for_the_one_underneath(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=False, symlinks=True)
    found = find(str(tmp_path / "env" / "bin" / "python"))
    assert found.prefix == found.base_prefix == sys.base_prefix


def test_a_named_python_that_is_missing_is_told() -> None:
    with pytest.raises(InstallError, match="no-such-python is not a Python that starts"):
        find("no-such-python")


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 13, 1), (4, 0, 0)])
def test_new_enough_builds(monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...]) -> None:
    good = replace(GOOD, version=version)
    answer_with(monkeypatch, good)
    assert find_builder(None) == good


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 9, 18), (3, 10, 14)])
def test_too_old_is_refused_with_what_was_found(monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...]) -> None:
    answer_with(monkeypatch, replace(GOOD, version=version))
    text = r"\.".join(map(str, version))
    with pytest.raises(InstallError, match=rf"needs Python 3\.11 or newer; found {text} at /opt/python") as caught:
        find_builder(None)
    assert "--python" in caught.value.hint


@pytest.mark.parametrize("present", [("pip",), ("venv", "pip")])
def test_a_stripped_down_python_names_the_package_to_install(
    monkeypatch: pytest.MonkeyPatch, present: tuple[str, ...]
) -> None:
    answer_with(monkeypatch, replace(GOOD, modules=present))
    with pytest.raises(InstallError, match="ensurepip") as caught:
        find_builder(None)
    assert "apt install python3.11-venv" in caught.value.hint


@pytest.mark.parametrize("verb", ["demo", "test"])
def test_python_39_runs_the_installer_and_is_refused(tmp_path: Path, verb: str) -> None:
    old = python39()
    if old is None:
        pytest.skip("no Python 3.9 on this machine")
    command = [old, str(ROOT / "install"), verb, "--venv", str(tmp_path / "env")]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert run.returncode == 1
    assert "needs Python 3.11 or newer; found 3.9." in run.stderr
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "env").exists()


def test_python_39_may_name_a_newer_one(tmp_path: Path) -> None:
    old = python39()
    if old is None:
        pytest.skip("no Python 3.9 on this machine")
    script = f"import interpreter; print(interpreter.find_builder({sys.executable!r}).version_text)"
    run = subprocess.run([old, "-c", script], capture_output=True, text=True, cwd=ROOT / "install", check=True)
    assert run.stdout.strip() == ".".join(map(str, sys.version_info[:3]))
