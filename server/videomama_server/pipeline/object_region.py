"""Finds the one region of a job of several objects, in which each of them is worked on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from videomama_server.engines.base import RegionRule
from videomama_server.media.geometry import Rect
from videomama_server.pipeline import region as regions
from videomama_server.pipeline.survey import Look, Survey, all_empty, surveyed


def surveyed_together(looks: Sequence[Look]) -> list[Survey]:
    """Return the surveys of a job's objects, which share one region; an object alone keeps its own.

    Raises:
        BadInput: the masks of all objects are empty. One that is out of the picture has alpha 0.
        BadInput, OutOfMemory: an engine cannot do it with these settings.
    """
    if all(look.shows_nothing for look in looks):
        raise all_empty(looks[0].planned.frames, looks[0].order.request.settings)
    if len(looks) == 1:
        return [surveyed(looks[0], looks[0].region)]
    return [_surveyed(look, region) for look, region in zip(looks, common(looks), strict=True)]


def common(looks: Sequence[Look]) -> list[Rect | None]:
    """Return the region for each of several objects: one that holds what each of them would have alone.

    It is None, each frame's whole canvas, for all where it is for one of them. An engine that works on whole plates has
    its own, and so has an object whose masks are made first: they are not known yet.
    """
    rules, apart = [_rule(look) for look in looks], [_stays_apart(look) for look in looks]
    canvas = reduce(Rect.union, (look.seen.canvas for look in looks))
    shared = [(look, rule) for look, rule, alone in zip(looks, rules, apart, strict=True) if not alone]
    found = [look.region for look, _ in shared if not _has_no_region(look)]
    region = regions.around_all(found, canvas, [rule for _, rule in shared]) if found else canvas
    return [
        look.region if alone else canvas if region is None and rule.fixed else region
        for look, rule, alone in zip(looks, rules, apart, strict=True)
    ]


def _surveyed(look: Look, region: Rect | None) -> Survey:
    with look.order.named():
        return surveyed(look, region)


def _stays_apart(look: Look) -> bool:
    return look.order.makes_masks or _rule(look).whole


def _rule(look: Look) -> RegionRule:
    return look.order.engine.rule(look.choice.settings)


def _has_no_region(look: Look) -> bool:
    """Whether a region was to be found from masks that hold nothing."""
    return look.shows_nothing and look.choice.settings.roi == regions.AUTO
