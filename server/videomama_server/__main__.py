"""Starts the `videomama` command, once this Python is free of what its caller's surroundings bring.

A Python reads PYTHON* and the system's loader reads LD_LIBRARY_PATH at the start alone, so it has to start again.
Until then only what Python has loaded already is imported: anything else may be the host's.
"""

import os
import sys

_CLEANED = "videomama_cleaned"  # a -X option: once is enough, whatever a start-up file of this Python sets again


def main() -> None:
    """Run the command in an isolated Python and without the host's variables; start again where this one is not so."""
    if not sys.flags.isolated:
        _start_again([], dict(os.environ))
    from videomama_client import surroundings

    clean = surroundings.environment()
    if clean != dict(os.environ) and _CLEANED not in sys._xoptions:
        _start_again(["-X", _CLEANED], clean)
    from videomama_server.cli import main as run

    run()


def _start_again(flags: list[str], variables: dict[str, str]) -> None:
    command = [sys.executable, "-I", *flags, "-m", "videomama_server", *sys.argv[1:]]
    if sys.platform != "win32":
        os.execve(sys.executable, command, variables)  # noqa: S606  (no shell is what is wanted)
    sys.exit(_wait(command, variables))  # there a process cannot be replaced: its caller would think that it ended


def _wait(command: list[str], variables: dict[str, str]) -> int:
    """Run the command to its end; Ctrl-C reaches it by itself, and it says what comes of that."""
    import signal
    import subprocess

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return subprocess.run(command, env=variables, check=False).returncode


if __name__ == "__main__":
    main()
