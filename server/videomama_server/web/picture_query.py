"""Reads what an address asks of pictures: which files, which frame, which view, how large."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from videomama_client.engine_settings import TrimapSettings
from videomama_client.errors import BadInput
from videomama_client.setting_spec import parsed, specs_of

from videomama_server.media.geometry import Rect
from videomama_server.qc.files import Reading
from videomama_server.web.any_names import query_of
from videomama_server.web.clip_files import ALPHA, FOREGROUND, MASK, PLATE, ROLES, Clip, Portion
from videomama_server.web.views import Wanted

SMALLEST, LARGEST = 16, 8192  # pixels of the longest side of a picture
_SIDE = 2048  # pixels, the longest side of a region
_FARTHEST = 1 << 16  # pixels from the upper left, as far as pictures reach
_MOST_FRAME = 10**15
_STOPS, _GAMMA = (-16.0, 16.0), (0.1, 10.0)
_TEXTS = ("plate_layer", "mask_channel", "alpha_channel", "view", "mask_colour")
Query = Mapping[str, str]


def clip_of(query: Query) -> Clip:
    """Return the clip that an address names: a pattern for each role, and how files are read.

    Raises:
        BadInput: a number is not one.
    """
    texts = {name: query.get(name, "") for name in _TEXTS}
    how = Reading(
        **texts,
        colorspace=query.get("colorspace") or "auto",
        exposure=number(query, "exposure", 0.0, _STOPS),
    )
    patterns = {role: query.get(role, "") for role in ROLES}
    multiplied = query.get("premultiplied") == "1"
    return Clip(**patterns, how=how, premultiplied=multiplied, other_channel=query.get("other_channel", ""))


def address_of(clip: Clip, trimap: TrimapSettings | None = None) -> str:
    """Return the query that `clip_of` reads the same clip from, and a trimap's settings; the usual is left out."""
    usual = Clip()
    said: dict[str, Any] = {role: getattr(clip, role) for role in ROLES if getattr(clip, role)}
    for known in fields(Reading):
        value = getattr(clip.how, known.name)
        if value != getattr(usual.how, known.name):
            said[known.name] = value
    if clip.premultiplied:
        said["premultiplied"] = "1"
    if clip.other_channel:
        said["other_channel"] = clip.other_channel
    for spec in specs_of(TrimapSettings) if trimap else ():
        if getattr(trimap, spec.name) != spec.default:
            said[spec.name] = getattr(trimap, spec.name)
    return query_of(said)


def wanted_of(query: Query, view: str) -> Wanted:
    """Return what an address wants to see of a clip.

    Args:
        query: its parameters: ``frame``; ``size``, the pixels of the longest side, or ``region``, as
            ``x,y,width,height`` in full pixels; ``stops``; ``gamma``; ``of``, what a trimap is made of; ``colour``,
            what comps show; and the settings of a trimap by their names.
        view: a name of `views.VIEWS`.

    Raises:
        BadInput: a value that cannot be used.
    """
    return Wanted(
        view=view,
        frame=frame_of(query),
        portion=_portion(query),
        stops=number(query, "stops", 0.0, _STOPS),
        gamma=number(query, "gamma", 1.0, _GAMMA),
        trimap=_trimap(query),
        trimap_of=_one_of(query, "of", (MASK, ALPHA)),
        comp_colour=_one_of(query, "colour", (PLATE, FOREGROUND)),
    )


def frame_of(query: Query) -> int:
    """Return the frame that an address names; raises `BadInput` where there is none."""
    return whole_number(query, "frame", None, (-_MOST_FRAME, _MOST_FRAME))


def at_of(query: Query) -> tuple[int, int]:
    """Return the pixel that an address names, as column and row; raises `BadInput` where there is none."""
    return whole_number(query, "x", None, (0, _FARTHEST)), whole_number(query, "y", None, (0, _FARTHEST))


def number(query: Query, name: str, default: float, within: tuple[float, float]) -> float:
    """Return a number of an address; raises `BadInput` for what is not one, or out of its bounds."""
    text = query.get(name, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        raise BadInput(f"{name} must be a number, not {text!r}", f"Choose {within[0]:g} to {within[1]:g}.") from None
    if not within[0] <= value <= within[1]:  # NaN, too
        raise BadInput(f"{name} {text} is out of range", f"Choose {within[0]:g} to {within[1]:g}.")
    return value


def whole_number(query: Query, name: str, default: int | None, within: tuple[int, int]) -> int:
    """Return a whole number of an address; raises `BadInput` for what is not one, is missing or out of bounds."""
    text = query.get(name, "")
    if not text and default is not None:
        return default
    try:
        value = int(text)
    except ValueError:
        raise BadInput(f"{name} must be a whole number, not {text[:40]!r}", "Open the page again.") from None
    if not within[0] <= value <= within[1]:
        raise BadInput(f"{name} is out of range", f"Choose {within[0]} to {within[1]}.")
    return value


def _portion(query: Query) -> Portion:
    text = query.get("region", "")
    if not text:
        return Portion(whole_number(query, "size", 1280, (SMALLEST, LARGEST)))
    parts = text.split(",")
    if len(parts) != 4:
        raise BadInput(f"region must be x,y,width,height, not {text[:40]!r}", "Open the page again.")
    bounds = ((0, _FARTHEST), (0, _FARTHEST), (1, _SIDE), (1, _SIDE))
    named = zip(("x", "y", "width", "height"), parts, bounds, strict=True)
    return Portion(region=Rect(*(whole_number({name: part}, name, None, within) for name, part, within in named)))


def _trimap(query: Query) -> TrimapSettings:
    given = {
        spec.name: parsed(spec, query[spec.name], spec.name)
        for spec in specs_of(TrimapSettings)
        if query.get(spec.name)
    }
    settings = TrimapSettings(**given)  # type: ignore[arg-type]  # checked by their specs
    settings.check()
    return settings


def _one_of(query: Query, name: str, known: tuple[str, ...]) -> str:
    value = query.get(name) or known[0]
    if value not in known:
        raise BadInput(f"unknown value {value[:40]!r} of {name}", f"Choose {' or '.join(known)}.")
    return value
