"""Starts this program again in an isolated Python: modules on a host's PYTHONPATH come before the standard library."""

import os
import sys


def ensure_isolated(program: str) -> None:
    """Return where this Python is isolated; else run `program`, a folder or a zip, in one that is, and end with it."""
    if sys.flags.isolated:
        return
    command = [sys.executable, "-I", program, *sys.argv[1:]]
    if sys.platform != "win32":
        os.execv(sys.executable, command)  # noqa: S606  (no shell is what is wanted)
    sys.exit(_wait(command))  # there a process cannot be replaced: its caller would think that it ended


def _wait(command: "list[str]") -> int:
    import signal
    import subprocess

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the other one by itself
    return subprocess.run(command, check=False).returncode
