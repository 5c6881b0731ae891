"""The kinds of machine that a bundle is made for: how pip and the markers of packages name each."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass

from failure import InstallError
from interpreter import OLDEST, Interpreter

PLATFORMS = ("linux", "win32", "darwin")
_NAMES = {"linux": "Linux", "win32": "Windows", "darwin": "macOS"}
_MACHINES = {"linux": "x86_64", "win32": "AMD64", "darwin": "arm64"}
_SYSTEMS = {"linux": "Linux", "win32": "Windows", "darwin": "Darwin"}
# RHEL 8 and its kin, which Nuke 15 to 17 run on, have glibc 2.28; pip takes each older tag by its name only.
_NEWEST_GLIBC = 28
_OLD_MANYLINUX = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_MACOS = "macosx_14_0_arm64"


@dataclass(frozen=True)
class Target:
    """A platform as `sys.platform` has it, and a Python version such as "3.11"."""

    platform: str
    python: str

    def __str__(self) -> str:
        return f"{_NAMES.get(self.platform, self.platform)} with Python {self.python}"

    @property
    def machine(self) -> str:
        """The processor as `platform.machine()` has it."""
        return _MACHINES[self.platform]

    def pip_arguments(self) -> list[str]:
        """What makes pip choose wheels for this target."""
        tags = {"win32": ["win_amd64"], "darwin": [_MACOS], "linux": _manylinux()}[self.platform]
        chosen = [word for tag in tags for word in ("--platform", tag)]
        return [*chosen, "--python-version", self.python, "--implementation", "cp"]

    def marker_variables(self) -> dict[str, str]:
        """The variables that markers of packages ask for."""
        return {
            "python_version": self.python,
            "python_full_version": f"{self.python}.0",
            "implementation_version": f"{self.python}.0",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "sys_platform": self.platform,
            "platform_system": _SYSTEMS[self.platform],
            "platform_machine": self.machine,
            "os_name": "nt" if self.platform == "win32" else "posix",
        }


def target(platform_name: str, python: str) -> Target:
    """The target of two words of a command line; an InstallError when the server does not run there."""
    try:
        version = tuple(int(part) for part in python.split("."))
    except ValueError:
        version = ()
    if len(version) != 2 or version < OLDEST:
        raise InstallError(
            f"{python or 'Nothing'} is no Python version that the server runs on.",
            "Give it as 3.11; the oldest is {}.{}.".format(*OLDEST),
        )
    return Target(platform_name, python)


def here(python: Interpreter) -> Target:
    """The target that this machine with `python` is."""
    return Target(sys.platform, "{}.{}".format(*python.version[:2]))


def machine_here() -> str:
    """The processor of this machine."""
    return platform.machine()


def _manylinux() -> list[str]:
    tags = []
    for minor in range(_NEWEST_GLIBC, 4, -1):
        tags.append(f"manylinux_2_{minor}_x86_64")
        if minor in _OLD_MANYLINUX:
            tags.append(f"{_OLD_MANYLINUX[minor]}_x86_64")
    return tags
