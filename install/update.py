"""The verb `update`: ends the old server, and brings environment and plug-in to the version of the files."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import check
import nuke_home
import nuke_setup
import server_setup
from environment import Environment
from failure import InstallError
from job import Job, defaults
from prepare import prepare
from stamp import read_stamp

_GIT_S = 600.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "version",
        nargs="?",
        help="a tag, branch or commit of the git checkout to go to, also back; by default the files",
    )
    parser.add_argument("--home", metavar="DIR", type=Path, help="the folder of Nuke's init.py (default: ~/.nuke)")
    server_setup.add_arguments(parser)


def run(job: Job) -> int:
    """Update, and return 0 when some engine can refine here.

    Raises:
        InstallError: the checkout cannot go to that version, or packages cannot be had.
    """
    if job.options.version:
        _check_out(job.root, job.options.version)
        return _with_its_own_installer(job)
    for line in stop_server(job.environment):
        print(line, flush=True)
    found = read_stamp(job.environment.stamp)
    server_setup.run(job)
    if found is not None:
        prepare(job.request(*found.extras))
    if has_block(job.options.home):
        options = defaults(nuke_setup.add_arguments)
        options.home = job.options.home
        nuke_setup.run(options, job.environment, job.root, job.libraries)
        print("Restart every open Nuke: it keeps the plug-in that it loaded.")
    return check.run(defaults(check.add_arguments), job.environment)


def stop_server(environment: Environment) -> list[str]:
    """Stop this user's server, if one runs, and return its message. Finished frames stay cached."""
    command = environment.script("videomama")
    if not command.exists():
        return []
    done = subprocess.run(
        [str(command), "stop"], env=environment.variables(), capture_output=True, text=True, check=False
    )
    return [done.stdout.strip()] if done.returncode == 0 and done.stdout.strip() else []


def has_block(home: Path | None) -> bool:
    """Whether the plug-in is set up in a folder of Nuke's `init.py`, by default the person's own."""
    return not nuke_home.plan_removal((home or nuke_setup.default_home()).expanduser().absolute()).nothing


def _check_out(root: Path, version: str) -> None:
    """Bring the files of the checkout to a version.

    Raises:
        InstallError: it is no checkout, has changes of its own, or does not know that version.
    """
    if not (root / ".git").exists():
        raise InstallError(
            f"{root} is not a git checkout, so it cannot go to {version}.",
            "Unpack that version over the folder, then run `python install update`.",
        )
    if _git(root, "status", "--porcelain", "--untracked-files=no").stdout.strip():
        raise InstallError(f"{root} has changes of its own.", "Commit or stash them first: nothing was changed.")
    if _git(root, "remote").stdout.strip():
        _git(root, "fetch", "--quiet", "--tags")  # without a network the versions that are here still count
    done = _git(root, "checkout", "--quiet", version)
    if done.returncode != 0:
        known = ", ".join(_git(root, "tag", "--sort=-version:refname").stdout.split()[:10]) or "none"
        raise InstallError(
            f"This checkout cannot go to {version}: {done.stderr.strip().removeprefix('error: ')}",
            f"Versions that are here: {known}.",
        )
    print(f"The files are those of {version}.", flush=True)


def _with_its_own_installer(job: Job) -> int:
    """Let the installer of the version that is there now do the rest."""
    words = ["--venv", str(job.environment.path)]
    words += ["--python", job.options.python] if job.options.python else []
    words += ["--home", str(job.options.home)] if job.options.home else []
    words += ["--cpu"] if job.options.cpu else []
    return subprocess.run([sys.executable, str(job.root / "install"), "update", *words], check=False).returncode


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise InstallError(f"{name} is not installed.", "Install it, or unpack the version by hand.")
    return found


def _git(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [_program("git"), "-C", str(root), *words], capture_output=True, text=True, check=False, timeout=_GIT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InstallError(f"git does not run: {error}", "Unpack the version by hand.") from error
