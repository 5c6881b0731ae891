"""A look at how a node is, in two halves: what Nuke says, on the main thread, and what lies on disk, in any thread."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import nuke

from videomama_nuke import frames, freshness, order, record, result, slices, walk
from videomama_nuke.upstream import Upstream, compare


@dataclass(frozen=True)
class OnDisk:
    """What a look found on disk: everything upstream with its files, and the frames whose alphas are there."""

    above: Upstream
    there: frozenset[int]


@dataclass(frozen=True)
class Look:
    """What Nuke says of a node that was refined.

    Attributes:
        then: what was upstream at the refine; None where its record does not say.
        above: what is upstream now, without a look at files.
        clip: the plate's range; `project` is the project's, which is that of a plate without one of its own.
        wanted: the frames of the range knob.
        places: where Nuke looks for the alphas.
        changes: settings that have changed.
        flags: what quality control flagged.
    """

    then: Upstream | None
    above: Upstream
    clip: tuple[int, int]
    project: tuple[float, float]
    wanted: tuple[int, ...]
    places: tuple[Path, ...]
    changes: tuple[str, ...]
    flags: str

    def at_disk(self) -> OnDisk:
        """Look at the files. Asks Nuke for nothing."""
        return OnDisk(self.above.with_files(), result.there(self.places))

    def remembered(self, known: tuple[Look, OnDisk] | None) -> OnDisk:
        """Return what an earlier look found where it was at the same files, else look."""
        if known is None or (known[0].above.sources, known[0].places) != (self.above.sources, self.places):
            return self.at_disk()
        return OnDisk(replace(self.above, sources=known[1].above.sources), known[1].there)

    def text(self, found: OnDisk) -> str:
        """Return in a few words how the node is. Asks Nuke for nothing."""
        verdict = compare(self.then, found.above)
        changes = [*self.changes, *(["plate or mask"] if verdict.changed else [])]
        if changes:
            return f"stale: {', '.join(changes)} changed"
        doubt = f"; not checked: {freshness.named(verdict.unchecked)}" if verdict.unchecked else ""
        absent = [frame for frame in self.wanted if frame not in found.there or not verdict.holds(frame)]
        if absent:
            return f"{frames.text(absent)} not refined{doubt}"
        return f"refined {frames.text(self.wanted)}" + doubt + (f"; QC: {self.flags}" if self.flags else "")


def was_refined(node: nuke.Node) -> bool:
    """Whether a node says that it was refined, whatever its record has. Main thread only."""
    return bool(node["refined"].value())


def begin(node: nuke.Node, flags: str) -> Look | None:
    """Ask Nuke how a node is; None for one that was not refined. Main thread only.

    Raises:
        BadInput: its settings or its range cannot be used.
    """
    return slices.finish(steps(node, flags))


def steps(node: nuke.Node, flags: str, known: Look | None = None) -> slices.Steps[Look | None]:
    """Do the same in pieces: a large comp has many nodes above.

    Args:
        node: a VideoMaMa node.
        flags: what quality control flagged.
        known: an earlier look: Nuke is not asked again for what cannot have changed since.

    Raises:
        BadInput: its settings or its range cannot be used.
    """
    last = record.read(node)
    if last is None or not was_refined(node):
        return None
    changes = tuple(freshness.settings_changed(node, last))
    yield
    above = yield from walk.steps(node)
    yield
    root = nuke.root()
    project = root["first_frame"].value(), root["last_frame"].value()
    clip = _same_clip(known, above, project) or order.clip_of(node)
    yield
    return Look(
        then=last.upstream,
        above=above,
        clip=clip,
        project=project,
        wanted=tuple(order.wanted_of(node, clip)),
        places=result.places(result.pattern_of(node)),
        changes=changes,
        flags=flags,
    )


def _same_clip(known: Look | None, above: Upstream, project: tuple[float, float]) -> tuple[int, int] | None:
    """Return the plate's range of an earlier look where it is certainly the same: Nuke needs long to tell it."""
    same = known is not None and not above.unchecked and (known.above, known.project) == (above, project)
    return known.clip if known is not None and same else None
