"""The one error that an install verb shows to a person: what went wrong and what to do about it."""

from __future__ import annotations


class InstallError(Exception):
    """A failure that is told in `message`, with `hint` saying what the person can do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
