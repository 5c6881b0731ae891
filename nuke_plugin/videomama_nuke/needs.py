"""Which VideoMaMa nodes a render needs at a frame: a walk up from a Write that leaves out what does not reach it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import nuke

from videomama_nuke import knobs, precomp, record, result
from videomama_nuke.walk import TIME_CLASSES

# Each channel of their picture is made of the same channel of the input alone.
_ALONE = "Dot NoOp PostageStamp Switch Input Output Crop Reformat Write TimeOffset FrameHold"
_EACH_CHANNEL_ALONE = frozenset(_ALONE.split())
_LAYERS = {"rgb": ("rgba.red", "rgba.green", "rgba.blue"), "alpha": ("rgba.alpha",)}
_ALL = ("all",)


@dataclass(frozen=True)
class Needed:
    """A VideoMaMa node that a render needs; `retimed`: something between shifts time, so its frames are others."""

    node: nuke.Node
    retimed: bool


@dataclass(frozen=True)
class _Step:
    """A node on the way up, and what of it is needed."""

    node: nuke.Node
    retimed: bool
    channels: tuple[str, ...]


@dataclass
class Walk:
    """A walk up from a Write at a frame.

    Attributes:
        frame: of the render.
        varies: whether a switch on the way is animated, so that another frame may need other nodes.
    """

    frame: int
    varies: bool = False
    _rendered: nuke.Node | None = None
    _seen: set[tuple[str, bool, tuple[str, ...]]] = field(default_factory=set)

    def needed(self, write: nuke.Node) -> Iterator[Needed]:
        """Yield the VideoMaMa nodes whose alpha the Write's channels need."""
        self._rendered = write
        pending = [_Step(write, False, tuple(str(write["channels"].value()).split()))]
        while pending:
            step = pending.pop()
            key = (step.node.fullName(), step.retimed, step.channels)
            if key in self._seen:
                continue
            self._seen.add(key)
            shows = knobs.is_ours(step.node) and not self._on(step, "disable") and not self._on(step, "bypass")
            if shows and self._takes_alpha(step):
                yield Needed(step.node, step.retimed)
            pending.extend(self._above(step))

    def _above(self, step: _Step) -> Iterator[_Step]:
        node = step.node
        ours = knobs.is_ours(node)
        group = hasattr(node, "output") and not ours
        alone = ours or group or node.Class() in _EACH_CHANNEL_ALONE or self._on(step, "disable")
        inner = replace(
            step,
            retimed=step.retimed or (node.Class() in TIME_CLASSES and not self._on(step, "disable")),
            channels=step.channels if alone else _ALL,
        )
        for found in self._sources(step, group, ours):
            if found is not None:
                yield replace(inner, node=found)

    def _sources(self, step: _Step, group: bool, ours: bool) -> list[nuke.Node | None]:
        """Return what a node's picture is made from."""
        node = step.node
        if precomp.written(node) is not None and node != self._rendered:
            return []
        inputs = [node.input(index) for index in range(node.inputs())]
        if self._on(step, "disable") or ours:
            return inputs[:1]  # the alphas of a node of ours are files: its mask is not looked at
        if group:
            return [precomp.end_of(node)]
        if node.Class() == "Input" and node.parent() != nuke.root():
            return [node.parent().input(int(node["number"].value())), *inputs]
        if node.Class() == "Switch" and inputs and not _elsewhen(step, node["which"]):
            chosen = int(self._at(node["which"]))
            return [inputs[min(max(chosen, 0), len(inputs) - 1)]]
        return inputs

    def _takes_alpha(self, step: _Step) -> bool:
        """Whether the channels that are needed of a node of ours have anything of its alpha."""
        targets = {str(knobs.linked(step.node, "output").value()), *result.layers_of(record.read(step.node))}
        if _elsewhen(step, step.node["premultiply"]) or self._on(step, "premultiply"):
            return True
        counting = {"all", *targets, *(target.partition(".")[0] for target in targets)}
        return any(channel in counting for name in step.channels for channel in _LAYERS.get(name, (name,)))

    def _on(self, step: _Step, name: str) -> bool:
        """Whether a switch is certainly on where the render needs the node."""
        knob = step.node.knob(name)
        return knob is not None and not _elsewhen(step, knob) and bool(self._at(knob))

    def _at(self, knob: nuke.Knob) -> float:
        """Return a knob's value at the frame."""
        if not knobs.driven(knob):
            return float(knob.value())
        self.varies = True
        return float(knob.getValueAt(self.frame))


def _elsewhen(step: _Step, knob: nuke.Knob) -> bool:
    """Whether a knob is animated behind a shift in time: its value at the frame that is needed is not known."""
    return step.retimed and bool(knobs.driven(knob))
