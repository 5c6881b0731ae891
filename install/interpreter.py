"""Finds a Python interpreter, asks it what it is, and says whether an environment can be built with it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import surroundings
from failure import InstallError

OLDEST = (3, 11)

# Runs in the interpreter that is being asked, so it has to parse on any Python a person may point to.
_PROBE = """
import sys
sys.path = [place for place in sys.path if place]  # an empty one is the working folder
import json, sysconfig
modules = []
for name in ("venv", "ensurepip", "pip"):
    try:
        __import__(name)
    except ImportError:
        continue
    modules.append(name)
print(json.dumps({
    "executable": sys.executable,
    "version": list(sys.version_info[:3]),
    "prefix": sys.prefix,
    "base_prefix": getattr(sys, "base_prefix", sys.prefix),
    "modules": modules,
    "site_packages": sorted(set([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])),
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """What one interpreter says about itself; `modules` is the part of venv, ensurepip and pip that it can import."""

    executable: str
    version: tuple[int, ...]
    prefix: str
    base_prefix: str
    modules: tuple[str, ...]
    site_packages: tuple[str, ...]

    @property
    def version_text(self) -> str:
        """The version as people write it, such as 3.11.7."""
        return ".".join(str(part) for part in self.version)

    @property
    def is_new_enough(self) -> bool:
        """Whether the server runs on it."""
        return self.version >= OLDEST


def probe(executable: str) -> Optional[Interpreter]:
    """Ask `executable` what it is; None when it does not start or is no Python."""
    # -E and -s: a PYTHONPATH or a user site of the host must not lend modules that the interpreter itself lacks.
    # -I would say so in one word, but a Python 2, which a person may point to, does not know it.
    command = [executable, "-E", "-s", "-c", _PROBE]
    try:
        answer = subprocess.run(
            command, env=surroundings.environment(), capture_output=True, text=True, timeout=60, check=True
        ).stdout
        fields = json.loads(answer)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    lists = {name: tuple(fields[name]) for name in ("version", "modules", "site_packages")}
    return Interpreter(fields["executable"], prefix=fields["prefix"], base_prefix=fields["base_prefix"], **lists)


def find(python: Optional[str]) -> Interpreter:
    """The interpreter named by a path or a command name, or the running one when `python` is None.

    For the Python of a virtual environment it is the one underneath: the environment may be the one to be rebuilt.
    """
    executable = sys.executable if python is None else shutil.which(python)
    found = probe(executable) if executable else None
    if found is None:
        raise InstallError(
            f"{python or executable} is not a Python that starts.",
            "Give --python the path of a Python interpreter, 3.11 or newer.",
        )
    if found.prefix == found.base_prefix:
        return found
    return probe(str(_base_executable(found))) or found


def _base_executable(python: Interpreter) -> Path:
    # sys._base_executable would be it, but names the environment's own Python up to 3.10.
    name = "python.exe" if os.name == "nt" else "bin/python{}.{}".format(*python.version[:2])
    return Path(python.base_prefix) / name


def find_builder(python: Optional[str]) -> Interpreter:
    """The interpreter that `find` gives, refused when no environment can be made with it."""
    found = find(python)
    if not found.is_new_enough:
        raise InstallError(
            f"VideoMaMa needs Python 3.11 or newer; found {found.version_text} at {found.executable}.",
            "Start this with a newer Python, or name one with --python PATH.",
        )
    missing = [name for name in ("venv", "ensurepip") if name not in found.modules]
    if missing:
        package = f"python{found.version[0]}.{found.version[1]}-venv"
        raise InstallError(
            f"{found.executable} cannot make virtual environments: it lacks {' and '.join(missing)}.",
            f"On Debian and Ubuntu: sudo apt install {package}. Elsewhere, name a complete Python with --python PATH.",
        )
    return found
