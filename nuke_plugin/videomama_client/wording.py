"""How messages word counts and guesses, the same on both sides."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: `1 frame`, `0 frames`, `2,000 frames`.

    Args:
        number: how many.
        noun: in the singular.
        plural: for nouns that do not take an `s`, such as `entries`.

    Example:
        >>> counted(2, "frame")
        '2 frames'
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def guess(word: str, known: Iterable[str]) -> str:
    """Return `Did you mean matte?` for a word that resembles a known one, whatever its case; else nothing."""
    by_case = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), by_case, 1)
    return f"Did you mean {by_case[near[0]]}?" if near else ""


def choices(word: str, known: Iterable[str]) -> str:
    """Return the hint for a word that is not one of the known: the closest, if one is close, and all of them."""
    names = list(known)
    return f"{guess(word, names)} There are: {', '.join(names)}.".strip()
