"""The verb `path`: what it writes, that a shell finds it, and that files of others stay."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import command_path
import program
import pytest
from environment import Environment

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links and completion are of other systems")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def path():
    """Run the verb on the environment of the tests."""
    return lambda *words: program.main(["path", "--venv", sys.prefix, *words])


def test_it_only_shows_until_it_is_told_to_write(home, path, capsys):
    assert path() == 0
    said = capsys.readouterr().out
    assert f"{home / '.local' / 'bin' / 'videomama'} would be a link to " in said
    assert "path --install" in said
    assert "eval" not in said
    assert list(home.iterdir()) == []


def test_a_shell_finds_the_program_until_it_is_removed(home, path, capsys):
    assert path("--install") == 0
    assert path("--install") == 0
    folder = home / ".local" / "bin"
    said = capsys.readouterr().out
    assert f"{folder} is not on your PATH" in said
    assert f'open a new terminal:  export PATH="{folder}:$PATH"' in said
    found = shutil.which("videomama", path=str(folder))
    assert found is not None
    assert subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout.startswith(
        "videomama"
    )
    assert path("--remove") == 0
    assert shutil.which("videomama", path=str(folder)) is None
    assert [file for file in home.rglob("*") if file.is_file()] == []


def test_a_folder_that_is_on_the_path_is_not_said(home, path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", os.pathsep.join([str(home / ".local" / "bin"), os.environ["PATH"]]))
    assert path("--install") == 0
    assert "is not on your PATH" not in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_commands_and_options(home, path):
    assert path("--install") == 0
    file = home / ".local" / "share" / "bash-completion" / "completions" / "videomama"
    asked = (
        f"source {file}; COMP_WORDS=(videomama matte --pla); COMP_CWORD=2; "
        "_videomama_completion videomama; echo ${COMPREPLY[@]}"
    )
    variables = {**os.environ, "PATH": os.pathsep.join([str(home / ".local" / "bin"), os.environ["PATH"]])}
    said = subprocess.run(["bash", "-c", asked], env=variables, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["--plate", "--plate-layer"]


def test_a_file_of_another_program_stays(home, path, capsys):
    file = home / ".local" / "bin" / "videomama"
    file.parent.mkdir(parents=True)
    file.write_text("#!/bin/sh\n")
    assert path("--install") == 1
    assert "was not made by this installer" in capsys.readouterr().err
    assert path("--remove") == 0
    assert file.read_text() == "#!/bin/sh\n"
    assert command_path.ours() == []


def test_nothing_is_written_where_nothing_is_installed(home, capsys, tmp_path):
    assert program.main(["path", "--venv", str(tmp_path / "no"), "--install"]) == 1
    assert "Run `python install server` first" in capsys.readouterr().err
    assert command_path.ours() == []


def test_on_windows_it_is_a_command_file_in_a_folder_that_is_on_every_path(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    files = command_path.files(Environment(tmp_path / "env"))
    ((file, content),) = files.items()
    assert file == tmp_path / "Microsoft" / "WindowsApps" / "videomama.cmd"
    assert str(tmp_path / "env") in content
