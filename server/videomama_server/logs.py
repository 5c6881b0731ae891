"""How the server and its engine worker log: one entry, one line, whatever the names in it hold."""

from __future__ import annotations

import logging
import re
import sys

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
