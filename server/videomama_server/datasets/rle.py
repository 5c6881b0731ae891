"""Decodes masks in COCO's run lengths, plain and compressed.

Source: `rleFrString` and `rleDecode` of COCO's maskApi.c.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from videomama_client.errors import BadInput

from videomama_server.arrays import BoolArray

_MOST_PIXELS = 16384 * 8192  # as for pictures
_FIRST, _BITS, _MORE, _SIGN = 48, 5, 0x20, 0x10  # of a letter: its code for 0, its bits, one more letter, negative
_LONGEST = 7  # letters of a number: 35 bits


def decode(found: Any) -> BoolArray:
    """Return a mask (H, W) of its runs.

    Args:
        found: as in JSON: `size`, [H, W], and `counts`, a text or a list of runs, column by column, outside first.

    Raises:
        BadInput: it is not such a mask, or its runs do not fill the picture.
    """
    try:
        height, width = (int(side) for side in found["size"])
        counts = found["counts"]
    except (TypeError, KeyError, ValueError) as error:
        raise BadInput("a mask has no size or no counts", "Copy the file again.") from error
    if not 0 < height * width <= _MOST_PIXELS or height < 0:
        raise BadInput(f"a mask says that it is {width}x{height}", "Copy the file again.")
    runs = _compressed(counts) if isinstance(counts, str) else counts
    lengths = _lengths(runs)
    if lengths.sum() != height * width:
        raise BadInput(f"the runs of a mask of {width}x{height} cover {lengths.sum()} pixels", "Copy the file again.")
    inside = np.arange(len(lengths)) % 2 == 1
    return np.ascontiguousarray(np.repeat(inside, lengths).reshape(width, height).T)


def _lengths(runs: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
    is_list = isinstance(runs, list) and all(isinstance(run, int) and 0 <= run <= _MOST_PIXELS for run in runs)
    if not is_list:
        raise BadInput("the runs of a mask are not whole numbers from 0", "Copy the file again.")
    return np.asarray(runs, np.int64)


def _compressed(text: str) -> Sequence[int]:
    """Return the runs in a text: from the fourth on, each is the difference to the one two before."""
    runs: list[int] = []
    value = place = 0
    for letter in text.encode("ascii", "replace"):
        code = letter - _FIRST
        if not 0 <= code < 2 * _MORE or place >= _LONGEST:
            raise BadInput("the runs of a mask are damaged", "Copy the file again.")
        value |= (code & (_MORE - 1)) << (_BITS * place)
        place += 1
        if code & _MORE:
            continue
        if code & _SIGN:
            value -= 1 << (_BITS * place)
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = place = 0
    if place:
        raise BadInput("the runs of a mask end in the middle of a number", "Copy the file again.")
    return runs
