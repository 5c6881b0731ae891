"""The alphas that a node shows: which files they are, which are missing, and how the node is pointed at them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import cast

import nuke

from videomama_nuke import knobs, ownership, paths, record
from videomama_nuke.quiet import no_undo
from videomama_nuke.record import Record
from videomama_nuke.subject import MOST_OBJECTS

READ = "vm_result"
PLAIN = "rgba.alpha"  # of a file without layers
MAIN_ALPHA = "main_alpha"


def pattern_of(node: nuke.Node) -> str:
    """Return the pattern of the alphas that a node shows, as its knob has it."""
    return str(knobs.linked(node, "result_file").value() or "")


def places(pattern: str) -> tuple[Path, ...]:
    """Return where Nuke looks for the alphas of a pattern, one place for each view. Main thread only."""
    return tuple(Path(paths.absolute(paths.mapped(paths.of_view(pattern, view)))) for view in nuke.views())


def there(places: Iterable[Path]) -> frozenset[int]:
    """Return the frames whose alpha is on disk in every place. Asks Nuke for nothing: any thread may call it."""
    found = [_numbers(place) for place in places]
    return frozenset.intersection(*found) if found else frozenset()


def missing(pattern: str, wanted: Iterable[int]) -> list[int]:
    """Return the frames whose alpha is not on disk in every view, ascending."""
    found = there(places(pattern))
    return sorted(frame for frame in set(wanted) if frame not in found)


def show(node: nuke.Node, last: Record, clip: tuple[int, int]) -> None:
    """Point the node at the alphas of a refine. Main thread only."""
    values: dict[str, object] = {"result_file": last.out}
    values.update(dict.fromkeys(("result_first", "result_origfirst"), clip[0]))
    values.update(dict.fromkeys(("result_last", "result_origlast"), clip[1]))
    values.update(_layers(node, last))
    if record.read(node) != last:
        nuke.root().setModified(True)  # what was refined is lost where nobody saves the script
    with no_undo():
        record.write(node, last)
        for name, value in values.items():
            knob = knobs.linked(node, name)
            if knob.value() != value:
                knob.setValue(value)
        if last.roi and str(node["roi_mode"].value()) == knobs.ROI_AUTO:
            knobs.show_region(node, last.roi)
        node["refined"].setValue(True)
        reload(node)
    ownership.use(node)


def layers_of(last: Record | None) -> tuple[str, ...]:
    """Return the channels of a refine's objects, such as `hero.alpha`, in order; empty for the one plain alpha."""
    names = () if last is None else last.subject.get("names", ())
    return tuple(f"{name}.alpha" for name in names)


def _layers(node: nuke.Node, last: Record) -> dict[str, str]:
    """Return the values of the knobs that bring the layers of objects into the comp, and make layers that are new."""
    if node.knob(MAIN_ALPHA) is None:  # a group that was made of an earlier gizmo
        return {}
    channels = layers_of(last)
    for channel in channels:
        nuke.Layer(channel.partition(".")[0], [channel])
    rows = [*channels, *["none"] * (MOST_OBJECTS - len(channels))]
    values = {MAIN_ALPHA: channels[0] if channels else PLAIN}
    for index, channel in enumerate(rows):
        values.update({f"object_from{index}": channel, f"object_to{index}": channel})
    return values


def reload(node: nuke.Node) -> None:
    """Read the alphas from disk again: Nuke does not notice that a file under a known path is new."""
    cast("nuke.Script_Knob", knobs.inner(node, READ)["reload"]).execute()


def forget(node: nuke.Node) -> None:
    """Let a node forget its result. Main thread only."""
    with no_undo():  # the files are gone for good
        record.write(node, None)
        node["refined"].setValue(False)
        knobs.linked(node, "result_file").setValue("")


def _numbers(pattern: Path) -> frozenset[int]:
    """Return the frames that a `name.%04d.exr` has on disk."""
    head, found, tail = pattern.name.partition("%04d")
    if not found:
        return frozenset()
    try:
        names = [path.name for path in pattern.parent.iterdir()]
    except OSError:
        return frozenset()
    digits = [name[len(head) : -len(tail)] for name in names if name.startswith(head) and name.endswith(tail)]
    return frozenset(int(number) for number in digits if number.lstrip("-").isdigit())
