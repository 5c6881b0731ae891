"""The verb `service`: a server that is always there, started with the user's session by the system's own means."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import surroundings
from environment import Environment
from failure import InstallError
from service_files import LABEL, MAKERS, MARKER, TASK, Program, text_of

_UNIT = "videomama.service"
_TAKEN_ALONG = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "OCIO")
_NOT_TAKEN = ("VIDEOMAMA_COMMAND",)  # tells clients how to start a server
_COMMAND_S = 60.0


@dataclass(frozen=True)
class Means:
    """How one system is told of a service.

    Attributes:
        file: where the file belongs; None where the system keeps it itself.
        begin: commands that make it run now and at each login; FILE stands for the file.
        end: commands that stop it and take it out of the system's books.
        after: commands for once the file is gone.
    """

    file: Optional[Path]
    begin: tuple[tuple[str, ...], ...]
    end: tuple[tuple[str, ...], ...]
    after: tuple[tuple[str, ...], ...] = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's options."""
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--print", dest="service", action="store_const", const="print", help="show the file (default)")
    action.add_argument(
        "--install", dest="service", action="store_const", const="install", help="set it up for this user and start it"
    )
    action.add_argument("--remove", dest="service", action="store_const", const="remove", help="stop it, take it away")
    parser.add_argument("--for", dest="platform", choices=sorted(MAKERS), help="system to print the file of")


def run(options: argparse.Namespace, environment: Environment) -> int:
    """Do what the options say, and return the exit code."""
    action = options.service or "print"
    if action == "print":
        platform = options.platform or _platform()
        print(text_of(MAKERS[platform](program(environment, platform))), end="")
        return 0
    if options.platform not in (None, sys.platform):
        raise InstallError(
            f"A service for {options.platform} cannot be set up or removed from here.",
            f"Print it with --print --for {options.platform}, and set it up on the machine itself.",
        )
    if action == "install":
        return install(environment)
    return remove()


def install(environment: Environment) -> int:
    """Set the service up for this user, and start it."""
    platform, known = _platform(), means()
    if environment.interpreter() is None or not environment.script("videomama").exists():
        raise InstallError(
            f"There is no installation in {environment.path} that a service could run.",
            "Run `python install server` first.",
        )
    wanted = program(environment, platform)
    content = MAKERS[platform](wanted)
    if known.file is None:
        _with_temporary(content, known.begin)
    else:
        _place(known.file, content, known)
    print(f"The server is set up to start with your session ({known.file or f'task {TASK}'}).")
    _tell_of_another(environment)
    if platform == "linux":
        print("To keep it while you are logged out: loginctl enable-linger")
    if platform == "win32" and wanted.variables:
        print(f"A task has no variables of its own; set these for your user: {', '.join(sorted(wanted.variables))}.")
    return 0


def remove() -> int:
    """Stop the service and take it away; without effect where there is none."""
    known = means()
    if not is_there():
        print("There is no service to remove.")
        return 0
    if known.file is not None:
        _refuse_foreign(known.file)
    for command in known.end:
        _call(_with_file(command, known.file))  # what does not run cannot be stopped, which is no failure
    if known.file is not None:
        known.file.unlink()
    for command in known.after:
        _call(command)
    print("The service is removed. A server still starts when Nuke or `videomama matte` needs one.")
    return 0


def is_there() -> bool:
    """Whether this user has the service."""
    known = means()
    if known.file is None:
        return _call(("schtasks", "/Query", "/TN", TASK)).returncode == 0
    return known.file.exists() or known.file.is_symlink()


def _tell_of_another(environment: Environment) -> None:
    """Say so when a server that a client started is in the way: the service's own then ends at once."""
    done = _call((str(environment.script("videomama")), "status", "--json"))
    try:
        running = int(json.loads(done.stdout)["pid"])
    except (ValueError, KeyError, TypeError):
        return
    print(f"A server answers, process {running}. If it was there before, `videomama stop` and log in again.")


