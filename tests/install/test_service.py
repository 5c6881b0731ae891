"""`python install service`: printed, set up and removed, with stand-ins for the system's own commands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import service
import service_files
from environment import Environment
from failure import InstallError

Run = Callable[..., int]


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins for systemctl, launchctl and schtasks; a line per call in this file. `fail-WORD` makes WORD fail."""
    if sys.platform == "win32":
        pytest.skip("stands in with shell scripts")
    folder = tmp_path / "commands"
    folder.mkdir()
    log = tmp_path / "calls"
    log.touch()
    for name in ("systemctl", "launchctl", "schtasks"):
        (folder / name).write_text(
            "#!/bin/sh\n"
            f"echo {name} \"$@\" >> '{log}'\n"
            f'for word in "$@"; do if [ -e \'{tmp_path}\'/fail-"$word" ]; then echo "no bus" >&2; exit 1; fi; done\n'
            f'for word in "$@"; do case "$word" in *.xml) cp "$word" \'{tmp_path}/task\';; esac; done\n'
        )
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return log


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "hö me"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in [name for name in service.os.environ if name.startswith(("VIDEOMAMA_", "XDG_"))] + ["OCIO"]:
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """One that counts as working."""
    made = Environment(tmp_path / "some where" / ".venv")
    made.scripts.mkdir(parents=True)
    made.script("videomama").write_text("#!/bin/sh\nexit 1\n")
    made.script("videomama").chmod(0o755)
    monkeypatch.setattr(Environment, "interpreter", lambda self: object() if self.path.exists() else None)
    return made


@pytest.fixture
def run(environment: Environment, home: Path, calls: Path) -> Run:
    def verb(*words: str) -> int:
        parser = argparse.ArgumentParser()
        service.add_arguments(parser)
        return service.run(parser.parse_args(words), environment)

    return verb


