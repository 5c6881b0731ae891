"""The verb `uninstall`: takes out what the other verbs put in, and says what stays."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import nuke_setup
import service
from environment import Environment
from failure import InstallError
from job import Job
from locking import held

_STAYS = (
    "Finished alphas and weights stay where they are. To remove them, do so before this: `videomama cache clear`, and "
    "the folder that `videomama weights where` names."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--yes", action="store_true", help="do it without asking")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, change nothing")
    parser.add_argument("--home", metavar="DIR", type=Path, help="the folder of Nuke's init.py (default: ~/.nuke)")


def run(job: Job) -> int:
    """Remove the service, the plug-in's block and libraries, and the environment; return 0.

    Raises:
        InstallError: the environment is not the installer's own, or a block is damaged; what is left is said.
    """
    home = (job.options.home or nuke_setup.default_home()).expanduser().absolute()
    folder = job.environment.path
    _refuse_foreign(job.environment)
    lines = [*nuke_setup.removal_lines(home, job.root), "A service of this user would be removed."]
    if folder.exists():
        lines.append(f"{folder} would be removed.")
    print("\n".join([*lines, _STAYS]), flush=True)
    if job.options.dry_run:
        return 0
    if not job.options.yes and not _agreed():
        print("Nothing was removed.")
        return 1
    print("\n".join(nuke_setup.uninstall(home, job.root)))
    service.remove()
    if folder.exists():
        with held(job.environment.lock):
            job.environment.clear()
        shutil.rmtree(folder)
        print(f"{folder} is removed.")
    return 0


def _refuse_foreign(environment: Environment) -> None:
    """Raise when the folder was not made by this installer."""
    folder = environment.path
    if folder.exists() and not environment.lock.exists():
        raise InstallError(
            f"{folder} was not made by this installer, so it stays, and nothing was removed.",
            "Name the right folder with --venv DIR, or remove it yourself.",
        )


def _agreed() -> bool:
    if sys.stdin is None or not sys.stdin.isatty():
        raise InstallError("Nobody is there to agree.", "Run it with --yes, or with --dry-run to see what it would do.")
    try:
        return input("Remove this? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
