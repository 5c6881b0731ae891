"""Asks a person whether to go ahead."""

from __future__ import annotations

import sys

from failure import InstallError


def agreed(question: str, what: str) -> bool:
    """Ask, and return whether the answer is yes.

    Args:
        question: such as `Do this?`.
        what: would be done, such as `Uninstalling`.

    Raises:
        InstallError: nobody is there to answer.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        raise InstallError(
            f"{what} needs a yes, and there is no terminal to ask in.",
            "Run it with --yes, or with --dry-run to see what it would do.",
        )
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
