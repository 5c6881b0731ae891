"""The verb `uninstall`: takes out what the other verbs put in, and says what stays."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from dataclasses import dataclass
from glob import escape
from pathlib import Path

import command_path
import nuke_setup
import service
import update
from agreement import agreed
from environment import Environment
from failure import InstallError
from job import Job
from locking import held

_STAYS = "Weights stay where they are; `videomama weights where` names their folder."
_CACHE_STAYS = "Finished alphas and the server's state stay. To remove them too, add --purge."
_WHERE = (
    "import json; from videomama_server import config; found = config.load({}); "
    "print(json.dumps([str(found.cache_dir), str(found.connection_file)]))"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--yes", action="store_true", help="do it without asking")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, change nothing")
    parser.add_argument("--purge", action="store_true", help="empty the cache and remove the server's state too")
    parser.add_argument("--home", metavar="DIR", type=Path, help="the folder of Nuke's init.py (default: ~/.nuke)")


def run(job: Job) -> int:
    """Stop the server, remove service, plug-in, program and environment, and return 0.

    Raises:
        InstallError: the environment is not the installer's own, or a block is damaged; what is left is said.
    """
    home = (job.options.home or nuke_setup.default_home()).expanduser().absolute()
    _refuse_foreign(job.environment)
    places = _places(job.environment) if job.options.purge else None
    lines = _plan(job, home, places)
    if not lines:
        print("There is nothing to remove.")
        return 0
    print("\n".join([*lines, _STAYS, *([] if job.options.purge else [_CACHE_STAYS])]), flush=True)
    if job.options.dry_run:
        return 0
    if not job.options.yes and not agreed("Remove this?", "Uninstalling"):
        print("Nothing was removed.")
        return 1
    for line in update.stop_server(job.environment):
        print(line, flush=True)
    if places is not None:
        _purge(job.environment, places)
    print("\n".join(nuke_setup.uninstall(home, job.root)))
    if service.is_there():
        service.remove()
    for file in command_path.remove():
        print(f"{file} is removed.")
    _remove(job.environment)
    return 0


@dataclass(frozen=True)
class _Places:
    """The cache folder and the connection file of this user."""

    cache: Path
    connection_file: Path

    def state(self) -> list[Path]:
        """Return the connection file, and the log, the lock and the history of jobs beside it, that are there."""
        named = self.connection_file
        history = sorted(named.parent.glob(f"{escape(named.stem)}.history.sqlite*"))  # with its journals
        return [file for file in (named, named.with_suffix(".log"), Path(f"{named}.lock"), *history) if file.exists()]


def _plan(job: Job, home: Path, places: _Places | None) -> list[str]:
    """Return what would be removed, a line for each thing; empty for nothing."""
    lines = nuke_setup.removal_lines(home, job.root)
    if service.is_there():
        lines.append("The service of this user would be removed.")
    lines += [f"{file} would be removed." for file in command_path.ours()]
    if places is not None:
        lines.append(f"All finished alphas in {places.cache} would be removed.")
        lines += [f"{file} would be removed." for file in places.state()]
    if job.environment.path.exists():
        lines.append(f"{job.environment.path} would be removed, and a running server stopped first.")
    return lines


def _places(environment: Environment) -> _Places:
    """Return where cache and state are, as the config says.

    Raises:
        InstallError: the environment cannot say.
    """
    command = [str(environment.script("python")), "-I", "-c", _WHERE]
    try:
        done = subprocess.run(command, env=environment.variables(), capture_output=True, text=True, check=True)
        cache, connection_file = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise InstallError(
            f"What --purge would remove is not known: {environment.path} does not work.",
            "Run `python install server` first, or leave --purge out and delete the folders yourself.",
        ) from error
    return _Places(Path(cache), Path(connection_file))


def _purge(environment: Environment, places: _Places) -> None:
    """Empty the cache and remove the state; the command knows which files of the folder are the cache's."""
    command = [str(environment.script("videomama")), "cache", "--cache-dir", str(places.cache), "clear"]
    if subprocess.run(command, env=environment.variables(), check=False).returncode != 0:
        raise InstallError(f"{places.cache} could not be emptied.", "See above. Nothing else was removed.")
    for file in places.state():
        file.unlink()
        print(f"{file} is removed.")


def _remove(environment: Environment) -> None:
    folder = environment.path
    if not folder.exists():
        return
    with held(environment.lock):
        environment.clear()
    shutil.rmtree(folder)
    print(f"{folder} is removed.")


def _refuse_foreign(environment: Environment) -> None:
    """Raise when the folder was not made by this installer."""
    folder = environment.path
    if folder.exists() and not environment.lock.exists():
        raise InstallError(
            f"{folder} was not made by this installer, so it stays, and nothing was removed.",
            "Name the right folder with --venv DIR, or remove it yourself.",
        )
