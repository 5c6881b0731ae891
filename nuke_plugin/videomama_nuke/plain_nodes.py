"""Plain nodes in place of a VideoMaMa node: scripts survive without the plug-in. Main thread only."""

from __future__ import annotations

from collections.abc import Sequence

import nuke
from videomama_client.errors import BadInput

from videomama_nuke import knobs, precomp, record, result


def bake(node: nuke.Node) -> nuke.Node:
    """Make a Read of the alphas and a Copy, connect what hung on the node to the copy, and return it.

    The files stay where they are: "Clear this node" would remove them.

    Raises:
        BadInput: the node was not refined, or it is inside a Precomp.
    """
    last = record.read(node)
    if last is None or not node["refined"].value():
        raise BadInput(f"{node.fullName()} has not been refined", "Press Refine first.")
    holder = precomp.around(node)
    if holder is not None:
        raise BadInput(
            f"{holder.fullName()} is not saved with this script, and new nodes inside it would be lost",
            f"Open {precomp.script_of(node)} and bake the node there.",
        )
    with nuke.Undo("Bake VideoMaMa"), node.parent() or nuke.root():
        dependents = [
            (child, index)
            for child in node.dependent(nuke.INPUTS | nuke.HIDDEN_INPUTS)  # stamps hide theirs
            for index in range(child.inputs())
            if child.input(index) == node
        ]
        read = _read(node)
        end = _copied(node, read, result.layers_of(last))
        for child, index in dependents:
            child.setInput(index, end)
    return end


def _read(node: nuke.Node) -> nuke.Node:
    inner = knobs.inner(node, result.READ)
    read = nuke.nodes.Read(file=inner["file"].value())
    for name in ("first", "last", "origfirst", "origlast"):
        read[name].setValue(int(inner[name].value()))
    read["origset"].setValue(True)
    read["raw"].setValue(True)
    read["on_error"].setValue(inner["on_error"].value())
    read.setXYpos(node.xpos() - 110, node.ypos())
    return read


def _copied(node: nuke.Node, read: nuke.Node, layers: Sequence[str]) -> nuke.Node:
    """Make what the node does with the alphas, and return its end; `layers` are the channels of its objects."""
    plate = colour = knobs.plate_of(node)
    main = layers[0] if layers else result.PLAIN
    if knobs.may_differ(node["premultiply"]):
        with_alpha = _copy(node, plate, read, [(main, "rgba.alpha")])
        premult = nuke.nodes.Premult(inputs=[with_alpha])
        channels = [f"rgba.{name}" for name in ("red", "green", "blue")]
        colour = _switched(node, "premultiply", plate, _copy(node, plate, premult, [(name, name) for name in channels]))
    end = _copy(node, colour, read, [(main, str(knobs.linked(node, "output").value()))])
    if layers:
        end = _copy(node, end, read, [(layer, layer) for layer in layers])
    for name in ("bypass", "disable"):
        end = _switched(node, name, end, plate)
    return end


def _switched(node: nuke.Node, name: str, off: nuke.Node, on: nuke.Node) -> nuke.Node:
    """Return what one of the node's switches chooses; where it is animated, a Switch with the same animation."""
    knob = node[name]
    if not knobs.driven(knob):
        return on if knob.value() else off
    switch = nuke.nodes.Switch(inputs=[off, on])
    switch["which"].fromScript(knob.toScript())
    switch.setXYpos(node.xpos(), node.ypos() + 120)
    return switch


def _copy(node: nuke.Node, base: nuke.Node, other: nuke.Node, channels: list[tuple[str, str]]) -> nuke.Node:
    copy = nuke.nodes.Copy(inputs=[base, other])
    for index, (source, target) in enumerate(channels):
        copy[f"from{index}"].setValue(source)
        copy[f"to{index}"].setValue(target)
    copy["bbox"].setValue("B")
    copy.setXYpos(node.xpos(), node.ypos() + 60)
    return copy
