from __future__ import annotations

import os
import stat
from pathlib import Path

import nuke_home
import pytest
from failure import InstallError
from nuke_home import apply, drop_backup, plan_block, plan_removal, set_up

LINES = ["import nuke", "nuke.pluginAddPath('/plug-in')"]
BACKUP = "init.py.videomama-backup"
MINE = b"# -*- coding: latin-1 -*-\r\nname = '\xe9'"


def put(home: Path) -> None:
    apply(plan_block(home, LINES))


def take(home: Path) -> None:
    apply(plan_removal(home))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A .nuke with an init.py of the person's own."""
    folder = tmp_path / "Zoë Müller" / ".nuke"
    folder.mkdir(parents=True)
    (folder / "init.py").write_bytes(MINE)
    return folder


def read_only(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the right to write away, from a super user too, whom the system lets write anywhere."""
    path.chmod(path.stat().st_mode & ~0o222)
    if os.geteuid() == 0:
        monkeypatch.setattr(nuke_home.os, "access", lambda path, mode: bool(Path(path).stat().st_mode & 0o200))


def test_in_and_out_leaves_the_folder_as_it_was(home: Path) -> None:
    put(home)
    assert set_up(home)
    assert (home / BACKUP).read_bytes() == MINE
    take(home)
    assert drop_backup(home) is None
    assert [(file.name, file.read_bytes()) for file in home.iterdir()] == [("init.py", MINE)]


def test_a_second_run_writes_nothing(home: Path) -> None:
    put(home)
    before = {file: file.stat().st_mtime_ns for file in [home, *home.iterdir()]}
    change = plan_block(home, LINES)
    assert change.nothing
    apply(change)
    assert {file: file.stat().st_mtime_ns for file in [home, *home.iterdir()]} == before


def test_the_backup_is_made_once(home: Path) -> None:
    put(home)
    apply(plan_block(home, ["import nuke"]))
    assert (home / BACKUP).read_bytes() == MINE


def test_edits_around_the_block_stay_and_so_does_the_backup(home: Path) -> None:
    put(home)
    init = home / "init.py"
    init.write_bytes(b"# mine\r\n" + init.read_bytes() + b"more = 1\r\n")
    take(home)
    assert init.read_bytes() == b"# mine\r\n" + MINE + b"\r\nmore = 1\r\n"
    assert drop_backup(home) == home / BACKUP


@pytest.mark.parametrize("folder_is_there", [True, False])
def test_what_was_made_goes_again(tmp_path: Path, folder_is_there: bool) -> None:
    home = tmp_path / ".nuke"
    if folder_is_there:
        home.mkdir()
    put(home)
    assert (home / "init.py").is_file()
    assert not (home / BACKUP).exists()
    take(home)
    assert home.exists() == folder_is_there
    assert not (home / "init.py").exists()


def test_a_made_file_with_lines_of_the_persons_own_stays(tmp_path: Path) -> None:
    home = tmp_path / ".nuke"
    put(home)
    with (home / "init.py").open("ab") as file:
        file.write(b"mine = 1\n")
    take(home)
    assert (home / "init.py").read_bytes() == b"mine = 1\n"


def test_a_made_folder_with_other_things_stays(tmp_path: Path) -> None:
    home = tmp_path / ".nuke"
    put(home)
    (home / "menu.py").touch()
    take(home)
    assert [file.name for file in home.iterdir()] == ["menu.py"]


def test_an_empty_file_stays_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "init.py").touch()
    put(tmp_path)
    take(tmp_path)
    assert (tmp_path / "init.py").read_bytes() == b""


def test_a_link_stays_a_link(home: Path, tmp_path: Path) -> None:
    dotfiles = tmp_path / "dotfiles"
    dotfiles.mkdir()
    (home / "init.py").rename(dotfiles / "nuke_init.py")
    (home / "init.py").symlink_to("../../dotfiles/nuke_init.py")
    put(home)
    assert (home / "init.py").is_symlink()
    assert (dotfiles / "nuke_init.py").read_bytes().startswith(MINE)
    assert [file.name for file in dotfiles.iterdir()] == ["nuke_init.py"]
    take(home)
    assert (home / "init.py").is_symlink()
    assert (dotfiles / "nuke_init.py").read_bytes() == MINE


def test_a_link_to_nowhere_is_told(home: Path) -> None:
    (home / "init.py").unlink()
    (home / "init.py").symlink_to("gone.py")
    with pytest.raises(InstallError, match=r"is a link to gone\.py, which is not there"):
        plan_block(home, LINES)


def test_permissions_stay(home: Path) -> None:
    (home / "init.py").chmod(0o640)
    put(home)
    assert stat.S_IMODE((home / "init.py").stat().st_mode) == 0o640
    assert stat.S_IMODE((home / BACKUP).stat().st_mode) == 0o640


@pytest.mark.parametrize("what", ["home", "file", "above"])
def test_what_may_not_be_written_is_told_before_anything_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    home = tmp_path / "person" / ".nuke"
    home.mkdir(parents=True)
    if what == "above":
        home.rmdir()
    else:
        (home / "init.py").write_bytes(MINE)
    closed = {"home": home, "file": home / "init.py", "above": home.parent}[what]
    read_only(closed, monkeypatch)
    with pytest.raises(InstallError, match=r"init\.py cannot be written: .* is read-only for you") as caught:
        plan_block(home, LINES)
    closed.chmod(0o755)
    assert "--print-env" in caught.value.hint
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["init.py"] * (what != "above")


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / ".nuke").write_text("what?")
    with pytest.raises(InstallError, match=r"init\.py cannot be read"):
        plan_block(tmp_path / ".nuke", LINES)


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "init.py").mkdir()
    with pytest.raises(InstallError, match=r"init\.py cannot be read"):
        plan_block(tmp_path, LINES)


def test_a_damaged_block_touches_nothing_and_names_the_file(home: Path) -> None:
    put(home)
    init = home / "init.py"
    init.write_bytes(init.read_bytes().replace(b"# <<<", b"#"))
    before = init.read_bytes()
    for plan in (lambda: plan_block(home, LINES), lambda: plan_removal(home)):
        with pytest.raises(InstallError, match=r"Müller/\.nuke/init\.py: .*damaged.*Nothing was changed"):
            plan()
    assert init.read_bytes() == before


def test_utf16_is_told(home: Path) -> None:
    (home / "init.py").write_bytes("import nuke\n".encode("utf-16"))
    with pytest.raises(InstallError, match="UTF-16"):
        plan_block(home, LINES)


def test_a_file_that_is_no_python_gets_the_block_and_a_warning(home: Path) -> None:
    (home / "init.py").write_bytes(b"print 'Nuke 9'\n")
    change = plan_block(home, LINES)
    assert "does not read as Python 3" in change.warning
    assert not change.nothing
    assert plan_block(home.parent / "new", LINES).warning == ""


def test_a_failed_write_leaves_the_file_and_nothing_beside_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change = plan_block(home, LINES)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nuke_home.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        apply(change)
    assert [(file.name, file.read_bytes()) for file in home.iterdir()] == [("init.py", MINE)]
