"""The knobs of the tab Prompts: mask maker, prompts and objects. Main thread only."""

from __future__ import annotations

from typing import cast

import nuke
from videomama_client import objects, stage_words
from videomama_client.engine_options import specs_known
from videomama_client.errors import BadInput, naming
from videomama_client.stages import Stage
from videomama_client.wording import counted

from videomama_nuke import knobs, prompt_lines
from videomama_nuke.subject import MOST_OBJECTS, Subject

NONE, OTHER = "none", "other"  # in the menu of `maker`
_OF_OTHER = ("other_maker", "makers_found")
_OF_MAKER = (
    "maker_settings",
    "object",
    "point",
    "point_is",
    "add_point",
    "prompt_box",
    "add_box",
    "prompt_words",
    "add_words",
    "add_painted",
    "prompts",
)


def read(node: nuke.Node) -> Subject:
    """Return what the knobs say of the node's subjects; what is hidden counts for nothing.

    Raises:
        BadInput: a line cannot be read, a name is not valid, or the maker has no such setting.
    """
    channels = tuple(_channel(line) for line in _lines(node, "objects"))
    maker = _maker(node)
    if maker is None:
        return _checked(Subject(channels=channels))
    lines = _text(node, "prompts")
    told, absent = prompt_lines.read(lines, knobs.plate_height(node)), prompt_lines.absent(lines)
    subject = _checked(Subject(maker, told, channels, tuple(absent.items())))
    unknown = next((name for name in absent if name and name not in subject.names), "")
    if unknown:
        raise BadInput(
            f"no prompt is of an object {unknown!r}, which is absent", "Give it a prompt, or remove the line."
        )
    if subject.names and ("" in absent or any(not one.object for one in told)):
        raise BadInput(
            "some prompts are of an object, and others are not",
            f"Begin each line with a name, such as {subject.names[0]}: add 1001:640.5,300.5.",
        )
    return subject


def channels_of(node: nuke.Node) -> tuple[str, ...]:
    """Return the channels of the mask input that are a mask of this node, each once."""
    subject = read(node)
    own = () if subject.channels and subject.maker is None else (knobs.mask_channel_of(node),)
    return tuple(dict.fromkeys([*own, *(channel for _, channel in subject.channels)]))


def show_used(node: nuke.Node) -> None:
    """Show the knobs that the chosen maker needs, and hide the others."""
    if node.knob("maker") is None:  # a group that was made of an earlier gizmo
        return
    chosen = str(node["maker"].value())
    for names, shown in ((_OF_MAKER, chosen != NONE), (_OF_OTHER, chosen == OTHER)):
        for name in names:
            node[name].setVisible(shown)


def add_point(node: nuke.Node) -> None:
    """Add a line for the point on the current frame."""
    knob = cast("nuke.XY_Knob", node["point"])
    _add(node, str(node["point_is"].value()), f"{knob.x():g},{knob.y():g}")


def add_box(node: nuke.Node) -> None:
    """Add a line for the box on the current frame; raises `BadInput` where it is empty."""
    box = cast("nuke.BBox_Knob", node["prompt_box"])
    if box.r() <= box.x() or box.t() <= box.y():
        raise BadInput("the box is empty", "Draw it in the Viewer.")
    _add(node, prompt_lines.AROUND, ",".join(f"{side():g}" for side in (box.x, box.y, box.r, box.t)))


def add_words(node: nuke.Node) -> None:
    """Add a line for the words; raises `BadInput` where there are none."""
    text = _text(node, "prompt_words").strip()
    if not text:
        raise BadInput("there are no words to add", "Write what the subject is, such as the dog.")
    _append(node, prompt_lines.line_of(prompt_lines.SAY, text, name=_name(node)))


def add_painted(node: nuke.Node) -> None:
    """Add a line that takes the mask input on the current frame as a painted frame."""
    _add(node, prompt_lines.PAINTED, "")


def _add(node: nuke.Node, word: str, value: str) -> None:
    frame = int(nuke.root()["frame"].value())
    _append(node, prompt_lines.line_of(word, value, frame, _name(node)))


def _append(node: nuke.Node, line: str) -> None:
    before = _text(node, "prompts").rstrip("\n")
    node["prompts"].setValue(f"{before}\n{line}" if before else line)


def _name(node: nuke.Node) -> str:
    """Return the name of the object that new lines are of; raises `BadInput` for one that cannot be."""
    name = _text(node, "object").strip()
    if name:
        objects.check_name(name)
    return name


def _maker(node: nuke.Node) -> Stage | None:
    chosen = _text(node, "maker") or NONE  # empty: a group that was made of an earlier gizmo
    if chosen == NONE:
        return None
    name = _text(node, "other_maker").strip() if chosen == OTHER else chosen
    if not name:
        raise BadInput(
            f"{node.fullName()}: the mask maker is set to {OTHER}, and none is named",
            "Write its name in 'other maker', or choose it in the menu beside.",
        )
    with naming(f"mask maker {name}"):
        words = stage_words.words_of(f"{name} {_text(node, 'maker_settings')}", "--maker-set")
        return stage_words.read(words, specs_known(name))


def _channel(line: str) -> tuple[str, str]:
    name, _, channel = (part.strip() for part in line.partition("="))
    if not name or not channel:
        raise BadInput(f"the object mask {line!r} has no {'channel' if name else 'name'}", "Write hero=hero.alpha.")
    return name, channel


def _checked(subject: Subject) -> Subject:
    """Return a subject whose names and prompts can be; the files of painted frames come later."""
    for name in subject.names:
        objects.check_name(name)
    if len({name.lower() for name in subject.names}) < max(len(subject.names), len(subject.channels)):
        raise BadInput("two objects have the same name", "Rename one. Upper and lower case count as the same.")
    if len(subject.names) > MOST_OBJECTS:
        raise BadInput(
            f"the node has {counted(len(subject.names), 'object')}", f"Use {MOST_OBJECTS}, and another node for more."
        )
    return subject


def _lines(node: nuke.Node, name: str) -> list[str]:
    return [line.strip() for line in _text(node, name).splitlines() if line.strip()]


def _text(node: nuke.Node, name: str) -> str:
    knob = node.knob(name)
    return "" if knob is None else str(knob.value() or "")