@pytest.fixture(params=["linux", "darwin", "win32"])
def platform(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Pretend to be each system in turn."""
    monkeypatch.setattr(service.sys, "platform", request.param)
    return str(request.param)


def file_of(home: Path, platform: str) -> Path:
    folders = {"linux": ".config/systemd/user/videomama.service"}
    return home / folders.get(platform, "Library/LaunchAgents/com.videomama.server.plist")


def words_of(calls: Path) -> list[str]:
    return calls.read_text().splitlines()


@pytest.mark.parametrize("chosen", ["linux", "darwin", "win32"])
def test_print_shows_the_file_and_touches_nothing(
    run: Run, home: Path, calls: Path, capsys: pytest.CaptureFixture[str], chosen: str
) -> None:
    assert run("--print", "--for", chosen) == 0
    said = capsys.readouterr().out
    assert service_files.MARKER in said
    assert "some where" in said
    assert list(home.iterdir()) == []
    assert words_of(calls) == []


def test_print_is_what_it_does_when_nothing_is_said(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    assert service_files.MARKER in capsys.readouterr().out


def test_this_users_settings_are_taken_along(run: Run, monkeypatch: pytest.MonkeyPatch, capsys) -> None:  # type: ignore[no-untyped-def]
    settings = {"VIDEOMAMA_CACHE_DIR": "/fast disk", "XDG_STATE_HOME": "/s", "VIDEOMAMA_COMMAND": "/x", "OTHER": "1"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    run("--print", "--for", "linux")
    said = capsys.readouterr().out
    assert 'Environment="VIDEOMAMA_CACHE_DIR=/fast disk"' in said
    assert 'Environment="XDG_STATE_HOME=/s"' in said
    assert "VIDEOMAMA_COMMAND" not in said
    assert "OTHER" not in said


def test_set_up_and_removed_again(run: Run, home: Path, calls: Path, platform: str, tmp_path: Path) -> None:
    assert run("--install") == 0
    begun = words_of(calls)
    if platform == "win32":
        assert [line.split()[:2] for line in begun] == [["schtasks", "/Create"], ["schtasks", "/Run"]]
        assert "some where" in service_files.text_of((tmp_path / "task").read_bytes())
    else:
        file = file_of(home, platform)
        content = file.read_bytes()
        assert b"some where" in content
        assert run("--install") == 0
        assert file.read_bytes() == content
        assert [path.name for path in file.parent.iterdir()] == [file.name]
        tool = "systemctl --user enable videomama.service" if platform == "linux" else f"bootstrap gui/0 {file}"
        assert any(tool in line or "bootstrap gui/" in line for line in begun)
    assert run("--remove") == 0
    assert not file_of(home, platform).exists()
    ending = {"linux": "disable --now", "darwin": "bootout", "win32": "/Delete"}[platform]
    assert any(ending in line for line in words_of(calls)[len(begun) :])


def test_there_is_nothing_to_remove(
    run: Run, platform: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], calls: Path
) -> None:
    (tmp_path / "fail-").mkdir()
    (tmp_path / "fail-" / "Query").touch()
    assert run("--remove") == 0
    assert "no service to remove" in capsys.readouterr().out
    assert words_of(calls) == (["schtasks /Query /TN VideoMaMa"] if platform == "win32" else [])


@pytest.mark.parametrize("word", ["daemon-reload", "enable", "restart"])
def test_a_system_that_refuses_leaves_nothing_behind(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setattr(service.sys, "platform", "linux")
    (tmp_path / f"fail-{word}").touch()
    with pytest.raises(InstallError, match="no bus") as caught:
        run("--install")
    assert "--print" in caught.value.hint
    assert list(home.iterdir()) == []


def test_a_system_that_refuses_keeps_what_was_there(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.sys, "platform", "linux")
    run("--install")
    before = file_of(home, "linux").read_bytes()
    (tmp_path / "fail-restart").touch()
    monkeypatch.setenv("VIDEOMAMA_PORT", "5")
    with pytest.raises(InstallError):
        run("--install")
    assert file_of(home, "linux").read_bytes() == before


def test_without_the_systems_command_it_is_told(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service.sys, "platform", "linux")
    monkeypatch.setenv("PATH", str(home))
    with pytest.raises(InstallError, match="systemctl"):
        run("--install")
    assert not file_of(home, "linux").exists()


@pytest.mark.parametrize("word", ["--install", "--remove"])
def test_a_file_of_somebody_else_is_left_alone(
    run: Run, home: Path, calls: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setattr(service.sys, "platform", "linux")
    file = file_of(home, "linux")
    file.parent.mkdir(parents=True)
    file.write_text("[Service]\nExecStart=/mine\n")
    with pytest.raises(InstallError, match="not made by this installer"):
        run(word)
    assert file.read_text() == "[Service]\nExecStart=/mine\n"
    assert words_of(calls) == []


def test_a_home_that_cannot_be_written(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, calls: Path) -> None:
    monkeypatch.setattr(service.sys, "platform", "linux")
    (home / ".config").touch()
    with pytest.raises(InstallError, match="cannot be written") as caught:
        run("--install")
    assert "--print" in caught.value.hint
    assert words_of(calls) == []


def test_without_an_installation_nothing_is_set_up(home: Path, calls: Path, tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="no installation") as caught:
        service.install(Environment(tmp_path / "none"))
    assert "python install server" in caught.value.hint
    assert words_of(calls) == []


def test_another_systems_service_cannot_be_set_up_here(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service.sys, "platform", "linux")
    with pytest.raises(InstallError, match="win32"):
        run("--install", "--for", "win32")


def test_a_server_that_runs_already_is_mentioned(
    run: Run, environment: Environment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(service.sys, "platform", "linux")
    environment.script("videomama").write_text("#!/bin/sh\necho '{\"pid\": 4242}'\n")
    run("--install")
    assert "process 4242" in capsys.readouterr().out


def test_two_actions_at_once_are_wrong_use(run: Run) -> None:
    with pytest.raises(SystemExit) as caught:
        run("--install", "--remove")
    assert caught.value.code == 2
