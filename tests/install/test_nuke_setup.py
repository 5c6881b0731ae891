"""The verb from its options to the files, with fake Nukes in the layouts of three systems and made-up libraries."""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import types
import zipfile
from collections.abc import Callable
from pathlib import Path

import nuke_setup
import nuke_vendor
import nuke_versions
import prepare
import pytest
from environment import Environment
from failure import InstallError
from nuke_setup import add_arguments, plan_lines, run, uninstall
from nuke_vendor import Pins, read_pins, vendor_folder
from source import Source

PROGRAMS = (
    "Nuke14.0v5/Nuke14.0",
    "Nuke15.1v3/Nuke15.1.exe",
    "Nuke16.0v2/Nuke16.0v2.app/Contents/MacOS/Nuke16.0",
)
TAGS = ["cp310-win32", "cp311-darwin", "cp39-linux"]
MINE = b"# -*- coding: latin-1 -*-\r\nname = '\xe9'"
PLATFORMS = {"linux": "manylinux2014_x86_64", "win32": "win_amd64", "darwin": "macosx_11_0_arm64"}

Verb = Callable[..., int]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with pins of a made-up library, under a name that has to be quoted everywhere."""
    folder = tmp_path / 'Zoë\'s "project"'
    (folder / "install").mkdir(parents=True)
    (folder / "nuke_plugin").mkdir()
    wheel = folder / "lib-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("lib.py", "x = 1\n")
    pin = f"lib==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"
    headings = [f"[cp{python}-{name}] {tag}" for python in ("39", "310", "311") for name, tag in PLATFORMS.items()]
    (folder / "install" / "vendor.txt").write_text("".join(f"{heading}\n{pin}\n" for heading in headings))
    return folder


@pytest.fixture
def studio(tmp_path: Path) -> Path:
    """A folder of Nukes 14, 15 and 16: one as on Linux, one as on Windows, one as on macOS."""
    for name in PROGRAMS:
        program = tmp_path / "Nukes of the studio" / name
        program.parent.mkdir(parents=True)
        program.touch()
    return tmp_path / "Nukes of the studio"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A .nuke with an init.py of the person's own."""
    folder = tmp_path / "home" / ".nuke"
    folder.mkdir(parents=True)
    (folder / "init.py").write_bytes(MINE)
    return folder


