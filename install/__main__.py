"""Starts the installer where Python is new enough, and says so where it is not. Any Python can read this file."""

import os
import sys

if sys.version_info < (3, 9):  # noqa: UP036  (it may be started with any)
    sys.exit(
        "error: this is Python {}.{}, and the installer needs 3.9 or newer.\n"
        "Start it with a newer one: python3.11 install".format(*sys.version_info[:2])
    )

from isolated import ensure_isolated

if __name__ == "__main__":
    ensure_isolated(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  (nothing more is imported yet)
    from program import main

    sys.exit(main(sys.argv[1:]))
