"""Prompts: what a person says of a subject in place of a mask per frame, as records, in words, and checked.

Places are pixels of the plate from its upper left corner, y down: whole numbers are pixels, as in `--roi`.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Optional

from videomama_client.errors import BadInput
from videomama_client.wording import choices, counted

POINT = "point"
BOX = "box"
TEXT = "text"
MASK = "mask"
KINDS = (POINT, BOX, TEXT, MASK)
MOST_PROMPTS = 10_000  # of one job
LONGEST_TEXT = 500  # characters
_ONE_OF_AN_OBJECT = (BOX, MASK, TEXT)  # on one frame
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_FRAME = re.compile(r"(-?\d{1,9}):(.+)", re.DOTALL)
_SPOKEN = {POINT: "click", BOX: "box", TEXT: "words", MASK: "key mask"}
OPTIONS = {POINT: "--click", BOX: "--box", TEXT: "--say", MASK: "--key-mask"}
"""What the command line has for each kind."""
_PLURAL = {POINT: "clicks", BOX: "boxes", TEXT: "words", MASK: "key masks"}
_CLICK_FORM = "Write FRAME:X,Y for the subject and FRAME:-X,Y for the background, such as 1001:640,300."
_BOX_FORM = "Write FRAME:X,Y,WIDTH,HEIGHT, such as 1001:10,10,400,500."


@dataclass(frozen=True)
class Prompt:
    """One thing that a person says of a subject: a record inside `SubmitMatte` and `PlanFrames`.

    Fields:
        kind: ``point``, ``box``, ``text`` or ``mask``: a painted frame, which an engine may also hold over the clip.
        frame: its number; None for a text, which is of the whole clip.
        place: x, y of a point; x, y, width, height of a box.
        subject: whether a point lies on the subject; else it lies on the background.
        text: in words, such as ``the dog``.
        file: of a mask, absolute; the settings say which of its channels is read, as for masks of a clip.
        digest: BLAKE2b of that file's bytes, where the client sends it.
        object: what the subject is called; empty for the only one of a job.
    """

    kind: str
    frame: Optional[int] = None
    place: tuple[float, ...] = ()
    subject: bool = True
    text: str = ""
    file: str = ""
    digest: str = ""
    object: str = ""

    @property
    def role(self) -> str:
        """What errors and messages call the file of a mask: `key mask`, with the object that it is of."""
        return role_of(self.object)

    @property
    def spoken(self) -> str:
        """What errors call it, such as `click 1001:-80,40 of dog`."""
        place = ",".join(f"{number:g}" for number in self.place)
        sign = "" if self.subject else "-"
        said = {TEXT: f"{self.text[:80]!r}", MASK: f"frame {self.frame}"}.get(self.kind, f"{self.frame}:{sign}{place}")
        return f"{_SPOKEN.get(self.kind, 'prompt')} {said}{_of(self.object)}"


def listed(kinds: Iterable[str]) -> str:
    """Return kinds of prompts for a person, such as `clicks, boxes`."""
    known = set(kinds)
    return ", ".join(_PLURAL[kind] for kind in KINDS if kind in known)


def role_of(name: str) -> str:
    """Return the role of the key masks of an object, which no other object has."""
    return f"{_SPOKEN[MASK]}{_of(name)}"


def objects_of(prompts: Iterable[Prompt]) -> list[str]:
    """Return the names of the objects that prompts are of, in the order in which they come first."""
    return list(dict.fromkeys(prompt.object for prompt in prompts))


def of_object(prompts: Iterable[Prompt], name: str) -> tuple[Prompt, ...]:
    """Return the prompts of one object.

    Raises:
        BadInput: there are none.
    """
    known = tuple(prompts)
    found = tuple(prompt for prompt in known if prompt.object == name)
    if not found:
        there = [other for other in objects_of(known) if other]
        hint = choices(name, there) if there else "Name it with --object before its prompts."
        raise BadInput(f"no prompt is of an object {name!r}", hint)
    return found


def frames_of(prompts: Iterable[Prompt]) -> tuple[int, ...]:
    """Return the frames that prompts stand on, ascending."""
    return tuple(sorted({prompt.frame for prompt in prompts if prompt.frame is not None}))


def check(prompts: Sequence[Prompt]) -> None:
    """Raise `BadInput` for prompts that cannot be, whatever the plate and the engine are."""
    if len(prompts) > MOST_PROMPTS:
        raise BadInput(f"the job has {counted(len(prompts), 'prompt')}", f"Give {MOST_PROMPTS} or fewer.")
    for prompt in prompts:
        _check_one(prompt)
    once = Counter((p.kind, p.frame, p.object) for p in prompts if p.kind in _ONE_OF_AN_OBJECT)
    for (kind, frame, name), count in once.items():
        if count > 1:
            where = "" if frame is None else f" on frame {frame}"
            raise BadInput(f"there are {count} {_PLURAL[kind]}{_of(name)}{where}", "Give one, or name more objects.")
    for name in objects_of(prompts):
        if all(prompt.kind == POINT and not prompt.subject for prompt in prompts if prompt.object == name):
            raise BadInput(
                f"all clicks{_of(name)} are on the background", "Click on the subject too, or give a box or a key mask."
            )


def check_kinds(prompts: Sequence[Prompt], engine: str, taken: Collection[str], has_mask: bool) -> None:
    """Raise `BadInput` for the first prompt of a kind that an engine does not take, or where it has nothing to go by.

    Args:
        prompts: of the job.
        engine: of its first stage.
        taken: the kinds that the engine takes.
        has_mask: whether the job has masks beside its prompts.
    """
    if taken and not prompts and not has_mask:
        raise BadInput(
            f"the engine {engine} makes masks from prompts, and the job has no prompt and no mask",
            f"Give one of {', '.join(OPTIONS[kind] for kind in KINDS if kind in taken)}.",
        )
    for prompt in prompts:
        if not taken:
            raise BadInput(
                f"the engine {engine} takes no prompts, and there is the {prompt.spoken}",
                "Begin with an engine that makes masks of prompts (--maker), or leave the prompts out.",
            )
        if prompt.kind not in taken:
            raise BadInput(
                f"the engine {engine} takes no {_PLURAL[prompt.kind]}, and there is the {prompt.spoken}",
                f"It takes {listed(taken)}.",
            )


def check_frames(prompts: Iterable[Prompt], clip: Collection[int], shown: str) -> None:
    """Raise `BadInput` for the first prompt on a frame that is not in the clip; `shown` is the clip in words."""
    for prompt in prompts:
        if prompt.frame is not None and prompt.frame not in clip:
            raise BadInput(
                f"the {prompt.spoken} is on frame {prompt.frame}, and the clip is {shown}",
                "Give a frame of the clip, or a longer --clip.",
                frame=prompt.frame,
            )


def check_inside(prompts: Iterable[Prompt], bounds: tuple[int, int, int, int]) -> None:
    """Raise `BadInput` for the first point outside the plate, or box that holds nothing of it.

    Args:
        prompts: all of one plate.
        bounds: x, y, width, height of the plate with its overscan, from the upper left corner of the plate itself.
    """
    x, y, width, height = bounds
    for prompt in prompts:
        across, down, *size = prompt.place or (x, y)
        wide, high = size or (0, 0)
        inside = across < x + width and down < y + height
        reaches = (across + wide > x and down + high > y) if size else (across >= x and down >= y)
        if not (inside and reaches):
            raise BadInput(
                f"the {prompt.spoken} lies outside the plate, which is {width}x{height}",
                "Give pixels from the plate's upper left corner, y down.",
                frame=prompt.frame,
            )


def read_click(text: str, name: str = "") -> Prompt:
    """Read a click such as `1001:640,300`, on the background where a `-` stands before its place: `1001:-80,40`.

    A second sign belongs to the number: `1001:+-12,40` is on the subject, in the overscan left of the plate.

    Args:
        text: as the person wrote it.
        name: of the object that it is of.

    Raises:
        BadInput: it is not of this form.
    """
    frame, rest = _framed(text, "--click", _CLICK_FORM)
    sign, rest = (rest[0], rest[1:]) if rest[0] in "+-" else ("+", rest)
    return Prompt(POINT, frame, _numbers(rest, 2, f"--click {text!r}", _CLICK_FORM), sign == "+", object=name)


def read_box(text: str, name: str = "") -> Prompt:
    """Read a box such as `1001:10,10,400,500`: x, y, width, height; arguments and errors as of `read_click`."""
    frame, rest = _framed(text, "--box", _BOX_FORM)
    return Prompt(BOX, frame, _numbers(rest, 4, f"--box {text!r}", _BOX_FORM), object=name)


def read_key_mask(text: str, name: str = "") -> Prompt:
    """Read a key mask such as `1001:roto.png`; without a frame it is left open, as the file's name may tell it."""
    found = _FRAME.fullmatch(text)
    return Prompt(MASK, int(found[1]), file=found[2], object=name) if found else Prompt(MASK, file=text, object=name)


