"""Errors of the command line itself: an option that is missing, not of its form, or does not go with another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from videomama_client.errors import BadInput

EXIT_USAGE = 2  # as click's own


class WrongUse(BadInput):
    """The command line cannot be meant as it is: no file was looked at, and no server asked."""

    code = "usage"


@contextmanager
def reading_words() -> Iterator[None]:
    """Take what is wrong with words that are read meanwhile for an error of the command line."""
    try:
        yield
    except BadInput as error:
        raise WrongUse(error.message, error.hint, role=error.role, frame=error.frame) from error
