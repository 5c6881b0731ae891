"""Says what in a job's plates and masks looks like a mistake, so that a person is asked before a night is lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from videomama_server.cache.memo import Facts
from videomama_server.media import color
from videomama_server.media.frames import Seen
from videomama_server.media.orientation import UPRIGHT
from videomama_server.media.sequences import format_range

_ABOVE = 2.0  # floats a little above 1 are common: filters and sums make them
_BYTES = 100.0  # from here on a largest value is likelier one of 0 to 255 than a bright one of a plate
_LISTED = 12  # colours
_EDGE = 0.95  # of each side of the frame that is subject, in a mask that may be inverted
_HOLE = 0.01  # of the frame that is not, at least
_SURE = 0.1  # of the pixels of a mask that are surely in or out, at least
_SHARE = 0.5  # of the frames that must look so


def of_masks(masks: Mapping[int, Facts]) -> list[str]:
    """Return warnings about the masks of the frames that are wanted, one for each kind."""
    return [
        doubt
        for doubt in (_turned("mask", masks), _large(masks), _coloured(masks), _inverted(masks), _not_a_mask(masks))
        if doubt
    ]


def of_plate(colorspace: str, first: Seen, others: Sequence[int] = ()) -> list[str]:
    """Return warnings about a job's plates.

    Args:
        colorspace: as in `MatteSettings`.
        first: what the first plate says of itself.
        others: frames whose plate would be taken for another colour space by itself.
    """
    turned = "" if first.orientation == UPRIGHT else _turned_by("plate", [first.orientation])
    mixed = _mixed(color.resolve(colorspace, first.is_float, first.declared), others) if colorspace == "auto" else ""
    return [doubt for doubt in (turned, color.doubt(colorspace, first.is_float, first.declared), mixed) if doubt]


def _mixed(taken: str, others: Sequence[int]) -> str:
    if not others:
        return ""
    return (
        f"the plates declare more than one colour space; all were taken as {taken}, as the first says, "
        f"also frames {format_range(others)}. Name the right space with --colorspace"
    )


def _turned(role: str, frames: Mapping[int, Facts]) -> str:
    found = {facts.orientation for facts in frames.values()} - {UPRIGHT}
    return _turned_by(role, found) if found else ""


def _turned_by(role: str, orientations: Iterable[int]) -> str:
    listed = ", ".join(map(str, sorted(orientations)))
    return f"the {role} was turned upright, as its orientation tag ({listed}) says; the alpha is upright too"


def _large(masks: Mapping[int, Facts]) -> str:
    large = [frame for frame, facts in masks.items() if facts.look.largest > (_ABOVE if facts.is_float else 1)]
    if not large:
        return ""
    largest = max(masks[frame].look.largest for frame in large)
    question = "are plate and mask swapped, or is it another channel?"
    if largest >= _BYTES:
        question = "if it is 0 to 255, divide it by 255 first"
    where = f"the mask has values up to {largest:g} on frames {format_range(large)}"
    return f"{where}, and those above 1 count as 1; {question}"


def _coloured(masks: Mapping[int, Facts]) -> str:
    colours = sorted({colour for facts in masks.values() for colour in facts.look.colours})
    if not colours:
        return ""
    more = f" and {len(colours) - _LISTED} more" if len(colours) > _LISTED else ""
    return (
        f"the mask has colours, and each counts as subject: {', '.join(colours[:_LISTED])}{more}; "
        "choose some of them with --mask-colour"
    )


def _inverted(masks: Mapping[int, Facts]) -> str:
    inverted = [frame for frame, facts in masks.items() if facts.look.edge >= _EDGE and facts.look.outside >= _HOLE]
    if len(inverted) <= _SHARE * len(masks):
        return ""
    return (
        f"all four edges of the frame are subject, with a hole inside, on frames {format_range(inverted)}; "
        "is the mask inverted?"
    )


def _not_a_mask(masks: Mapping[int, Facts]) -> str:
    pictures = [frame for frame, facts in masks.items() if facts.look.is_picture]
    if pictures:
        return (
            f"the mask is a colour picture on frames {format_range(pictures)}, and its red was taken; "
            "are plate and mask swapped, or is it another channel?"
        )
    grey = [frame for frame, facts in masks.items() if facts.look.sure < _SURE]
    if len(grey) <= _SHARE * len(masks):
        return ""
    return (
        f"almost no pixel of the mask is 0 or 1 on frames {format_range(grey)}; "
        "are plate and mask swapped, or is it another channel?"
    )
