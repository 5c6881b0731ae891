from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import types
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from nuke_paths import batch_lines, block_lines, environment_text, powershell_lines, shell_lines

AWKWARD = [
    "/opt/videomama",
    '/with space/Zoë\'s "plug-in"',
    "/a$HOME/`id`/$(id)/%PATH%/!x!",
    "/new\nline/\ttab",
    "/back\\slash/日本",
]


def as_path(text: str) -> Path:
    """A path with these very characters, on any system."""
    return PurePosixPath(text)  # type: ignore[return-value]


def python2() -> str | None:
    homes = sorted(Path.home().glob(".pyenv/versions/2.7.*/bin/python"))
    return str(homes[-1]) if homes else shutil.which("python2.7")


def run_block(lines: list[str], major: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run the lines as Nuke `major` would, and return the folders that were added."""
    added: list[str] = []
    nuke = types.ModuleType("nuke")
    nuke.NUKE_VERSION_MAJOR = major  # type: ignore[attr-defined]
    nuke.pluginAddPath = added.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "nuke", nuke)
    exec(compile("\n".join(lines), "init.py", "exec"), {"nuke": nuke})  # noqa: S102  (what Nuke does)
    return added


@pytest.mark.parametrize("path", AWKWARD)
def test_the_block_is_python_for_any_path(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDEOMAMA_COMMAND", "")
    monkeypatch.delenv("VIDEOMAMA_COMMAND")
    lines = block_lines(as_path(path), as_path(f"{path}/videomama"), 14)
    assert "\n".join(lines).isascii()
    assert run_block(lines, 15, monkeypatch) == [path]
    assert os.environ["VIDEOMAMA_COMMAND"] == f"{path}/videomama"


def test_windows_paths_have_the_slashes_that_nuke_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDEOMAMA_COMMAND", "set by the studio")
    plugin, command = PureWindowsPath(r"C:\Users\Zoë\new\plug"), PureWindowsPath(r"\\server\tools\videomama.exe")
    lines = block_lines(plugin, command, 14)  # type: ignore[arg-type]
    assert run_block(lines, 14, monkeypatch) == ["C:/Users/Zoë/new/plug"]
    assert os.environ["VIDEOMAMA_COMMAND"] == "set by the studio"
    assert r"\\\\server\\tools\\videomama.exe" in lines[-2]


def test_older_nukes_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIDEOMAMA_COMMAND", raising=False)
    assert run_block(block_lines(Path("/p"), Path("/c"), 14), 13, monkeypatch) == []
    assert "VIDEOMAMA_COMMAND" not in os.environ


def test_a_nuke_with_python_2_reads_the_block(tmp_path: Path) -> None:
    python = python2()
    if python is None:
        pytest.skip("no Python 2.7 on this machine")
    (tmp_path / "nuke.py").write_text("NUKE_VERSION_MAJOR = 12\n")
    lines = block_lines(Path("/with späce/日本"), Path("/c"), 14)
    (tmp_path / "init.py").write_text("\n".join([*lines, "print('went on')"]), encoding="utf-8")
    said = subprocess.run([python, "init.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (said.stdout, said.stderr) == ("went on\n", "")


@pytest.mark.parametrize("path", AWKWARD)
@pytest.mark.parametrize("before", [None, "/studio"])
def test_shells_read_the_lines(path: str, before: str | None) -> None:
    lines = "\n".join(shell_lines(as_path(path), as_path(f"{path}/c")))
    show = (
        f'{sys.executable} -c \'import os; print(ascii([os.environ[n] for n in ("NUKE_PATH", "VIDEOMAMA_COMMAND")]))\''
    )
    variables = {"PATH": os.defpath} if before is None else {"PATH": os.defpath, "NUKE_PATH": before}
    command = ["/bin/sh", "-eu", "-c", f"{lines}\n{show}"]
    said = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == ascii([path if before is None else f"/studio:{path}", f"{path}/c"])


def test_powershell_and_batch_escape_what_means_something_there() -> None:
    path = as_path("C:\\Zoë's\u2019 100% ($x) `n\\plug")
    powershell = "\n".join(powershell_lines(path, path))
    assert powershell.count("'C:\\Zoë''s\u2019\u2019 100% ($x) `n\\plug'") == 2
    set_plugin, set_command = batch_lines(path, path)
    assert 'set "NUKE_PATH=%NUKE_PATH%;C:\\Zoë\'s\u2019 100%% ($x) `n\\plug"' in set_plugin
    assert set_command == 'set "VIDEOMAMA_COMMAND=C:\\Zoë\'s\u2019 100%% ($x) `n\\plug"'


def test_the_text_has_something_for_everybody() -> None:
    text = environment_text(as_path('/a "b"/plug'), as_path("/c"))
    for word in ("bash", "PowerShell", "cmd", "Rez", "AYON", "ShotGrid", "--libraries-only"):
        assert word in text
    (ayon,) = [line for line in text.splitlines() if line.startswith("{")]
    assert json.loads(ayon) == {"NUKE_PATH": ["{NUKE_PATH}", '/a "b"/plug'], "VIDEOMAMA_COMMAND": "/c"}
    assert "cannot hold this path" not in text


def test_a_path_that_the_variable_cannot_hold_is_told() -> None:
    assert "NUKE_PATH cannot hold this path" in environment_text(as_path(f"/a{os.pathsep}b"), as_path("/c"))
