"""Puts a file under its name only when it is whole; the one place that knows how."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a hidden name beside `path`; what was written there takes the place of `path` when the block ends well.

    When it does not, what was written is removed and `path` stays as it was.
    """
    temporary = path.with_name(f".videomama-{uuid.uuid4().hex}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):  # it was never made, or its folder is the trouble
            temporary.unlink()
        raise
