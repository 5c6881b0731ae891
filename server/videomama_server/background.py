"""Runs the server without a terminal, as services do: what it says goes to the log file, where clients look for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from videomama_client import private, surroundings

from videomama_server import config, logs

_SERVE = ("-m", "videomama_server", "serve")
_NO_WINDOW = 0x08000000  # CREATE_NO_WINDOW


def main() -> int:
    """Become the server, or on Windows wait for it; return its exit code."""
    log = config.load({}).log_file
    private.make_folder(log.parent)
    if sys.platform == "win32":
        return _wait(log)
    return _become(log)


def _become(log: Path) -> NoReturn:
    logs.divert(log)
    command = surroundings.python(*_SERVE)
    os.execve(command[0], command, surroundings.environment())  # noqa: S606  (no shell is what is wanted)


def _wait(log: Path) -> int:
    """Run it with python.exe: pythonw, which this runs in, has no streams to lend to the engine process."""
    python = Path(sys.executable).with_name("python.exe")
    with os.fdopen(private.open_log(log), "ab") as output:
        command = [str(python), surroundings.ISOLATED, *_SERVE]
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=surroundings.environment(),
            creationflags=_NO_WINDOW,
            check=False,
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
