"""Saves scripts of the current version for tests/nuke_plugin/saved; later versions must open and render all of them.

Run it once for every version that changes the gizmo or the record, and commit what it writes:

    .venv/bin/python tests/nuke_plugin/save_scripts.py tests/nuke_plugin/saved/NAME

`@FOLDER@` stands for the folder of the shot. Neither plates nor alphas are kept: the tests write their own, with the
sizes and times that the records remember.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import comps
from videomama_client import launch

COUNT = 4


def never_refined(comp: comps.Comp) -> None:
    """Leave the node as it was made."""


def refined(comp: comps.Comp) -> None:
    """Refine all frames."""
    comp.refine()


def some_frames(comp: comps.Comp) -> None:
    """Refine some frames with other settings than the defaults."""
    for name, value in (("frame_range", "custom"), ("frames", "1001-1002"), ("mask_threshold", 0.6), ("seed", 7)):
        comp.node()[name].setValue(value)
    comp.refine()


def stale(comp: comps.Comp) -> None:
    """Change a setting after the refine."""
    comp.refine()
    comp.node()["mask_grow"].setValue(3)


def chain(comp: comps.Comp) -> None:
    """Refine a node, and a second one that hangs on it."""
    comp.refine()
    second = comp.nuke.nodes.VideoMaMa(inputs=[comp.node(), comp.node("MaskRead")], name="VideoMaMa2")
    second["engine"].setValue("passthrough")
    comp.node("Write1").setInput(0, second)
    comp.refine("VideoMaMa2")


def no_signature(comp: comps.Comp) -> None:
    """Refine below an expression, of which version 1 could not tell whether it changes."""
    blur = comp.nuke.nodes.Blur(inputs=[comp.node("MaskRead")], name="Blur1")
    blur["size"].setExpression("PlateRead.first / 1000")
    comp.node().setInput(1, blur)
    comp.refine()


def changed_above(comp: comps.Comp) -> None:
    """Change a node above the mask after the refine."""
    blur = comp.nuke.nodes.Blur(inputs=[comp.node("MaskRead")], name="Blur1")
    comp.node().setInput(1, blur)
    comp.refine()
    blur["size"].setValue(5)


def not_checked(comp: comps.Comp) -> None:
    """Refine below a node whose knobs do not say all about its pixels."""
    tracker = comp.nuke.nodes.Tracker4(inputs=[comp.node("MaskRead")], name="Tracker1")
    comp.node().setInput(1, tracker)
    comp.refine()


def premultiplied_layer(comp: comps.Comp) -> None:
    """Send the alpha to a layer and multiply the colour."""
    comp.nuke.Layer("matte", ["matte.alpha"])
    comp.node()["output"].setValue("matte.alpha")
    comp.node()["premultiply"].setValue(True)
    comp.refine()


def inside_group(comp: comps.Comp) -> None:
    """Refine inside a group."""
    group = comp.nuke.nodes.Group(name="Matte1")
    with group:
        plate, mask = (comp.nuke.nodes.Input(name=name, number=number) for number, name in enumerate(("a", "b")))
        inner = comp.nuke.nodes.VideoMaMa(inputs=[plate, mask], name="VideoMaMa1")
        inner["engine"].setValue("passthrough")
        comp.nuke.nodes.Output(inputs=[inner])
    group.setInput(0, comp.node("PlateRead"))
    group.setInput(1, comp.node("MaskRead"))
    comp.node("Write1").setInput(0, group)
    comp.refine("Matte1.VideoMaMa1")


def adjusted(comp: comps.Comp) -> None:
    """Refine with adjustments, which are a stage of their own."""
    comp.node()["adjust_grow"].setValue(2)
    comp.node()["adjust_white"].setValue(0.9)
    comp.refine()


def adjusted_since(comp: comps.Comp) -> None:
    """Change an adjustment after the refine."""
    comp.refine()
    comp.node()["adjust_feather"].setValue(3)


def further_stages(comp: comps.Comp) -> None:
    """Refine with a line for each of two stages, and adjustments after them."""
    comp.node()["then"].setValue("passthrough\nadjust feather=2 window=4")
    comp.node()["adjust_grow"].setValue(-1)
    comp.refine()


def prompted(comp: comps.Comp) -> None:
    """Refine two objects that a mask maker makes of painted frames."""
    comp.node()["maker"].setValue("held")
    comp.node()["prompts"].setValue("hero: painted 1001\ndog: painted 1003")
    comp.refine()


MADE: tuple[Callable[[comps.Comp], None], ...] = (
    never_refined,
    refined,
    some_frames,
    stale,
    chain,
    no_signature,
    changed_above,
    not_checked,
    premultiplied_layer,
    inside_group,
    adjusted,
    adjusted_since,
    further_stages,
    prompted,
)


def save(make: Callable[[comps.Comp], None], target: Path) -> None:
    """Make one script and keep its text."""
    with tempfile.TemporaryDirectory(prefix="videomama-", dir="/tmp") as name:
        folder = Path(name).resolve()
        comps.write_clip(folder, COUNT)
        comps.keep_marks(folder)
        comp = comps.start(folder, gui=True)
        try:
            comp.open(comps.plain_script(folder, count=COUNT))
            make(comp)
            comp.nuke.scriptSave()
        finally:
            comps.end()
        text = comp.script.read_text(encoding="utf-8").replace(str(folder), "@FOLDER@")
        (target / f"{make.__name__}.nk").write_text(text, encoding="utf-8")


def main(target: Path) -> None:
    """Start a server and save every script."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="videomama-", dir="/tmp") as name:
        file = Path(name, "connection.json")
        os.environ["VIDEOMAMA_CONNECTION_FILE"] = str(file)
        with launch.connect(file, flags=["--cache-dir", str(Path(name, "cache"))]) as client, ExitStack() as ending:
            ending.callback(client.stop_server)
            for make in MADE:
                save(make, target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
