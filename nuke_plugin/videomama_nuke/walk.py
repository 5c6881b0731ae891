"""Reads the node graph above a VideoMaMa node into an `Upstream`. Main thread only.

Nuke's own `opHashes` differ between sessions and versions and do not see files change. Nodes whose knobs do not say all
about their pixels are named: whether those change cannot be checked.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import nuke

from videomama_nuke import knobs, paths, precomp, record, slices
from videomama_nuke.files import FileSequence, numbered
from videomama_nuke.upstream import Upstream

_KNOWN = """
    Read Constant CheckerBoard2 ColorBars ColorWheel Ramp Radial Rectangle Noise Grid Dot NoOp PostageStamp Assert
    Copy Switch Dissolve Remove AddChannels Premult Unpremult Crop AdjBBox BlackOutside Reformat Merge2 ChannelMerge
    MergeExpression Keymix AddMix Difference Grade Blur Shuffle Shuffle1 Shuffle2 ShuffleCopy Invert Clamp Multiply Add
    Gamma Saturation ColorCorrect ColorLookup ColorMatrix HueCorrect HueShift Histogram Posterize Expression Keyer
    HueKeyer Dilate Erode FilterErode Defocus Sharpen Soften Median EdgeBlur EdgeDetect EdgeExtend
    DirBlurWrapper Glow2 GodRays Laplacian Matrix Emboss Transform TransformMasked CornerPin2D Position Mirror2 Tile
    Roto RotoPaint Primatte3 Keylight IBKGizmoV3 IBKColourV3 Colorspace OCIOColorSpace OCIOLogConvert OCIODisplay
    OCIOCDLTransform Log2Lin PLogLin JoinViews OneView ShuffleViews Input Output Viewer Write
"""
_TIME = """
    TimeOffset FrameHold FrameRange Retime TimeWarp TimeClip AppendClip FrameBlend TimeEcho TimeBlur NoTimeBlur
    TemporalMedian Kronos OFlow2
"""
TIME_CLASSES = frozenset(_TIME.split())
_KNOWN_CLASSES = frozenset(_KNOWN.split()) | TIME_CLASSES
_LOOKS = """
    name xpos ypos selected label icon tile_color note_font note_font_size note_font_color gl_color hide_input
    postage_stamp postage_stamp_frame cached bookmark indicators dope_sheet reload version help lock_connections
"""
_LOOK_KNOBS = frozenset(_LOOKS.split())
_RANGE_KNOBS = frozenset(("file", "proxy", "first", "last", "origfirst", "origlast", "origset"))
_BUTTONS = """
    PyScript_Knob PythonKnob PyCustom_Knob PythonCustomKnob Script_Knob Tab_Knob Text_Knob Help_Knob Obsolete_Knob
    Link_Knob
