from __future__ import annotations

import sys
from pathlib import Path

import nuke_versions
import pytest
from failure import InstallError
from nuke_versions import Nuke, find_nukes


def program(path: Path) -> Path:
    """An empty file where a program is expected, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


@pytest.mark.parametrize(
    ("path", "name", "tag", "qt"),
    [
        ("Nuke14.0v5/Nuke14.0", "Nuke 14.0v5", "cp39-linux", "PySide2"),
        ("Nuke15.1v3/Nuke15.1", "Nuke 15.1v3", "cp310-linux", "PySide2"),
        ("Nuke16.0v2/Nuke16.0", "Nuke 16.0v2", "cp311-linux", "PySide6"),
        ("Nuke17.0v1/Nuke17.0", "Nuke 17.0v1", "cp311-linux", "PySide6"),
        ("Nuke14.1v1/Nuke14.1.exe", "Nuke 14.1v1", "cp39-win32", "PySide2"),
        ("Nuke15.1v3/Nuke15.1.exe", "Nuke 15.1v3", "cp310-win32", "PySide2"),
        ("Nuke16.0v2/Nuke16.0.exe", "Nuke 16.0v2", "cp311-win32", "PySide6"),
        ("Nuke14.0v5/Nuke14.0v5.app/Contents/MacOS/Nuke14.0", "Nuke 14.0v5", "cp39-darwin", "PySide2"),
        ("Nuke15.1v3/Nuke15.1v3.app/Contents/MacOS/Nuke15.1", "Nuke 15.1v3", "cp310-darwin", "PySide2"),
        ("Nuke16.0v2/Nuke16.0v2.app/Contents/MacOS/Nuke16.0v2", "Nuke 16.0v2", "cp311-darwin", "PySide6"),
    ],
)
def test_each_layout_tells_version_python_and_qt(tmp_path: Path, path: str, name: str, tag: str, qt: str) -> None:
    executable = program(tmp_path / "with späce" / path)
    (found,) = find_nukes([tmp_path / "with späce"])
    assert (found.name, found.tag, found.qt, found.executable) == (name, tag, qt, executable)
    assert (found.supported, found.remark) == (True, "")
    assert find_nukes([found.folder]) == [found]


@pytest.mark.parametrize(("folder", "python"), [("Nuke13.2v9", "3.7"), ("Nuke12.2v11", "2.7"), ("Nuke9.0v8", "2.7")])
def test_old_ones_are_named_and_not_supported(tmp_path: Path, folder: str, python: str) -> None:
    program(tmp_path / folder / folder.split("v")[0])
    (found,) = find_nukes([tmp_path])
    assert (found.supported, found.python) == (False, python)
    assert "needs Nuke 14 or newer" in found.remark


def test_a_newer_one_than_any_known_gets_the_newest_python_and_a_warning(tmp_path: Path) -> None:
    program(tmp_path / "Nuke19.2v1" / "Nuke19.2")
    (found,) = find_nukes([tmp_path])
    assert (found.supported, found.tag) == (True, "cp311-linux")
    assert "newer than any that is known" in found.remark


def test_a_renamed_folder_is_told_by_its_program_and_its_library(tmp_path: Path) -> None:
    program(tmp_path / "current" / "Nuke15.1")
    assert find_nukes([tmp_path / "current"])[0].name == "Nuke 15.1"
    program(tmp_path / "current" / "libnuke-15.1.4.so")
    assert find_nukes([tmp_path])[0].name == "Nuke 15.1v4"


def test_a_name_of_another_version_around_it_says_nothing(tmp_path: Path) -> None:
    program(tmp_path / "Nuke13.0v1" / "Nuke16.0")
    assert find_nukes([tmp_path])[0].name == "Nuke 16.0"


def test_links_and_sister_programs_count_once_and_the_newest_is_last(tmp_path: Path) -> None:
    for name in ("Nuke16.0v2/Nuke16.0", "Nuke15.1v3/Nuke15.1", "Nuke15.1v3/NukeX15.1", "Nuke15.0v6/Nuke15.0"):
        program(tmp_path / name)
    (tmp_path / "Nuke").symlink_to(tmp_path / "Nuke15.1v3")
    program(tmp_path / "Nuke15.2.tgz")
    found = find_nukes([tmp_path, tmp_path / "Nuke15.0v6"])
    assert [nuke.name for nuke in found] == ["Nuke 15.0v6", "Nuke 15.1v3", "Nuke 16.0v2"]


@pytest.mark.parametrize("make", [True, False])
def test_a_named_folder_without_one_is_an_error(tmp_path: Path, make: bool) -> None:
    folder = tmp_path / "empty"
    if make:
        folder.mkdir()
    with pytest.raises(InstallError, match=r"There is no Nuke in .*empty"):
        find_nukes([folder])


@pytest.mark.parametrize(
    ("platform", "place", "inside"),
    [
        ("linux", "Nuke14.0v5", "Nuke14.0"),
        ("win32", "Nuke14.0v5", "Nuke14.0.exe"),
        ("darwin", "Nuke14.0v5", "Nuke14.0v5.app/Contents/MacOS/Nuke14.0"),
    ],
)
def test_the_usual_places_of_each_platform_are_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, place: str, inside: str
) -> None:
    program(tmp_path / place / inside)
    (tmp_path / "Nuke.txt").touch()
    monkeypatch.setattr(sys, "platform", platform)
    usual = {name: (str(tmp_path / "Nuke*"),) if name == platform else () for name in nuke_versions._USUAL}
    monkeypatch.setattr(nuke_versions, "_USUAL", usual)
    assert [nuke.tag for nuke in find_nukes()] == [f"cp39-{platform}"]


def test_the_home_folder_and_the_folder_of_programs_are_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    monkeypatch.delenv("ProgramW6432", raising=False)
    monkeypatch.setenv("ProgramFiles", "D:/Programme")
    monkeypatch.setattr(sys, "platform", "linux")
    assert "/home/anna/Nuke*" in nuke_versions.usual_places()
    monkeypatch.setattr(sys, "platform", "win32")
    assert nuke_versions.usual_places() == ["D:/Programme/Nuke*"]


def test_nothing_in_the_usual_places_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(nuke_versions, "_USUAL", {"linux": (str(tmp_path / "none" / "Nuke*"),)})
    assert find_nukes() == []


def test_an_unknown_release_is_left_out_of_the_name() -> None:
    assert Nuke(Path("/n"), Path("/n/Nuke15.0"), 15, 0, None, "linux").name == "Nuke 15.0"
