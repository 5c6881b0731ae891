"""Which Nukes are there, which plug-in they load, and whether its libraries are there for each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import check_nukes
import nuke_paths
import nuke_versions
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, with nothing on NUKE_PATH."""
    folder = tmp_path / "hö me"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    for name in ("NUKE_PATH", "VIDEOMAMA_COMMAND"):
        monkeypatch.delenv(name, raising=False)
    # Only the home: the machine may have Nukes of its own.
    monkeypatch.setattr(nuke_versions, "_patterns", lambda: ("~/Nuke*",))
    return folder


def install_nuke(home: Path, name: str) -> Path:
    folder = home / name
    folder.mkdir()
    (folder / name.split("v")[0]).touch()
    return folder


def make_plug_in(folder: Path, version: str, *tags: str) -> Path:
    (folder / "videomama_nuke").mkdir(parents=True)
    (folder / "videomama_client").mkdir()
    (folder / "videomama_client" / "__init__.py").write_text(f'"""Client."""\n\n__version__ = "{version}"\n')
    for tag in tags:
        for library in ("zmq", "msgpack"):
            (folder / "_vendor" / tag / library).mkdir(parents=True)
        (folder / "_vendor" / tag / "Qt.py").touch()
    return folder


def ours() -> str:
    return check_nukes._version(ROOT / "nuke_plugin")


def test_no_nuke_is_one_warning_with_the_places(home: Path) -> None:
    (line,) = check_nukes.lines()
    assert (line["name"], line["state"]) == ("nuke", "warning")
    assert str(home / "Nuke*") in line["what"]
    assert "--nuke-dir" in line["fix"]


def test_a_nuke_that_does_not_know_of_the_plug_in(home: Path) -> None:
    install_nuke(home, "Nuke15.1v3")
    plug_in, nuke = check_nukes.lines()
    assert (plug_in["name"], plug_in["state"]) == ("plug-in", "warning")
    assert "python install nuke" in plug_in["fix"]
    assert nuke["what"].startswith("Nuke 15.1v3 (Python 3.10, PySide2) in ")


@pytest.mark.parametrize("told", ["init.py", "NUKE_PATH"])
def test_nukes_with_and_without_their_libraries(home: Path, monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    plug_in = make_plug_in(home / "plüg in", ours(), f"cp310-{sys.platform}")
    if told == "init.py":
        (home / ".nuke").mkdir()
        text = f"import nuke\nnuke.pluginAddPath('./gizmos')\nnuke.pluginAddPath({str(plug_in)!a})\n"
        (home / ".nuke" / "init.py").write_text(text)
    else:
        monkeypatch.setenv("NUKE_PATH", os.pathsep.join(["", str(home), str(plug_in)]))
    for name in ("Nuke15.1v3", "Nuke16.0v2", "Nuke13.2v8", "Nuke99.0v1"):
        install_nuke(home, name)
    first, old, fine, bare, new = check_nukes.lines()
    assert (first["state"], str(plug_in) in first["what"]) == ("ok", True)
    assert (old["state"], "too old" in old["what"]) == ("warning", True)
    assert (fine["state"], fine["fix"]) == ("ok", "")
    assert bare["state"] == "warning"
    assert "zmq, msgpack, Qt.py are not in" in bare["what"]
    assert f"cp311-{sys.platform}" in bare["what"]
    assert new["state"] == "warning"


def test_a_newer_nuke_than_any_known_is_said_to_be_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUKE_PATH", str(make_plug_in(home / "p", ours(), f"cp311-{sys.platform}")))
    install_nuke(home, "Nuke99.0v1")
    assert "newer than any" in check_nukes.lines()[-1]["what"]


@pytest.mark.parametrize(
    ("version", "fix"), [("0.0.1", "The plug-in is older"), ("99.0", "This installation is older")]
)
def test_another_version_of_the_plug_in_names_the_older_side(
    home: Path, monkeypatch: pytest.MonkeyPatch, version: str, fix: str
) -> None:
    monkeypatch.setenv("NUKE_PATH", str(make_plug_in(home / "p", version)))
    (line,) = check_nukes.lines()
    assert (line["state"], f"loads {version} from" in line["what"]) == ("warning", True)
    assert line["fix"].startswith(fix)


@pytest.mark.parametrize("content", [b"this is no python", b"\xff\xfe\x00", b"nuke.pluginAddPath(folder)\n"])
def test_an_init_py_that_says_nothing(home: Path, content: bytes) -> None:
    (home / ".nuke").mkdir()
    (home / ".nuke" / "init.py").write_bytes(content)
    (line,) = check_nukes.lines()
    assert line["name"] == "nuke"


def test_a_command_that_is_gone_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in, command = make_plug_in(home / "p", ours()), home / "venv" / "videomama"
    (home / ".nuke").mkdir()
    text = "\n".join(nuke_paths.block_lines(plug_in, command, 14)) + "\n"
    (home / ".nuke" / "init.py").write_text(text)
    fine, gone = check_nukes.lines()
    assert (fine["state"], gone["state"]) == ("ok", "warning")
    assert str(command) in gone["what"]
    monkeypatch.setenv("VIDEOMAMA_COMMAND", sys.executable)
    assert check_nukes.lines() == [fine]


def test_libraries_that_are_not_the_pinned_ones(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tag = f"cp310-{sys.platform}"
    project = home / "project"
    (project / "install").mkdir(parents=True)
    (project / "install" / "vendor.txt").write_bytes((ROOT / "install" / "vendor.txt").read_bytes())
    monkeypatch.setattr(check_nukes, "_ROOT", project)
    monkeypatch.setenv("NUKE_PATH", str(make_plug_in(project / "nuke_plugin", "0.1.0", tag)))
    install_nuke(home, "Nuke15.1v3")
    assert "is not what is pinned, or not whole" in check_nukes.lines()[-1]["what"]


def test_as_a_program_it_prints_json(home: Path) -> None:
    command = [sys.executable, str(ROOT / "install" / "check_nukes.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert {"name", "state", "what", "fix"} == set(json.loads(done.stdout)[0])