def program(environment: Environment, platform: str) -> Program:
    """What the service runs: the server, with its log where clients look for it, and this user's settings."""
    variables = {
        name: value
        for name, value in os.environ.items()
        if value and (name in _TAKEN_ALONG or (name.startswith("VIDEOMAMA_") and name not in _NOT_TAKEN))
    }
    # pythonw opens no window on Windows.
    python = environment.script("pythonw" if platform == "win32" else "python")
    log = str(Path.home() / "Library" / "Logs" / "videomama-service.log")
    made = Program(str(python), (surroundings.ISOLATED, "-m", "videomama_server.background"), variables, _user(), log)
    made.check()
    return made


def means() -> Means:
    """How this system is told."""
    platform = _platform()
    if platform == "linux":
        folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"
        control = ("systemctl", "--user")
        return Means(
            folder / _UNIT,
            begin=((*control, "daemon-reload"), (*control, "enable", _UNIT), (*control, "restart", _UNIT)),
            end=((*control, "disable", "--now", _UNIT),),
            after=((*control, "daemon-reload"),),
        )
    if platform == "darwin":
        domain = f"gui/{os.getuid()}"
        gone = ("launchctl", "bootout", f"{domain}/{LABEL}")
        file = Path.home() / "Library" / "LaunchAgents" / f"{LABEL}.plist"
        return Means(file, begin=(gone, ("launchctl", "bootstrap", domain, "FILE")), end=(gone,))
    return Means(
        None,
        begin=(("schtasks", "/Create", "/F", "/TN", TASK, "/XML", "FILE"), ("schtasks", "/Run", "/TN", TASK)),
        end=(("schtasks", "/End", "/TN", TASK), ("schtasks", "/Delete", "/F", "/TN", TASK)),
    )


def _platform() -> str:
    return sys.platform if sys.platform in MAKERS else "linux"


def _user() -> str:
    domain = os.environ.get("USERDOMAIN", "")
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # an id without a name
        return ""
    return f"{domain}\\{name}" if domain else name


def _place(file: Path, content: bytes, known: Means) -> None:
    """Write the file and begin; when the system refuses, all is as it was before."""
    _refuse_foreign(file)
    before = file.read_bytes() if file.exists() else None
    new_folders = [folder for folder in file.parents if not folder.exists()]
    _write(file, content)
    try:
        _begin(known.begin, file)
    except InstallError:
        if before is None:
            for command in known.end:
                _call(command)
            file.unlink()
            _drop(new_folders)
        else:
            _write(file, before)
        raise


def _drop(folders: Sequence[Path]) -> None:
    """Remove folders that were made, the deepest first, unless somebody put something there meanwhile."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _with_temporary(content: bytes, commands: Sequence[tuple[str, ...]]) -> None:
    with tempfile.TemporaryDirectory(prefix="videomama-") as folder:
        file = Path(folder) / "task.xml"
        file.write_bytes(content)
        _begin(commands, file)


def _begin(commands: Sequence[tuple[str, ...]], file: Path) -> None:
    for command in commands:
        done = _call(_with_file(command, file))
        if done.returncode != 0 and "bootout" not in command:
            said = done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}"
            raise InstallError(
                f"`{' '.join(command[:3])}` failed: {said}",
                "Nothing was set up. Run this in the session of the user whom the server is for, not over sudo or in "
                "a container; or take the file that --print shows and set it up yourself.",
            )


def _with_file(command: tuple[str, ...], file: Optional[Path]) -> tuple[str, ...]:
    return tuple(str(file) if word == "FILE" else word for word in command)


def _call(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command; one that does not start has failed like any other."""
    try:
        return subprocess.run(
            command,
            env=surroundings.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_COMMAND_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


def _refuse_foreign(file: Path) -> None:
    if file.exists() and MARKER not in text_of(file.read_bytes()):
        raise InstallError(
            f"{file} was not made by this installer, and is left as it is.", "Move it away if it is not needed."
        )


def _write(file: Path, content: bytes) -> None:
    partial = file.with_name(f".{file.name}.partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(file)
    except OSError as error:
        raise InstallError(
            f"{file} cannot be written: {error.strerror}.", "Get the permission to write there, or use --print."
        ) from error
