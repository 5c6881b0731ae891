"""Asks other programs, within a time limit: what may crash or hang must not take its caller along."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from videomama_client import surroundings
from videomama_client.errors import VideoMaMaError

_LONGEST = 300  # characters of another program's words in one line


class NoAnswer(VideoMaMaError):
    """A program did not start, took too long, or ended without saying what it was asked for."""


@dataclass(frozen=True)
class Answer:
    """What a program said, and its exit code."""

    code: int
    out: str
    err: str


def ask(command: Sequence[str], seconds: float) -> Answer:
    """Run a command to its end.

    Raises:
        NoAnswer: it does not start, or runs longer than `seconds`.
    """
    try:
        done = subprocess.run(
            command,
            env=surroundings.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except OSError as error:
        raise NoAnswer(f"{command[0]} does not start: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise NoAnswer(f"no answer within {seconds:g} s") from error
    return Answer(done.returncode, done.stdout, done.stderr)


def ask_python(words: Sequence[str], seconds: float) -> Any:
    """Run this Python with `words` and return the JSON that is the last line of its output.

    Raises:
        NoAnswer: there is none.
    """
    answer = ask(surroundings.python(*words), seconds)
    try:
        return json.loads(last_line(answer.out))
    except ValueError as error:
        said = last_line(answer.err) or f"it ended with code {answer.code}"
        raise NoAnswer(said[:_LONGEST]) from error


def last_line(text: str) -> str:
    """Return the last line that is not empty; an exception's own words are there."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
