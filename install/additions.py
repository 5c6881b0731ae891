"""The packages that a person added to the environment, such as a studio's engine: kept in a list, installed again."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from environment import Environment
from failure import InstallError
from packages import install_pinned
from source import INDEX, Source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb `engine` takes."""
    help_text = "a folder, a wheel, or a name for pip; without one, what was added is shown"
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help=help_text)


def added(environment: Environment) -> list[str]:
    """Return what was added, as pip takes it."""
    try:
        return environment.additions.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def add(packages: Sequence[str], root: Path, environment: Environment, source: Source = INDEX) -> None:
    """Install packages and put them into the list.

    Raises:
        InstallError: pip fails; the list is as it was.
    """
    lasting = [str(Path(package).resolve()) if Path(package).exists() else package for package in packages]
    install_pinned(lasting, root, environment, source)
    listed = dict.fromkeys([*added(environment), *lasting])
    environment.additions.write_text("".join(f"{package}\n" for package in listed), encoding="utf-8")


def add_again(root: Path, environment: Environment, source: Source = INDEX) -> None:
    """Install what was added to an environment that was just made; one that fails is named and skipped."""
    for package in added(environment):
        if reason := _failure(package, root, environment, source):
            print(f"{package} was there before and could not be installed again: {reason}", flush=True)
            print(f"Run `python install engine {package}`, or delete its line in {environment.additions}.", flush=True)


def _failure(package: str, root: Path, environment: Environment, source: Source) -> str:
    try:
        install_pinned([package], root, environment, source)
    except InstallError as error:
        return error.message
    return ""
