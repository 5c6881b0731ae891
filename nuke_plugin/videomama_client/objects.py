"""Several objects in one job: each has a name and a mask, perhaps a chain of its own, and an EXR layer or files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from videomama_client import errors
from videomama_client.errors import BadInput
from videomama_client.prompts import Prompt
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage, begun_with, stage_of
from videomama_client.wording import counted

MOST_OBJECTS = 64  # of one job
PLACE = "{object}"  # of an output pattern: stands for the object's name, and makes files for each object
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_OF_HOSTS = frozenset({"rgba", "rgb", "alpha", "red", "green", "blue", "main"})  # that mean the main layer, or a view
_IDENTITIES = "crypto"  # layers whose names begin so are Cryptomattes
_FORM = "Write NAME=MASK or NAME=MASK:CHANNEL, such as hero=hero.####.exr or hero=roto.####.exr:hero.alpha."


@dataclass(frozen=True)
class MaskObject:
    """One of several objects: a record inside `SubmitMatte` and `PlanFrames`.

    Fields:
        name: letters, digits and `_`, a letter first; of its EXR layer, or in the names of its files.
        mask: pattern; empty where the first stage makes masks.
        mask_channel, mask_colour: as in `MatteSettings`; empty for what the job's settings say.
        absent: frames in which it is not in the picture, such as ``1010-1020``: the setting of that name of its first
            stage.
        stages: its own chain, first to last; empty for that of the job.
        mask_digests: as in `SubmitMatte`.
    """

    name: str
    mask: str
    mask_channel: str = ""
    mask_colour: str = ""
    stages: tuple[Stage, ...] = ()
    mask_digests: list[str] = field(default_factory=list)
    absent: str = ""


def read(words: str) -> MaskObject:
    """Return an object in words, such as `hero=roto.####.exr:hero.alpha`.

    A channel stands behind the last colon, a colour of the mask, such as `#800000`, too.

    Raises:
        BadInput: it has no name, or no mask.

    Example:
        >>> read("hero=roto.####.exr:hero.alpha").mask_channel
        'hero.alpha'
    """
    name, equals, mask = words.partition("=")
    if not equals:
        raise BadInput(f"--object {words!r} has no mask", _FORM)
    pattern, colon, which = mask.rpartition(":")
    if not colon or len(pattern) < 2 or not which or re.search(r"[/\\]", which):  # of a drive, or in a folder's name
        pattern, which = mask, ""
    if not name or not pattern:
        raise BadInput(f"--object {words!r} has no {'mask' if name else 'name'}", _FORM)
    if which.startswith("#"):
        return MaskObject(name, pattern, mask_colour=which)
    return MaskObject(name, pattern, mask_channel=which)


def check(objects: Sequence[MaskObject], mask: str, out: str, layer: str) -> None:
    """Raise `BadInput` for objects that cannot be together, or not with what else a job says.

    Args:
        objects: of the job; perhaps none.
        mask: of the job.
        out: its output pattern.
        layer: that it writes to.
    """
    if not objects:
        if PLACE in out:
            raise BadInput(f"{out} has {PLACE} in it, and the job has no objects", "Name them, or write another name.")
        return
    if len(objects) > MOST_OBJECTS:
        raise BadInput(f"the job has {counted(len(objects), 'object')}", f"Use {MOST_OBJECTS} objects or fewer.")
    if mask:
        raise BadInput("the job has both a mask and objects with masks of their own", "Leave one of them out.")
    if layer:
        raise BadInput(
            f"the job has objects, and the layer {layer!r} for all of them",
            "Leave the layer out: each object has a layer of its own name.",
        )
    known: dict[str, str] = {}
    for one in objects:
        check_name(one.name)
        if one.name.lower() in known:
            raise BadInput(
                f"two objects are called {known[one.name.lower()]!r} and {one.name!r}",
                "Give each a name of its own. Upper and lower case count as the same.",
            )
        known[one.name.lower()] = one.name


def check_name(name: str) -> None:
    """Raise `BadInput` for a name that an EXR layer cannot have, or that means something else to a host."""
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"{name[:80]!r} is not a valid name of an object",
            "Use up to 64 letters, digits and _, with a letter first: the name becomes an EXR layer.",
        )
    if name.lower() in _OF_HOSTS or name.lower().startswith(_IDENTITIES):
        raise BadInput(f"an object cannot be called {name!r}: hosts take that layer for another", "Use another name.")


def check_prompts(objects: Sequence[MaskObject], prompts: Sequence[Prompt]) -> None:
    """Raise `BadInput` for a prompt of a job with objects that is of none of them."""
    names = [one.name for one in objects]
    for prompt in prompts if names else ():
        if prompt.object not in names:
            raise BadInput(
                f"the {prompt.spoken} is of no object of the job, which has {', '.join(names)}",
                "Give it after --object and the name of one of them.",
                frame=prompt.frame,
            )


def check_alone(objects: Sequence[MaskObject], beside: Sequence[str]) -> None:
    """Raise `BadInput` where a job of several objects is asked for what only a job of one mask makes."""
    if objects and beside:
        raise BadInput(
            f"a job of several objects makes no {beside[0]}",
            f"Leave the {beside[0]} out, or run a job for each object. Alphas that are there are not computed again.",
        )


def check_patterns(objects: Sequence[MaskObject], outs: Sequence[tuple[str, str]]) -> None:
    """Raise `BadInput` where what is made of each object's alphas would share a file, or is of no object.

    Args:
        objects: of the job; perhaps none.
        outs: what is made beside the alphas, such as `foreground`, each with its output pattern.
    """
    for what, out in outs:
        if objects and PLACE not in out:
            raise BadInput(
                f"the {what} {out} would be the same file for all objects",
                f"Put {PLACE} into its name, such as {what}_{PLACE}.####.exr: each object has a {what} of its own.",
            )
        if not objects and PLACE in out:
            raise BadInput(
                f"the {what} {out} has {PLACE} in it, and the job has no objects", "Name them, or write another name."
            )


def stage_counts(objects: Sequence[MaskObject], then: Sequence[Stage]) -> dict[str, int]:
    """Return how many stages each object has, by name; those of a job of one mask without a name."""
    count = 1 + len(then)
    return {one.name: len(one.stages) or count for one in objects} or {"": count}


def label(name: str) -> str:
    """Return what a person knows an object by, such as `object hero`; empty for a job of one mask."""
    return f"object {name}" if name else ""


def called(what: str, name: str) -> str:
    """Return what a person knows something of an object by.

    Args:
        what: such as `mask`.
        name: of the object; empty for a job of one mask.

    Example:
        >>> called("mask", "hero")
        'mask of hero'
    """
    return f"{what} of {name}" if name else what


def naming(name: str) -> AbstractContextManager[None]:
    """Name an object in whatever goes wrong meanwhile; `name` is empty for a job of one mask."""
    return errors.naming(label(name), name)


def out_of(out: str, name: str) -> str:
    """Return the output pattern of one object."""
    return out.replace(PLACE, name)


def outs_of(out: str, names: Sequence[str]) -> dict[str, str]:
    """Return the output pattern of each object that has files of its own, by name; else the only one, without.

    Example:
        >>> outs_of("{object}.####.exr", ["hero", "dog"])
        {'hero': 'hero.####.exr', 'dog': 'dog.####.exr'}
    """
    return {name: out_of(out, name) for name in names} if PLACE in out else {"": out}


def settings_of(job: MatteSettings, one: MaskObject) -> MatteSettings:
    """Return the settings of an object's first stage: those of the job, and what the object says itself."""
    own = replace(
        job, mask_channel=one.mask_channel or job.mask_channel, mask_colour=one.mask_colour or job.mask_colour
    )
    own = begun_with(own, one.stages[0]) if one.stages else own
    return own.with_options(absent=one.absent) if one.absent else own


def then_of(then: tuple[Stage, ...], one: MaskObject) -> tuple[Stage, ...]:
    """Return the stages after an object's first; `then` are those of the job."""
    return one.stages[1:] if one.stages else then


def behind_maker(
    maker: Stage,
    settings: MatteSettings,
    then: tuple[Stage, ...],
    objects: Sequence[MaskObject],
    prompts: Sequence[Prompt],
) -> tuple[MatteSettings, tuple[Stage, ...], tuple[MaskObject, ...]]:
    """Return settings, further stages and objects of a job that begins with an engine that makes masks.

    An object with a mask and without prompts needs no maker: its own chain begins with the engine after it.

    Args:
        maker: the stage that makes the masks.
        settings: of the engine that refines them; `then` are the stages after it.
        objects: of the job; perhaps none.
        prompts: of the job.
    """
    chain = (stage_of(settings), *then)
    told = {prompt.object for prompt in prompts}
    apart = (
        replace(one, stages=chain) if one.mask and not one.stages and one.name not in told else one for one in objects
    )
    return begun_with(settings, maker), chain, tuple(apart)
