"""What `matte` does: reads its flags into a job, does it, and what came of it; the batch does the same for a shot."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from videomama_client import messages, objects
from videomama_client.client import Client
from videomama_client.errors import BadInput
from videomama_client.objects import MaskObject
from videomama_client.prompts import Prompt
from videomama_client.settings import MatteSettings
from videomama_client.stage_words import read_at
from videomama_client.stages import Stage, begun_with

from videomama_server.cli.follow import follow
from videomama_server.cli.job_file import MADE_BEFORE, asked_words, differing
from videomama_server.cli.job_options import numbered_from, previewed
from videomama_server.cli.job_result import as_result, say, say_flags
from videomama_server.cli.movie_out import MOVIE_FLAGS, MoviesWanted, make_movies, making_movies, movies_wanted
from videomama_server.cli.notify import notifying
from videomama_server.cli.object_option import Words, stage_words, with_stages
from videomama_server.cli.one_mask import proposing_key_mask
from videomama_server.cli.person_option import AskedPerson, maker_words, take_person
from videomama_server.cli.prompt_options import (
    take_absent,
    take_objects,
    take_prompts,
    with_files,
)
from videomama_server.cli.removal_options import (
    Removal,
    removal_flags,
    take_removal,
)
from videomama_server.cli.settings_options import (
    settings_from,
    with_options,
)
from videomama_server.cli.then_option import take_then
from videomama_server.cli.trimap_option import beside_sheet, trimaps_of
from videomama_server.cli.usage import WrongUse, reading_words
from videomama_server.media import sequences
from videomama_server.submission import Submission, project_paths

if TYPE_CHECKING:
    from videomama_server.cli.person import Search
    from videomama_server.cli.qc import Judged, JudgedObjects


@dataclass(frozen=True)
class AskedMatte:
    """What a person asked for, before a server is asked.

    Attributes:
        order: without what needs a server or opens pictures: stages, settings by `--set`, a person.
        sought: whether a person is searched for.
        maker, maker_options: engine that makes the masks, and `NAME=VALUE` of it.
        own_options: `NAME=VALUE` of the job's engine.
        then: words of each stage after the first.
        own_stages: those of single objects.
        preview: how many frames are wanted; None for all.
        trimap: pattern of the trimaps; empty for none.
        movies: that are made of the alphas.
        notify: whether the desktop is told of the end of a long job.
        removal: hole masks and what takes them; None for none.
        qc_folder: for the pictures of quality control; None for none.
        made_before: what the file of `--job` says of how its alphas were made; empty without one.
    """

    order: Submission
    sought: AskedPerson
    maker: str
    maker_options: Sequence[str]
    own_options: Sequence[str]
    then: Sequence[list[str]]
    own_stages: Words
    preview: int | None
    trimap: str
    movies: MoviesWanted
    notify: bool
    removal: Removal | None
    qc_folder: Path | None
    made_before: Mapping[str, Any]

    def beside(self) -> dict[str, Any]:
        """Return the options of what is made of the alphas, by name."""
        made = {"trimap": self.trimap, "qc": str(self.qc_folder) if self.qc_folder else ""}
        return {
            **{name: text for name, text in made.items() if text},
            **self.movies.beside(),
            **(self.removal.beside() if self.removal else {}),
        }


@dataclass(frozen=True)
class RefinedMatte:
    """What came of a job."""

    order: Submission
    done: messages.MatteDone
    asked: AskedMatte
    person: Search | None
    judged: Judged | JudgedObjects | None

    def as_result(self) -> dict[str, Any]:
        """Return it in the words of `--json`."""
        result = as_result(self.done, self.person)
        if self.judged:
            result["qc"] = self.judged.as_dict()
        result.update({asked.kind: asked.out for asked in self.order.side_results})
        result.update({"trimap": self.asked.trimap} if self.asked.trimap else {})
        result.update({"movies": files} if (files := self.asked.movies.files()) else {})
        return {**result, **(self.asked.removal.as_result() if self.asked.removal else {})}

    def say(self) -> None:
        """Tell it in lines for people."""
        say(self.done)
        if not self.judged:
            say_flags(self.done)
        click.echo(self.order.out)
        removed = self.asked.removal.outputs() if self.asked.removal else []
        beside = (
            *self.order.side_outs().values(),
            *self.order.outs_of(self.asked.trimap).values(),
            self.asked.movies.preview,
            *removed,
        )
        for out in filter(None, beside):
            click.echo(out)
        if self.judged:
            self.judged.say(click.echo)


def asked_of(ctx: click.Context, flags: dict[str, Any]) -> AskedMatte:
    """Return what the flags of the command ask for; raises `BadInput` for what cannot be together."""
    given = take_prompts(ctx, flags)
    named = take_objects(ctx, bool(flags["object_stages"]) or objects.PLACE in (flags["out"] or ""))
    named, absent = take_absent(ctx, named)
    asked = asked_words(flags, (given, named, absent))
    sought, preview = take_person(flags), flags.pop("preview")
    maker, maker_options = sought.maker(flags.pop("maker")), flags.pop("maker_options")
    colour = _foreground(flags)
    trimap, notify = flags.pop("trimap"), flags.pop("notify")
    trimap = trimap and absolute(trimap, flags["view"])
    holes = flags["hole_masks"]
    flags["hole_masks"] = holes and absolute(holes, flags["view"])
    removing, qc_folder = {name: flags.pop(name) for name in removal_flags()}, flags.pop("qc_folder")
    own_options = (*flags.pop("own_options"), *(() if maker else absent))
    maker_options = (*maker_options, *(absent if maker else ()))
    movie_flags = {name: flags.pop(name) for name in MOVIE_FLAGS}
    then = take_then(flags)
    object_stages = flags.pop("object_stages")
    own_stages = stage_words(object_stages, named)
    _check_maker(maker, bool(own_stages), given, maker_options)
    order = replace(_submission(flags, maker, given, named), side_results=colour, asked=asked)
    removal = take_removal(removing, order.plate)
    order.check_objects(["hole masks"] if removal else [], [("trimap", trimap)] if trimap else [])
    if qc_folder:
        _check_judged(order)
    found = AskedMatte(
        order=order,
        sought=sought,
        maker=maker,
        maker_options=maker_options,
        own_options=own_options,
        then=then,
        own_stages=own_stages,
        preview=preview,
        trimap=trimap,
        movies=movies_wanted(movie_flags, order.out),
        notify=notify,
        removal=removal,
        qc_folder=qc_folder,
        made_before=ctx.meta.get(MADE_BEFORE, {}),
    )
    return replace(found, order=replace(order, beside=found.beside()))


def refined(client: Client, asked: AskedMatte) -> RefinedMatte:
    """Do what was asked for, with progress on standard error.

    Raises:
        VideoMaMaError: what went wrong; finished frames are in the cache.
    """
    order, person = asked.sought.into(asked.order)
    order = previewed(order, asked.preview)
    if asked.removal:
        asked.removal.check(order)
    control = _controlling(order, asked.qc_folder) if asked.qc_folder else None
    settings = _from_here(with_options(client, order.settings, asked.own_options))
    stages = tuple(read_at(client, words, number) for number, words in enumerate(asked.then, 3 if asked.maker else 2))
    first = maker_words(asked.maker, asked.maker_options, person)
    apart = with_stages(client, order.objects, asked.own_stages)
    order = replace(order, settings=settings, then=stages, objects=apart)
    order = _with_maker(client, order, asked.maker, first)
    trimap = asked.trimap or (beside_sheet(order, asked.qc_folder) if asked.qc_folder else "")
    with proposing_key_mask(order), notifying(asked.notify, Path(order.out).name):
        if trimap:  # first: a person who sees that they are wrong need not wait for the rest
            follow(client, trimaps_of(order, trimap))
        with making_movies(order, asked.movies) as made:
            done = follow(client, made)
            make_movies(made, asked.movies, done)
    done = replace(done, warnings=[*done.warnings, *differing(asked.made_before, done)])
    judged = control(trimap) if control else None
    if asked.removal:
        asked.removal.make(order)
    return RefinedMatte(order, done, replace(asked, trimap=trimap), person, judged)


def _controlling(order: Submission, folder: Path) -> Callable[[str], Judged | JudgedObjects]:
    """Return what judges the alphas once the job is done; a folder that cannot be made is told now."""
    from videomama_server.cli.qc import of_matte  # opens pictures, which takes long to import

    return of_matte(order, folder)


def absolute(pattern: str, view: str = "") -> str:
    """Return a pattern of one view that means the same from any working folder.

    Args:
        pattern: perhaps with a place for the view.
        view: such as `left`; empty for none.

    Raises:
        BadInput: it counts from the working folder, which is gone; or it has a place for a view, and there is none.
    """
    pattern = sequences.with_view(pattern, view)
    try:
        return os.path.abspath(pattern)  # noqa: PTH100  (a pattern)
    except FileNotFoundError as error:
        reason = f"{pattern} counts from the working folder, which is gone"
        raise BadInput(reason, "Change to a folder that exists, or give the whole path.") from error


def _from_here(settings: MatteSettings) -> MatteSettings:
    """Return the settings with a folder of weights that the server finds, too: it has another working folder."""
    weights = settings.option("weights")
    return settings.with_options(weights=str(Path(weights).absolute())) if isinstance(weights, str) else settings


def _foreground(flags: dict[str, Any]) -> tuple[messages.SideResult, ...]:
    """Take what was said of the foreground out of the flags, and return what to ask for.

    Raises:
        BadInput: it says how, and not where.
    """
    out, dtype = flags.pop("foreground"), flags.pop("foreground_dtype") or ""
    premultiplied = flags.pop("foreground_premultiplied")
    if not out and (dtype or premultiplied):
        option = "--foreground-dtype" if dtype else "--foreground-premultiplied"
        raise WrongUse(f"{option} is given without --foreground", "Say with --foreground where the colour goes.")
    if not out:
        return ()
    return (messages.SideResult(messages.FOREGROUND, absolute(out, flags["view"]), dtype, premultiplied),)


def _with_maker(client: Client, order: Submission, maker: str, words: Sequence[str]) -> Submission:
    """Return a job that begins with an engine that makes the masks, `words` its own settings; unchanged without one."""
    if not maker:
        return order
    first = begun_with(order.settings, Stage(maker))
    return order.begun_by(_from_here(with_options(client, first, words)))


def _check_maker(maker: str, by_object: bool, given: Sequence[Prompt], own: Sequence[str]) -> None:
    """Raise `BadInput` for prompts or settings without an engine that takes them."""
    if own and not maker:
        raise WrongUse("--maker-set is given without --maker", "Name the engine that makes the masks with --maker.")
    if given and not maker and not by_object:
        raise WrongUse(
            f"the {given[0].spoken} needs an engine that makes masks",
            "Name it with --maker; `videomama engines` lists them.",
        )


def _check_judged(order: Submission) -> None:
    """Raise `BadInput` where quality control has no masks on disk to compare with."""
    masks = [one.mask for one in order.objects] or [order.mask]
    if not all(masks):
        raise WrongUse("--qc compares the alpha with --mask, and there is none", "Give a mask, or leave --qc out.")


def _submission(flags: dict[str, Any], maker: str, given: Sequence[Prompt], named: Sequence[MaskObject]) -> Submission:
    with reading_words():
        settings = settings_from(flags)
        settings.check()
    project, roto = flags.pop("project"), flags.pop("roto")
    if project is not None:
        if any(flags[name] for name in ("plate", "mask", "out")):
            raise WrongUse("--project names plate, mask and output itself", "Leave out --plate, --mask and --out.")
        flags["plate"], flags["mask"], flags["out"] = project_paths(project, roto)
        flags["dtype"] = flags["dtype"] or "uint16"
    needed = ("plate", "out") if maker or named else ("plate", "mask", "out")
    missing = [f"--{name}" for name in needed if not flags[name]]
    if missing:
        raise WrongUse(f"{', '.join(missing)} not given", "Give --plate, --mask and --out, or a --project.")

    def found(pattern: str) -> str:
        return absolute(pattern, settings.view) if pattern else ""

    first, out = flags.pop("first_frame"), found(flags["out"])
    read = numbered_from((found(text) for text in (flags["plate"], flags["mask"], *(one.mask for one in named))), first)
    flags.update(plate=read[0], mask=read[1], out=out)
    flags["objects"] = tuple(replace(one, mask=mask) for one, mask in zip(named, read[2:], strict=True))
    flags["dtype"] = flags["dtype"] or ""
    order = Submission(settings=settings, **flags)
    return replace(order, prompts=with_files(given, order.clip_frames))
