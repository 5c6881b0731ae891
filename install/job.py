"""What a verb works with: the project, the environment, the options, and where packages come from."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from environment import Environment
from prepare import Request
from source import Source


@dataclass(frozen=True)
class Job:
    """One run of the installer.

    Attributes:
        root: the project's folder.
        passed_on: arguments that are not the installer's own.
        source: of the server's packages.
        libraries: of the plug-in's.
    """

    root: Path
    environment: Environment
    options: argparse.Namespace
    passed_on: list[str]
    source: Source
    libraries: Source

    def request(self, *extras: str) -> Request:
        """Return what is to be true of the environment: the project in it, with these extras."""
        return Request(self.root, self.environment, extras, self.options.python, self.source)


def defaults(add_arguments: Callable[[argparse.ArgumentParser], object]) -> argparse.Namespace:
    """Return the options of a verb as they are when none is given."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([])