@pytest.fixture
def fetched(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tags that wheels were downloaded for; the made-up one is given for each."""
    tags: list[str] = []

    def download(pins: Pins, folder: Path, environment: Environment, source: Source) -> list[Path]:
        tags.append(pins.tag)
        return [root / "lib-1.0-py3-none-any.whl"]

    monkeypatch.setattr(nuke_vendor, "download", download)
    return tags


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[prepare.Request]:
    """The environments that were asked for; none is made."""
    seen: list[prepare.Request] = []
    monkeypatch.setattr(nuke_setup, "prepare", seen.append)
    return seen


@pytest.fixture
def verb(root: Path, home: Path, fetched: list[str], prepared: list[prepare.Request]) -> Verb:
    """The verb with words of a command line, on the project and home of this test."""

    def call(*words: object) -> int:
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        options = parser.parse_args(["--home", str(home), *map(str, words)])
        return run(options, Environment(root / ".venv"), root)

    return call


def files(*folders: Path) -> dict[Path, tuple[bytes, int]]:
    """All files below `folders`, with content and time of change."""
    found = (file for folder in folders for file in folder.rglob("*") if file.is_file())
    return {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in found}


def test_three_nukes_get_their_libraries_and_the_block(
    verb: Verb,
    root: Path,
    home: Path,
    studio: Path,
    prepared: list[prepare.Request],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert verb("--nuke-dir", studio) == 0
    said = capsys.readouterr().out
    for line in ("Nuke 14.0v5 in ", "Python 3.9, PySide2.", "Nuke 15.1v3 in ", "Nuke 16.0v2 in ", "PySide6.", "Done: "):
        assert line in said
    ready = [folder.name for folder in sorted(vendor_folder(root).iterdir()) if folder.is_dir()]
    assert ready == TAGS
    assert prepared == [prepare.Request(root, Environment(root / ".venv"))]
    assert (home / "init.py.videomama-backup").read_bytes() == MINE


def test_the_block_loads_the_plug_in(
    verb: Verb, root: Path, home: Path, studio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verb("--nuke-dir", studio)
    added: list[str] = []
    nuke = types.ModuleType("nuke")
    nuke.NUKE_VERSION_MAJOR = 15  # type: ignore[attr-defined]
    nuke.pluginAddPath = added.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "nuke", nuke)
    monkeypatch.setenv("VIDEOMAMA_COMMAND", "")  # so that what the block sets is undone after the test
    monkeypatch.delenv("VIDEOMAMA_COMMAND")
    names: dict[str, object] = {}
    exec(compile((home / "init.py").read_bytes(), "init.py", "exec"), names)  # noqa: S102  (what Nuke does)
    assert added == [str(root / "nuke_plugin")]
    assert names["name"] == "é"
    assert nuke_setup.os.environ["VIDEOMAMA_COMMAND"] == str(Environment(root / ".venv").script("videomama"))


def test_a_second_run_changes_nothing(
    verb: Verb, root: Path, home: Path, studio: Path, fetched: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    verb("--nuke-dir", studio)
    before = files(root, home, studio)
    capsys.readouterr()
    assert verb("--nuke-dir", studio) == 0
    assert files(root, home, studio) == before
    assert sorted(fetched) == TAGS
    assert "has the block already" in capsys.readouterr().out


def test_uninstall_leaves_every_file_as_it_was(verb: Verb, root: Path, home: Path, studio: Path) -> None:
    before = {file: content for file, (content, _) in files(root, home, studio).items()}
    verb("--nuke-dir", studio)
    assert verb("--uninstall") == 0
    assert {file: content for file, (content, _) in files(root, home, studio).items()} == before
    assert not vendor_folder(root).exists()


def test_uninstall_after_edits_around_the_block_keeps_them(
    verb: Verb, root: Path, home: Path, studio: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verb("--nuke-dir", studio)
    init = home / "init.py"
    init.write_bytes(init.read_bytes().replace(b"name =", b"title =") + b"more = 1\r\n")
    capsys.readouterr()
    verb("--uninstall")
    assert init.read_bytes() == MINE.replace(b"name =", b"title =") + b"\r\nmore = 1\r\n"
    assert "backup from before stays" in capsys.readouterr().out


def test_uninstall_without_anything_says_so(root: Path, home: Path) -> None:
    before = files(home)
    assert uninstall(home, root) == [f"{home / 'init.py'} has no block of VideoMaMa."]
    assert files(home) == before


def test_a_moved_project_moves_the_block(verb: Verb, root: Path, home: Path, studio: Path) -> None:
    verb("--nuke-dir", studio)
    moved = root.with_name("moved")
    shutil.copytree(root, moved)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = parser.parse_args(["--home", str(home), "--nuke-dir", str(studio)])
    run(options, Environment(moved / ".venv"), moved)
    content = (home / "init.py").read_bytes()
    assert content.count(b"pluginAddPath") == 1
    assert f"{moved.as_posix()}/nuke_plugin".encode() in content
    uninstall(home, moved)
    assert (home / "init.py").read_bytes() == MINE


@pytest.mark.parametrize("words", [["--dry-run"], ["--print-env"], ["--uninstall", "--dry-run"]])
def test_some_options_touch_nothing(
    verb: Verb,
    root: Path,
    home: Path,
    studio: Path,
    words: list[str],
    prepared: list[prepare.Request],
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = files(root, home, studio)
    assert verb("--nuke-dir", studio, *words) == 0
    assert capsys.readouterr().out
    assert files(root, home, studio) == before
    assert prepared == []


def test_dry_run_of_uninstall_says_what_it_would_do(
    verb: Verb, root: Path, home: Path, studio: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verb("--nuke-dir", studio)
    before = files(root, home)
    capsys.readouterr()
    verb("--uninstall", "--dry-run")
    said = capsys.readouterr().out
    assert "would be taken out" in said
    assert "would be removed" in said
    assert files(root, home) == before


def test_libraries_only_leaves_init_alone(verb: Verb, home: Path, studio: Path, fetched: list[str]) -> None:
    before = files(home)
    assert verb("--nuke-dir", studio, "--libraries-only") == 0
    assert files(home) == before
    assert sorted(fetched) == TAGS


def test_nukes_of_other_machines_are_named(
    verb: Verb, root: Path, home: Path, fetched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nuke_versions, "_USUAL", {"linux": ()})
    before = files(home)
    assert verb("--for", "15-win32", "--for", "17-darwin", "--for", "14") == 0
    assert sorted(fetched) == sorted(["cp310-win32", "cp311-darwin", f"cp39-{sys.platform}"])
    assert files(home) == before
    assert verb("--for", "all") == 0
    assert sorted(fetched) == sorted(read_pins(root))


@pytest.mark.parametrize("word", ["13", "18", "15-amiga", "fifteen", "15-"])
def test_a_nuke_that_is_not_known_is_refused(verb: Verb, word: str) -> None:
    with pytest.raises(InstallError, match=f"--for {word} is not a known version") as caught:
        verb("--for", word)
    assert "15-win32" in caught.value.hint


def test_no_nuke_at_all_is_told_and_nothing_done(
    verb: Verb, root: Path, home: Path, monkeypatch: pytest.MonkeyPatch, prepared: list[prepare.Request]
) -> None:
    monkeypatch.setattr(nuke_versions, "_USUAL", {"linux": ("/nowhere/Nuke*",)})
    before = files(root, home)
    with pytest.raises(InstallError, match=r"No Nuke was found in /nowhere/Nuke\*") as caught:
        verb()
    assert "--nuke-dir" in caught.value.hint
    assert files(root, home) == before
    assert prepared == []
    assert plan_lines(Environment(root / ".venv"), root) == []


def test_only_old_nukes_are_named(verb: Verb, tmp_path: Path) -> None:
    (tmp_path / "Nuke13.2v4").mkdir()
    (tmp_path / "Nuke13.2v4" / "Nuke13.2").touch()
    with pytest.raises(InstallError, match=r"only Nuke 13\.2v4 in .*: Python 3\.7"):
        verb("--nuke-dir", tmp_path)


def test_an_old_one_beside_others_is_named_and_left_out(
    verb: Verb, studio: Path, fetched: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (studio / "Nuke12.2v3").mkdir()
    (studio / "Nuke12.2v3" / "Nuke12.2").touch()
    assert verb("--nuke-dir", studio) == 0
    assert "Nuke 12.2v3 in " in capsys.readouterr().out
    assert sorted(fetched) == TAGS


def test_a_damaged_block_stops_it_before_anything_is_done(
    verb: Verb, root: Path, home: Path, studio: Path, fetched: list[str], prepared: list[prepare.Request]
) -> None:
    (home / "init.py").write_bytes(b"# >>> VideoMaMa >>> what?\n")
    before = files(root, home)
    for words in (["--nuke-dir", studio], ["--uninstall"]):
        with pytest.raises(InstallError, match="damaged"):
            verb(*words)
    assert files(root, home) == before
    assert (fetched, prepared) == ([], [])


def test_without_libraries_no_block_is_written(
    verb: Verb, home: Path, studio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise InstallError("No network.", "Get one.")

    monkeypatch.setattr(nuke_vendor, "download", fail)
    before = files(home)
    with pytest.raises(InstallError, match="No network"):
        verb("--nuke-dir", studio)
    assert files(home) == before


def test_a_home_that_cannot_be_made_is_told_first(verb: Verb, studio: Path, tmp_path: Path, fetched: list[str]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InstallError, match=r"init\.py cannot be") as caught:
        verb("--nuke-dir", studio, "--home", tmp_path / "file" / ".nuke")
    assert "--print-env" in caught.value.hint
    assert fetched == []


def test_the_default_home_is_the_persons(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert nuke_setup.default_home() == tmp_path / ".nuke"
    monkeypatch.setattr(sys, "platform", "win32")
    assert nuke_setup.default_home() == tmp_path / ".nuke"


def test_it_is_there_for_a_plan_of_several_verbs(
    root: Path, studio: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nuke_versions, "_USUAL", {sys.platform: (str(studio / "Nuke*"),)})
    monkeypatch.setenv("HOME", str(home.parent))
    lines = plan_lines(Environment(root / ".venv"), root)
    assert sum("to be fetched" in line for line in lines) == 3
    assert lines[-1] == f"{home / 'init.py'} gets the block, after a backup."


def test_python_39_can_run_it(root: Path, home: Path, studio: Path) -> None:
    olds = sorted(Path.home().glob(".pyenv/versions/3.9.*/bin/python"))
    if not olds:
        pytest.skip("no Python 3.9 on this machine")
    code = (
        "import argparse, pathlib, sys, nuke_setup, environment\n"
        "parser = argparse.ArgumentParser(); nuke_setup.add_arguments(parser)\n"
        "root = pathlib.Path(sys.argv[1])\n"
        "sys.exit(nuke_setup.run(parser.parse_args(sys.argv[2:]), environment.Environment(root / '.venv'), root))"
    )
    words = [str(root), "--dry-run", "--nuke-dir", str(studio), "--home", str(home)]
    said = subprocess.run(
        [str(olds[-1]), "-B", "-c", code, *words],
        cwd=Path(nuke_setup.__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stderr) == (0, "")
    assert "cp310-win32 (lib 1.0): to be fetched" in said.stdout
