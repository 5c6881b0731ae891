"""Finds the Nukes of a machine by the names of their folders and programs, and says which Python and Qt each brings."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from failure import InstallError

OLDEST, NEWEST = 14, 17
_PYTHONS = {14: "3.9", 15: "3.10", 16: "3.11", 17: "3.11"}
_OLD_PYTHONS = {13: "3.7"}  # Python 2 before that
_FIRST_QT6 = 16
_USUAL = {
    "linux": ("/usr/local/Nuke*", "/opt/Nuke*", "~/Nuke*"),
    "win32": ("{ProgramFiles}/Nuke*",),
    "darwin": ("/Applications/Nuke*",),
}
# Not NukeX, NukeStudio or NukeAssist: they are links to the same program.
_PROGRAM = re.compile(r"Nuke(\d+)\.(\d+)(?:v(\d+))?(\.exe)?", re.IGNORECASE)
_NAMED = re.compile(r"Nuke(\d+)\.(\d+)v(\d+)(?:\.app)?", re.IGNORECASE)
_LIBRARY = re.compile(r"libnuke-(\d+)\.(\d+)\.(\d+)\.")


@dataclass(frozen=True)
class Nuke:
    """One installed Nuke.

    Attributes:
        folder: of the installation.
        release: the number after the v; None where no name tells it.
        platform: that it runs on, as `sys.platform` has it.
    """

    folder: Path
    executable: Path
    major: int
    minor: int
    release: Optional[int]
    platform: str

    @property
    def name(self) -> str:
        """As people write it, such as Nuke 15.1v3."""
        return f"Nuke {self.major}.{self.minor}" + ("" if self.release is None else f"v{self.release}")

    @property
    def python(self) -> str:
        """The version of its Python; for a Nuke newer than any known the newest known one."""
        if self.major < OLDEST:
            return _OLD_PYTHONS.get(self.major, "2.7")
        return _PYTHONS[min(self.major, NEWEST)]

    @property
    def qt(self) -> str:
        """The Qt binding that it brings."""
        return "PySide6" if self.major >= _FIRST_QT6 else "PySide2"

    @property
    def tag(self) -> str:
        """The name of the folder that its libraries are in."""
        return library_tag(self.python, self.platform)

    @property
    def supported(self) -> bool:
        """Whether the plug-in runs in it."""
        return self.major >= OLDEST

    @property
    def remark(self) -> str:
        """What is to be said about its version; nothing for those that are known."""
        if not self.supported:
            return f"too old, the plug-in needs Nuke {OLDEST} or newer"
        if self.major > NEWEST:
            return f"newer than any that is known here, taken to have Python {self.python} as Nuke {NEWEST} does"
        return ""


def library_tag(python: str, platform: str) -> str:
    """The folder of the libraries for a Python such as "3.10" and a platform, as the plug-in looks for it."""
    return f"cp{python.replace('.', '')}-{platform}"


def python_of(major: int) -> str:
    """The version of Python in Nuke `major`, which must be a known one."""
    return _PYTHONS[major]


def find_nukes(folders: Optional[Sequence[Path]] = None) -> list[Nuke]:
    """All Nukes in `folders`, each an installation or a folder of some; in the usual places when None. Newest last.

    Raises:
        InstallError: one of `folders` holds none.
    """
    if folders is None:
        return _sorted(nuke for folder in _usual_folders() for nuke in _in_folder(folder))
    found = []
    for folder in folders:
        here = list(_in_folder(folder)) or [nuke for child in _children(folder) for nuke in _in_folder(child)]
        if not here:
            raise InstallError(
                f"There is no Nuke in {folder}.",
                "Name the folder that has the program in it, such as /usr/local/Nuke15.1v3, or the folder above it.",
            )
        found += here
    return _sorted(found)


def usual_places() -> list[str]:
    """Where Nukes are looked for on this machine, for people."""
    return [_expanded(pattern) for pattern in _patterns()]


def _patterns() -> tuple[str, ...]:
    return _USUAL.get(sys.platform, _USUAL["linux"])


def _expanded(pattern: str) -> str:
    # The names are Windows' own; the first is there for a Python of 32 bits, too.
    programs = os.environ.get("ProgramW6432") or os.environ.get("ProgramFiles", r"C:\Program Files")  # noqa: SIM112
    return os.path.expanduser(pattern.format(ProgramFiles=programs))  # noqa: PTH111  (a pattern, no path)


def _usual_folders() -> Iterator[Path]:
    for pattern in usual_places():
        place = Path(pattern)
        yield from sorted(child for child in _children(place.parent) if child.match(place.name))


def _in_folder(folder: Path) -> Iterator[Nuke]:
    """The Nukes of one installation, which is one per version: in itself, or in the .app folders of macOS."""
    programs: dict[tuple[int, int], Nuke] = {}
    for executable, platform in _programs(folder):
        name = _PROGRAM.fullmatch(executable.name)
        if name:
            version = int(name[1]), int(name[2])
            release = int(name[3]) if name[3] else _release(version, executable, folder)
            programs.setdefault(version, Nuke(folder, executable, *version, release, platform))
    yield from programs.values()


def _programs(folder: Path) -> Iterator[tuple[Path, str]]:
    apps = [folder] if folder.suffix == ".app" else [child for child in _children(folder) if child.suffix == ".app"]
    for app in apps:
        for executable in _children(app / "Contents" / "MacOS"):
            yield executable, "darwin"
    for executable in _children(folder):
        if executable.is_file():
            yield executable, "win32" if executable.suffix.lower() == ".exe" else "linux"


def _release(version: tuple[int, int], executable: Path, folder: Path) -> Optional[int]:
    """The number after the v, from the name of a folder around the program or of a library beside it."""
    for part in (*executable.parts[::-1], *(child.name for child in _children(folder))):
        name = _NAMED.fullmatch(part) or _LIBRARY.match(part)
        if name and (int(name[1]), int(name[2])) == version:
            return int(name[3])
    return None


def _children(folder: Path) -> list[Path]:
    """What is in `folder`; nothing when it is no folder or may not be read, since others hold Nukes, too."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _sorted(nukes: Iterable[Nuke]) -> list[Nuke]:
    """Oldest first, each once though links and overlapping places name it twice."""
    once = {nuke.executable.resolve(): nuke for nuke in nukes}
    return sorted(once.values(), key=lambda nuke: (nuke.major, nuke.minor, nuke.release or 0, str(nuke.folder)))
