"""Defaults that changed between versions of the gizmo: nodes that were refined before keep the values that they had.

A script holds no knob that is at its default, so a new default would change what such a node does, and make its result
stale.
"""

from __future__ import annotations

from collections.abc import Mapping

import nuke

from videomama_nuke import knobs, record
from videomama_nuke.quiet import no_trace

CHANGED: Mapping[int, Mapping[str, object]] = {
    2: {"mask_slack": 32.0, "trimap_erode": 10.0, "trimap_dilate": 40.0},
}
"""By version of the gizmo (its knob `videomama`): knobs named as settings whose default changed in it, with the default
before. Whoever changes a default of the gizmo raises its version and adds a line here."""


def pin(node: nuke.Node) -> None:
    """Give a node that an earlier gizmo refined the defaults of then, where it has those of now."""
    last = record.read(node)
    if last is None:
        return
    later = [before for version, before in sorted(CHANGED.items(), reverse=True) if version > last.gizmo]
    refined = {**last.settings, **last.settings.get(record.OPTIONS, {})}
    for name, value in ((name, value) for before in later for name, value in before.items()):
        if not knobs.may_differ(node[name]) and refined.get(name) == value:
            with no_trace():
                node[name].setValue(value)
