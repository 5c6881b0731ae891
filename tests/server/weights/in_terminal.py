"""Runs the `videomama` command in a pseudo-terminal: in_terminal.py ANSWER OFFER WORDS...

OFFER is the repr of what is published; ANSWER is typed when a question is asked.
"""

import os
import pty
import sys

_CODE = """
import sys
from videomama_server.weights import catalogue
from videomama_server.weights.catalogue import *
catalogue.PUBLISHED = eval(sys.argv.pop(1))
from videomama_server import cli
cli.main()
"""


def main() -> int:
    """Run it, and return its exit code."""
    answer, *words = sys.argv[1:]
    typed = False
    seen = b""

    def read(fd: int) -> bytes:
        nonlocal typed, seen
        content = os.read(fd, 1 << 16)
        seen += content
        if b"[y/N]" in seen and not typed:
            typed = True
            os.write(fd, answer.encode() + b"\n")
        return content

    status = pty.spawn([sys.executable, "-c", _CODE, *words], read, lambda _: b"")
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
