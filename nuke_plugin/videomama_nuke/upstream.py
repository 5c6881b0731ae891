"""What a node's pixels were made from, kept so that it can be compared later, on this machine or on another one.

Nodes, wires, knobs and ranges are the same wherever a script is opened. Of files, names and sizes hold for copies too;
times count only where the path is the one that was recorded. What cannot be checked is a state of its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from videomama_nuke.files import FileSequence

EARLIER_VERSION = "all nodes, refined by an earlier version"


@dataclass(frozen=True)
class Upstream:
    """What is upstream of a node.

    Attributes:
        nodes: digest of the nodes, their wires and knobs, without paths and ranges of what reads files.
        unchecked: nodes whose pixels may change without a change of their knobs.
        shifted: whether something shifts time, so that frames of the plate are not those of the files.
        sources: the files.
        graph: digest of the same without the project's settings; empty in an earlier record.
        precomp: the Precomp around the node; empty where the open script is the node's own.
    """

    nodes: str
    unchecked: tuple[str, ...] = ()
    shifted: bool = False
    sources: tuple[FileSequence, ...] = ()
    graph: str = ""
    precomp: str = ""

    @property
    def signature(self) -> str:
        """A digest of what machines that see the files elsewhere share."""
        return self._digest([(source.name, source.first, source.last, source.sizes) for source in self.sources])

    @property
    def exact(self) -> str:
        """A digest of all of it, paths and times of files included."""
        return self._digest([asdict(source) for source in self.sources])

    def _digest(self, files: list[Any]) -> str:
        content = json.dumps([self.nodes, self.unchecked, self.shifted, files], sort_keys=True)
        return hashlib.blake2b(content.encode(), digest_size=8).hexdigest()

    def with_files(self) -> Upstream:
        """Look at the files. Asks Nuke for nothing, so that any thread may call it."""
        return replace(self, sources=tuple(source.looked_at() for source in self.sources))


@dataclass(frozen=True)
class Comparison:
    """What a comparison found.

    Attributes:
        changed: whether something upstream is certainly another.
        unchecked: what could not be compared.
        first, last: the frames between which nothing has changed; None for no end.
    """

    changed: bool = False
    unchecked: tuple[str, ...] = ()
    first: int | None = None
    last: int | None = None

    def holds(self, frame: int) -> bool:
        """Whether a frame is among those of which nothing has changed."""
        return (self.first is None or frame >= self.first) and (self.last is None or frame <= self.last)


def known(kind: type, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that a dataclass has: what a later version added is left out."""
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in content.items() if name in names}


def restored(content: Mapping[str, Any]) -> Upstream:
    """Make it of what `asdict` gave, once that went through JSON."""
    sources = tuple(FileSequence(**known(FileSequence, source)) for source in content.get("sources", ()))
    unchecked = tuple(content.get("unchecked", ()))
    return Upstream(**{**known(Upstream, content), "sources": sources, "unchecked": unchecked})


def compare(then: Upstream | None, now: Upstream) -> Comparison:
    """Return what has changed since a refine; `then` is None where its record has nothing that can be compared."""
    if then is None:
        return Comparison(unchecked=(EARLIER_VERSION,))
    foreign = _other_project(then, now)
    if (then.nodes != now.nodes and not foreign) or len(then.sources) != len(now.sources):
        return Comparison(changed=True)
    renamed = len(then.unchecked) == len(now.unchecked)  # the nodes are the same, whatever they are called now
    unchecked = {*(() if renamed else then.unchecked), *now.unchecked, *foreign}
    first: int | None = None
    last: int | None = None
    for old, new in zip(then.sources, now.sources):
        if _differs(old, new, now.shifted):
            return Comparison(changed=True)
        doubt = _doubt(old, new)
        if doubt:
            unchecked.add(f"{new.node} ({doubt})")
        if old.first != new.first:
            first = max(old.first, new.first, old.first if first is None else first)
        if old.last != new.last:
            last = min(old.last, new.last, old.last if last is None else last)
    return Comparison(unchecked=tuple(sorted(unchecked)), first=first, last=last)


def _other_project(then: Upstream, now: Upstream) -> tuple[str, ...]:
    """Return what to say where only the project's settings differ, as around a Precomp; nothing where they do not."""
    holder = now.precomp or then.precomp
    if not holder or then.nodes == now.nodes or then.graph != now.graph:
        return ()
    return (f"{holder} (other project settings)",)


def _differs(old: FileSequence, new: FileSequence, shifted: bool) -> bool:
    """Whether the files of a node are certainly others."""
    if old == new:
        return False
    ranges_differ = (old.first, old.last) != (new.first, new.last)
    if old.name != new.name or (shifted and ranges_differ):
        return True
    common = old.common(new)
    if not common:
        return True
    times_count = old.path == new.path
    pairs = [(old.marks(frame), new.marks(frame)) for frame in common]
    both = [(then, now) for then, now in pairs if then is not None and now is not None]
    return any(then != now if times_count else then[0] != now[0] for then, now in both)


def _doubt(old: FileSequence, new: FileSequence) -> str:
    """Return why it cannot be checked whether the files are the same; empty where they are, or copies of them."""
    if old.path == new.path and old.sizes == new.sizes:
        return "" if old.seen else "its files cannot be seen"
    if any((old.marks(frame) is None) != (new.marks(frame) is None) for frame in old.common(new)):
        return "not all of its files can be seen"
    if old.path != new.path and (old.text != new.text or "[" in new.text):
        return "it reads another folder"
    return ""
