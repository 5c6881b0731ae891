"""`python -m nuke_standin`: Nuke's terminal modes, and `dump`."""

from __future__ import annotations

import sys
from pathlib import Path

from nuke_standin import dump, terminal


def main(arguments: list[str]) -> int:
    """Run a command line; returns the exit code."""
    here = str(Path.cwd())
    if sys.path[:1] in ([here], [""]) and Path(here) != Path(__file__).parent.parent:
        del sys.path[0]  # `python -m` puts the working folder there; Nuke does not
    if arguments[:1] == ["dump"]:
        return dump.main(arguments[1:])
    return terminal.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
