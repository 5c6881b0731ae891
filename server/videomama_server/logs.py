"""How the server and its engine worker log: one entry, one line, whatever the names in it hold."""

from __future__ import annotations

import logging
import os
import re
import sys
from pathlib import Path

from videomama_client import private

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Plain(logging.Formatter):
    """Writes control characters as escapes and indents further lines, so that no name of a file forges an entry."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the entry; a traceback goes on in indented lines."""
        text = _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), super().format(record))
        return text.replace("\n", "\n    ")


def set_up(who: str) -> None:
    """Log to the standard error stream under the name of a process, `server` or `worker`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Plain(f"%(asctime)s {who} %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def divert(log: Path) -> None:
    """Have all that this process and its children say appended to a log file, which need not be there yet.

    Raises:
        OSError: it cannot be opened, or a link is in its place.
    """
    file = private.open_log(log)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.close(file)
    if sys.stderr is None:  # on Windows, a process that was started without streams
        sys.stdout = sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)
