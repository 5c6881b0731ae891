"""Whether the alphas of a refine still fit a node: its settings, and what is upstream of it. Main thread only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import nuke
from videomama_client.engine_settings import own_specs
from videomama_client.settings import MatteSettings

from videomama_nuke import knobs, paths, prompt_knobs, record, stage_knobs
from videomama_nuke.record import Record
from videomama_nuke.upstream import Comparison, Upstream, compare

_NAMED = 3
_NEW_SETTINGS = MatteSettings().plain()
_OWN_SPECS = own_specs()
_SAID = {
    "maker": "mask maker",
    "prompts": "prompts",
    "objects": "object masks",
    "absent": "absent frames",
}  # of what a record has of subjects


@dataclass(frozen=True)
class Freshness:
    """What was found.

    Attributes:
        changes: what has certainly changed, in words; empty where the alphas may still fit.
        upstream: what the comparison of everything upstream found.
    """

    changes: tuple[str, ...]
    upstream: Comparison

    @property
    def unchecked(self) -> tuple[str, ...]:
        """What cannot be checked."""
        return self.upstream.unchecked

    @property
    def some_frames(self) -> bool:
        """Whether only some frames' plate and mask are those of the refine."""
        return self.upstream.first is not None or self.upstream.last is not None

    def holds(self, frame: int) -> bool:
        """Whether a frame's plate and mask are those of the refine, though the range of a Read may have changed."""
        return self.upstream.holds(frame)


def compare_node(node: nuke.Node, last: Record, above: Upstream) -> Freshness:
    """Compare a node with its record, and what is upstream of it now with what was.

    Raises:
        BadInput: a setting of the node cannot be used.
    """
    verdict = compare(last.upstream, above)
    changes = [*settings_changed(node, last), *(["plate or mask"] if verdict.changed else [])]
    return Freshness(tuple(changes), verdict)


def named(nodes: Sequence[str]) -> str:
    """Name some nodes, and say how many more there are."""
    more = [f"{len(nodes) - _NAMED} more"] if len(nodes) > _NAMED else []
    return ", ".join([*nodes[:_NAMED], *more])


def settings_changed(node: nuke.Node, last: Record) -> list[str]:
    """Return which settings are others; one that the record does not know yet had its default."""
    first = knobs.settings_of(node)
    now, then = record.kept(first), last.settings
    mine, theirs = now.pop(record.OPTIONS), then.get(record.OPTIONS, {})
    changed = [name for name, value in now.items() if value != then.get(name, _NEW_SETTINGS.get(name))]
    if "engine" not in changed:  # another engine has other options
        changed += [name for name, value in mine.items() if not _same(name, value, theirs)]
    changes = [name.replace("_", " ") for name in changed]
    if knobs.mask_channel_of(node) != last.mask_channel:
        changes.append("mask channel")
    told = prompt_knobs.read(node).kept
    changes += [_SAID[name] for name in _SAID if (told.get(name) or None) != (last.subject.get(name) or None)]
    return changes + _stages_changed(record.kept_stages(stage_knobs.stages_of(node, first)), last.then)


def _stages_changed(now: list[dict[str, Any]], then: list[dict[str, Any]]) -> list[str]:
    """Return which of the stages after the first are others; of the edge and the adjustments, which settings."""
    before, mine = _apart(now, (stage_knobs.ADJUST,))
    before_then, theirs = _apart(then, (stage_knobs.ADJUST,))
    before, edge = _apart(before, stage_knobs.EDGE_ENGINES)
    before_then, edge_then = _apart(before_then, stage_knobs.EDGE_ENGINES)
    changes = [] if before == before_then else ["further stages"]
    if edge.get("engine") != edge_then.get("engine"):
        changes.append("edge refiner")
    else:
        changes += _options_changed(edge, edge_then, sorted({*edge.get("options", ()), *edge_then.get("options", ())}))
    return changes + _options_changed(mine, theirs, stage_knobs.NAMES)


def _options_changed(now: dict[str, Any], then: dict[str, Any], names: Sequence[str]) -> list[str]:
    """Return which options of one stage are others, such as `adjust grow`; a stage that is not there has none."""
    engine = now.get("engine") or then.get("engine")
    mine, theirs = now.get("options", {}), then.get("options", {})
    return [f"{engine} {name.replace('_', ' ')}" for name in names if mine.get(name) != theirs.get(name)]


def _apart(stages: list[dict[str, Any]], engines: Sequence[str]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return stages without a last one that has knobs of its own, and that one; an empty one where there is none."""
    last = stages[-1] if stages else {}
    if last.get("engine") not in engines or (last["window"], last["overlap"]) != (None, None):
        return stages, {}
    return stages[:-1], last


def _same(name: str, value: object, record_has: Mapping[str, object]) -> bool:
    then = record_has.get(name, _OWN_SPECS[name].default)
    if name == "weights" and isinstance(then, str) and then:
        return value in (then, paths.mapped(then))
    return bool(value == then)
