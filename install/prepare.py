"""Brings an environment to the state that a verb asks for with as little work as possible: none, install, rebuild."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from additions import add_again
from environment import Environment
from failure import InstallError
from interpreter import Interpreter, find, find_builder
from locking import held
from packages import install_project, pip_works, remove_damaged
from source import INDEX, Source
from stamp import read_stamp, wanted_stamp

_COMMAND = "videomama"


@dataclass(frozen=True)
class Request:
    """The project in `root` with `extras` in `environment`, made with `python` if one was named, from `source`."""

    root: Path
    environment: Environment
    extras: tuple[str, ...] = ()
    python: Optional[str] = None
    source: Source = INDEX


@dataclass(frozen=True)
class State:
    """What was found: the environment's Python, why it has to be built (or ""), whether nothing is left to do."""

    python: Optional[Interpreter]
    rebuild: str
    ready: bool


def prepare(request: Request) -> None:
    """Make `request` true, or raise InstallError before anything is written if it cannot be."""
    state = look(request)
    if state.ready:
        return
    request.source.refuse_missing(request.extras)
    if state.rebuild:
        _refuse_foreign(request.environment, state.rebuild)
        find_builder(request.python)
    with held(request.environment.lock):
        # Whoever held the lock before may have done all the work.
        state = look(request)
        if not state.ready:
            _install(request, _build(request, state))


def look(request: Request) -> State:
    """Find out what there is, changing nothing."""
    environment = request.environment
    python = environment.interpreter()
    if python is None:
        there = environment.path.is_dir() and any(item != environment.lock for item in environment.path.iterdir())
        return State(None, "it is broken" if there else "it does not exist", ready=False)
    if not python.is_new_enough:
        return State(python, f"it has Python {python.version_text}, and 3.11 is the oldest that works", ready=False)
    stamp = read_stamp(environment.stamp)
    if stamp and stamp.location != str(environment.path):
        # Scripts carry the absolute path of their Python: those of a moved or copied environment run the old one.
        return State(python, f"it was made for {stamp.location}", ready=False)
    if request.python and not _is_made_with(python, find(request.python)):
        return State(python, f"it was not made with {request.python}", ready=False)
    if not stamp and not pip_works(environment):
        return State(python, "its pip is broken", ready=False)
    wanted = wanted_stamp(request.root, environment, python, request.extras)
    ready = stamp is not None and stamp.covers(wanted) and environment.script(_COMMAND).exists()
    return State(python, "", ready)


def _is_made_with(python: Interpreter, base: Interpreter) -> bool:
    return python.version == base.version and python.base_prefix == base.base_prefix


def _refuse_foreign(environment: Environment, reason: str) -> None:
    """Raise when building would delete a folder that the installer did not make."""
    folder = environment.path
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not environment.lock.exists()):
        raise InstallError(
            f"{folder} cannot be used: {reason}, and it was not made by this installer.",
            "Remove it if nobody needs it, or choose another folder with --venv DIR.",
        )


def _build(request: Request, state: State) -> Interpreter:
    if state.python and not state.rebuild:
        return state.python
    builder = find_builder(request.python)
    print(f"Making {request.environment.path} with Python {builder.version_text} ({state.rebuild}).", flush=True)
    return request.environment.build(builder)


def _install(request: Request, python: Interpreter) -> None:
    environment = request.environment
    bare = read_stamp(environment.stamp) is None  # just made, or an install died that may have just made it
    # First of all, so that an install that dies from here on is known to be unfinished.
    environment.stamp.unlink(missing_ok=True)
    for folder in python.site_packages:
        damaged = remove_damaged(Path(folder))
        if damaged:
            print(f"Left by an interrupted install, to be installed again: {', '.join(damaged)}.", flush=True)
    extras = f" and packages for {', '.join(request.extras)}" if request.extras else ""
    print(f"Installing VideoMaMa{extras} into {environment.path}; the first time takes minutes.", flush=True)
    begun = time.monotonic()
    install_project(request.root, environment, request.extras, request.source)
    if bare:
        add_again(request.root, environment, request.source)
    wanted_stamp(request.root, environment, python, request.extras).write(environment.stamp)
    print(f"Installed in {time.monotonic() - begun:.1f} s.", flush=True)
