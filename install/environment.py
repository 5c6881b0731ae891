"""One virtual environment on disk: where its parts are, how it is made, and how it is emptied."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import surroundings
from failure import InstallError
from interpreter import Interpreter, probe


@dataclass(frozen=True)
class Environment:
    """The environment in the absolute folder `path`, which need not exist yet."""

    path: Path

    @property
    def lock(self) -> Path:
        """Held while an install works here; its presence says that this folder belongs to the installer."""
        return self.path / "videomama-install.lock"

    @property
    def stamp(self) -> Path:
        """Written when an install is finished, removed before the next one begins."""
        return self.path / "videomama-install.json"

    @property
    def additions(self) -> Path:
        """The packages that a person added, one for pip a line; kept when the environment is made again."""
        return self.path / "videomama-packages.txt"

    @property
    def log(self) -> Path:
        """All that pip said in the last install."""
        return self.path / "videomama-install.log"

    @property
    def scripts(self) -> Path:
        """The folder of the interpreter and the commands."""
        return self.path / ("Scripts" if os.name == "nt" else "bin")

    def script(self, name: str) -> Path:
        """The command `name` of this environment."""
        return self.scripts / (f"{name}.exe" if os.name == "nt" else name)

    def interpreter(self) -> Optional[Interpreter]:
        """The environment's own Python, or None when it is missing or dead."""
        found = probe(str(self.script("python")))
        # Without pyvenv.cfg the link in bin/ is the base Python: installing with it would change the system.
        if found is None or Path(found.prefix).resolve() != self.path.resolve():
            return None
        return found

    def variables(self) -> dict[str, str]:
        """The process environment of an activated shell, without what a host set for itself."""
        variables = surroundings.environment()
        variables["VIRTUAL_ENV"] = str(self.path)
        variables["PATH"] = os.pathsep.join([str(self.scripts), variables.get("PATH", os.defpath)])
        return variables

    def clear(self) -> None:
        """Remove all but the lock, which is held and on Windows could not be removed, and the list of additions."""
        for child in self.path.iterdir():
            if child in (self.lock, self.additions):
                continue
            if child.is_dir() and not child.is_symlink():
                shutil.rmtree(child)
            else:
                child.unlink()

    def build(self, builder: Interpreter) -> Interpreter:
        """Make the environment anew with `builder` and return its Python."""
        self.clear()
        made = subprocess.run(
            [builder.executable, surroundings.ISOLATED, "-m", "venv", str(self.path)],
            env=surroundings.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        found = self.interpreter()
        if made.returncode != 0 or found is None:
            raise InstallError(
                f"{builder.executable} could not make {self.path}:\n{made.stdout.strip()}",
                "Check that the folder can be written and the disk is not full, or choose another with --venv DIR.",
            )
        return found
