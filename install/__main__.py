"""Starts the installer where Python is new enough, and says so where it is not. Any Python can read this file."""

import sys

if sys.version_info < (3, 9):  # noqa: UP036  (it may be started with any)
    sys.exit(
        "error: this is Python {}.{}, and the installer needs 3.9 or newer.\n"
        "Start it with a newer one: python3.11 install".format(*sys.version_info[:2])
    )

from program import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
