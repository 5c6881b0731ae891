"""Long work of the main thread in slices, so that Nuke answers in between: a generator that yields after each piece."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Generic, TypeVar

Result = TypeVar("Result")
Steps = Generator[None, None, Result]


@dataclass(frozen=True)
class Done(Generic[Result]):
    """The end of some work, and what it returned."""

    result: Result


def advance(steps: Steps[Result], seconds: float) -> Done[Result] | None:
    """Do pieces until a time in seconds is over, one at least; return None where some are left."""
    until = time.monotonic() + seconds
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return Done(end.value)
        if time.monotonic() >= until:
            return None


def finish(steps: Steps[Result]) -> Result:
    """Do all pieces at once and return the result."""
    while True:
        done = advance(steps, float("inf"))
        if done is not None:
            return done.result
