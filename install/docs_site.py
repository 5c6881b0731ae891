"""Builds the site of docs/: pages that open in a browser from the disk and ask nothing of the network."""

from __future__ import annotations

import subprocess
from pathlib import Path

from environment import Environment

CONFIG = Path(__file__).resolve().parent / "site" / "mkdocs.yml"
FOLDER = "site"


def build(environment: Environment, folder: Path) -> int:
    """Build the site into a folder and return the exit code; a link that leads nowhere fails it."""
    tool = str(environment.script("mkdocs"))
    variables = {**environment.variables(), "NO_MKDOCS_2_WARNING": "1"}
    command = [tool, "build", "--strict", "-f", str(CONFIG), "-d", str(folder)]
    return subprocess.run(command, env=variables, check=False).returncode
