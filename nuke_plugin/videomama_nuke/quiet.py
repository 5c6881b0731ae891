"""Sets knobs without a trace: nothing for the artist to undo, and no script that calls itself modified."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import nuke


@contextmanager
def no_undo() -> Iterator[None]:
    """Keep what is set out of the undo stack."""
    undo = nuke.Undo()
    undo.disable()
    try:
        yield
    finally:
        undo.enable()


@contextmanager
def no_trace() -> Iterator[None]:
    """Keep what is set out of the undo stack, and the script's modified flag as it is."""
    before = nuke.root().modified()
    with no_undo():
        try:
            yield
        finally:
            nuke.root().setModified(before)