def _check_one(prompt: Prompt) -> None:
    if prompt.kind not in KINDS:
        raise BadInput(f"unknown kind of prompt {prompt.kind!r}", choices(prompt.kind, KINDS))
    if prompt.object and not _NAME.fullmatch(prompt.object):
        raise BadInput(
            f"{prompt.object!r} cannot be the name of an object",
            "Use up to 64 letters, digits, _ and -, and begin with a letter.",
        )
    if prompt.kind == TEXT:
        if not prompt.text.strip() or len(prompt.text) > LONGEST_TEXT:
            raise BadInput(f"words of {counted(len(prompt.text), 'character')}", f"Give 1 to {LONGEST_TEXT}.")
        return
    if prompt.frame is None:
        raise BadInput(f"a {_SPOKEN[prompt.kind]} has no frame", "Write FRAME: before it, such as 1001:.")
    if prompt.kind == MASK:
        if not prompt.file:
            raise BadInput(f"the {prompt.spoken} has no file", "Name the file.", frame=prompt.frame)
        return
    wanted = 2 if prompt.kind == POINT else 4
    _check_place(prompt, wanted)


def _check_place(prompt: Prompt, wanted: int) -> None:
    form = _CLICK_FORM if prompt.kind == POINT else _BOX_FORM
    if len(prompt.place) != wanted or not all(map(math.isfinite, prompt.place)):
        raise BadInput(f"the {prompt.spoken} needs {wanted} numbers", form, frame=prompt.frame)
    if min(prompt.place[2:], default=1.0) <= 0:
        raise BadInput(f"the {prompt.spoken} is empty", form, frame=prompt.frame)


def _framed(text: str, option: str, form: str) -> tuple[int, str]:
    found = _FRAME.fullmatch(text)
    if not found:
        raise BadInput(f"{option} {text!r} names no frame", form)
    return int(found[1]), found[2]


def _numbers(text: str, count: int, written: str, form: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(word) for word in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise BadInput(f"{written} has not the {count} numbers of a place", form)
    return numbers


def _of(name: str) -> str:
    return f" of {name}" if name else ""