"""
_NO_VALUE = frozenset(_BUTTONS.split())
_ROOT = ("format", "colorManagement", "OCIO_config", "customOCIOConfigPath", "workingSpaceLUT", "int8Lut", "int16Lut")
_OWN = ("output", "premultiply", "bypass", "disable", "refined")
_SURE_COMMANDS = frozenset(("value", "exists", "expression", "frame", "knob", "file", "lindex", "split", "join"))
_PROJECT = re.compile(r"\broot\.(?!width\b|height\b|format\b|proxy)")  # compared by their own knobs, or proxy-sized
_COMMAND = re.compile(r"\[\s*(\w*)")


def read(node: nuke.Node) -> Upstream:
    """Return what is upstream of a VideoMaMa node. Main thread only."""
    return tree(node).with_files()


def tree(node: nuke.Node) -> Upstream:
    """Return what is upstream of a VideoMaMa node, without a look at any file. Main thread only."""
    return slices.finish(steps(node))


def steps(node: nuke.Node) -> slices.Steps[Upstream]:
    """Do the same node by node."""
    root, holder = nuke.root(), precomp.around(node)
    project = {name: root[name].toScript() for name in _ROOT if root.knob(name) is not None}
    walk = _Walk({node.fullName(): 0}, tuple(nuke.views()))
    channel, *lines = yield from _collected(walk.lines(node))
    return Upstream(
        nodes=_digest([channel, project, *lines]),
        unchecked=tuple(sorted(walk.unchecked)),
        shifted=walk.shifted,
        sources=tuple(walk.sources),
        graph=_digest([channel, *lines]),
        precomp="" if holder is None else holder.fullName(),
    )


def above(node: nuke.Node) -> list[nuke.Node | None]:
    """Return what a picture is made from: inputs, the end of what a group holds, what an Input stands for."""
    if precomp.written(node) is not None:
        return []
    found = [node.input(index) for index in range(node.inputs())]
    if node.Class() == "Input" and node.parent() not in (None, nuke.root()):
        found.append(node.parent().input(int(node["number"].value())))
    if _is_group(node) and not knobs.is_ours(node):
        found.append(precomp.end_of(node))
    return found


@dataclass
class _Walk:
    """A walk up from a node's inputs; `numbers` are those of the nodes seen, `views` the project's."""

    numbers: dict[str, int]
    views: tuple[str, ...]
    unchecked: set[str] = field(default_factory=set)
    shifted: bool = False
    sources: list[FileSequence] = field(default_factory=list)

    def lines(self, node: nuke.Node) -> Iterator[object]:
        """Yield all that is compared between machines, but the project's settings."""
        yield knobs.mask_channel_of(node), list(self.views)
        pending = [node.input(index) for index in (0, 1)]
        while pending:
            found = _behind_dots(pending.pop())
            if found is None or found.fullName() in self.numbers:
                yield None if found is None else self.numbers[found.fullName()]
                continue
            self.numbers[found.fullName()] = len(self.numbers)
            yield found.Class(), self._values(found)
            yield list(self._driving(found))
            pending.extend(above(found))

    def _values(self, node: nuke.Node) -> dict[str, str]:
        """Return what was set on a node, by knob, and note what it reads and what cannot be checked of it."""
        if knobs.is_ours(node):
            return _own_values(node)
        if node.Class() not in _KNOWN_CLASSES and not _is_group(node):
            self.unchecked.add(node.fullName())
        self.shifted = self.shifted or node.Class() in TIME_CLASSES or _shifts(node)
        self.sources += _sources(node, self.views)
        reads = node.knob("file") is not None
        return {
            name: self._value(node, knob)
            for name, knob in node.knobs().items()
            if name not in _LOOK_KNOBS and not (reads and name in _RANGE_KNOBS) and _counts(knob)
        }

    def _value(self, node: nuke.Node, knob: nuke.Knob) -> str:
        """Return a knob as a script has it; where it has Tcl or names the project, what it stands for as well."""
        text, asks = knob.toScript(), hasattr(knob, "getValueAt")
        if "[" not in text:
            return f"{text} = {knob.getValueAt(1)}" if asks and _PROJECT.search(text) else text
        if not set(_COMMAND.findall(text)) <= _SURE_COMMANDS:
            self.unchecked.add(node.fullName())
        if asks:
            return f"{text} = {knob.getValueAt(1)}"
        self.unchecked.add(node.fullName())
        return text

    def _driving(self, node: nuke.Node) -> Iterator[object]:
        """Yield the knobs of the nodes that a node's expressions name."""
        if knobs.is_ours(node):
            return
        for driver in sorted(node.dependencies(nuke.EXPRESSIONS), key=lambda one: one.fullName()):
            yield [driver[name].toScript() for name in ("first", "last") if driver.knob(name) is not None]
            if driver.fullName() not in self.numbers and driver.Class() != "Root":
                self.numbers[driver.fullName()] = len(self.numbers)
                yield driver.Class(), self._values(driver)


def _collected(lines: Iterator[object]) -> slices.Steps[list[object]]:
    found = []
    for line in lines:
        found.append(line)
        yield
    return found


def _digest(lines: list[object]) -> str:
    hasher = hashlib.blake2b(digest_size=8)
    for line in lines:
        hasher.update(json.dumps(line, sort_keys=True, default=str).encode())
    return hasher.hexdigest()


def _own_values(node: nuke.Node) -> dict[str, str]:
    """Return what another VideoMaMa node's pixels depend on, beside its plate."""
    last = record.read(node)
    outline = [] if last is None else [str(last.outline[name]) for name in knobs.OUTLINE if name in last.outline]
    shown = "" if last is None else " ".join([last.key, last.engine, last.roi, *outline])
    return {"shown": shown, **{name: knobs.linked(node, name).toScript() for name in _OWN}}


def _counts(knob: nuke.Knob) -> bool:
    """Whether a knob has a value of its own that is not the default."""
    return knob.Class() not in _NO_VALUE and knobs.may_differ(knob)


def _behind_dots(node: nuke.Node | None) -> nuke.Node | None:
    """Return the node that a wire comes from: a Dot is a bend in it."""
    while node is not None and node.Class() == "Dot":
        node = node.input(0)
    return node


def _is_group(node: nuke.Node) -> bool:
    return hasattr(node, "output") and hasattr(node, "nodes")


def _shifts(node: nuke.Node) -> bool:
    """Whether a Read shows other frames than it is asked for."""
    knob = node.knob("frame")
    return node.Class() == "Read" and knob is not None and bool(str(knob.value()).strip())


def _sources(node: nuke.Node, views: Iterable[str]) -> list[FileSequence]:
    """Return the files that a node reads, once for each view that has files of its own."""
    rendered = precomp.written(node)
    if rendered is None and (node.Class() == "Write" or _is_group(node)):
        return []
    reader = rendered or node
    knob = reader.knob("file")
    text = "" if knob is None else str(knob.value() or "")
    if knob is None or not text:
        return []
    found = {}
    for view in views:
        path = paths.opened(knob, view)
        first, last = _frames(reader) if numbered(path) else (0, 0)
        found[path] = FileSequence(node.fullName(), text, path, first, last)
    return list(found.values())


def _frames(node: nuke.Node) -> tuple[int, int]:
    """Return the range of a node that reads files."""
    ends, limit = [node.knob(name) for name in ("first", "last")], node.knob("use_limit")
    if None in ends or (limit is not None and not limit.value()):
        ends = [nuke.root()[name] for name in ("first_frame", "last_frame")]
    first, last = (int(knob.value()) for knob in ends if knob is not None)
    return first, max(first, last)
