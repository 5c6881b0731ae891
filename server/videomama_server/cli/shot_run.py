"""One shot of a batch: its options read as `matte` reads them, whether it is finished, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click
from videomama_client import messages
from videomama_client.client import Client
from videomama_client.disk_errors import disk_error
from videomama_client.errors import BadInput, Cancelled, ServerUnreachable, VideoMaMaError
from videomama_client.job_records import BATCH

from videomama_server.batch.finished import is_finished
from videomama_server.batch.rates import Rates, kind_of
from videomama_server.batch.report import CANCELLED, DONE, FAILED, KEPT, ShotResult
from videomama_server.batch.shots import Shot
from videomama_server.cli import as_fields
from videomama_server.cli.job_file import options_of, words_of
from videomama_server.cli.job_options import previewed
from videomama_server.cli.matte import matte
from videomama_server.cli.matte_job import AskedMatte, RefinedMatte, asked_of, refined
from videomama_server.submission import Submission

if TYPE_CHECKING:
    from videomama_server.batch.needs import Needs

OF_THE_BATCH = frozenset({"no-start", "connection-file"})  # options of all shots at once
Connect = Callable[[], Client]


def shot_options() -> frozenset[str]:
    """Return the names of options that a shot can give."""
    return frozenset(options_of(matte)) - OF_THE_BATCH


@dataclass(frozen=True)
class AskedShot:
    """A shot as `matte` understands it; `error` says why it does not, and `matte` is None then."""

    shot: Shot
    matte: AskedMatte | None
    error: VideoMaMaError | None = None

    @cached_property
    def order(self) -> Submission:
        """The job, with the frames that are wanted; raises what is wrong with the shot."""
        asked = self._asked
        return previewed(asked.order, asked.preview)

    @cached_property
    def outputs(self) -> list[str]:
        """The patterns of all that is written."""
        if self.matte is None:
            return []
        order, removal = self.matte.order, self.matte.removal
        return [
            *order.outs().values(),
            *order.side_outs().values(),
            *filter(None, [*order.outs_of(self.matte.trimap).values(), str(self.matte.movies.preview or "")]),
            *(removal.outputs() if removal else []),
        ]

    def is_finished(self) -> bool:
        """Whether nothing is left to do."""
        try:
            return is_finished(self.order, self.order.wanted(), self.outputs)
        except VideoMaMaError:  # the job tells what is wrong
            return False

    def needs(self) -> Needs:
        """Return what the shot needs; raises what is wrong with it."""
        from videomama_server.batch.needs import needs_of  # opens pictures, which takes long to import

        removal = self._asked.removal
        clean = removal.hand_over.output.text if removal and removal.hand_over else ""
        return needs_of(self.order, self.order.wanted(), removal.holes.out if removal else "", clean)

    @property
    def kind(self) -> str:
        """What its speed depends on most."""
        asked = self._asked
        return kind_of(asked.order, asked.maker, [words[0] for words in asked.then])

    @property
    def _asked(self) -> AskedMatte:
        if self.matte is None:
            raise self.error or BadInput(f"the shot {self.shot.name} cannot be read")
        return self.matte


def asked_shot(shot: Shot) -> AskedShot:
    """Read a shot's options as `matte` reads them; what is wrong with them is the shot's error."""
    try:
        options = {"priority": messages.BATCH, **shot.options}
        words = words_of(matte, options, shot.where, shot.folder)
        context = matte.make_context("matte", words)
        flags = dict(context.params)
        for name in ("as_json", "no_start", "connection_file"):
            del flags[name]
        with context.scope():
            asked = asked_of(context, flags)
    except click.UsageError as error:
        return AskedShot(shot, None, BadInput(f"{shot.where('')}: {error.format_message()}"))
    except VideoMaMaError as error:
        return AskedShot(shot, None, error)
    return AskedShot(shot, replace(asked, order=replace(asked.order, label=shot.name, program=BATCH)))


def check_apart(shots: Sequence[AskedShot]) -> None:
    """Raise `BadInput` where two shots would write the same files."""
    known: dict[str, str] = {}
    for one in shots:
        for out in one.outputs:
            if out in known:
                raise BadInput(
                    f"the shots {known[out]} and {one.shot.name} both write {out}",
                    "Put {shot} into the name, or name them apart.",
                )
            known[out] = one.shot.name


def run_shot(one: AskedShot, connect: Connect, rates: Rates) -> ShotResult:
    """Do a shot and return what came of it; whatever a person can be told about goes into the result.

    Args:
        one: the shot.
        connect: returns a new connection to the server, which it may start.
        rates: takes in how long it took.
    """
    if one.matte is None:
        return _failed(one, one.error or BadInput("the shot cannot be read"))
    if one.is_finished():
        return ShotResult(one.shot.name, KEPT, one.order.out, frames=len(one.order.wanted()))
    try:
        made = _refined(one.matte, connect)
    except KeyboardInterrupt:
        return _failed(one, Cancelled("cancelled", "Run the batch again for the rest."))
    except VideoMaMaError as error:
        return _failed(one, error)
    except OSError as error:
        return _failed(one, disk_error(error))
    _note_rate(one, made, rates)
    done = made.done
    return ShotResult(
        shot=one.shot.name,
        state=DONE,
        out=made.order.out,
        frames=done.frame_count,
        computed=done.computed,
        cached=done.cached,
        seconds=round(done.seconds, 3),
        warnings=done.warnings,
        flags=[flag.kind for flag in done.flags],
    )


def _refined(asked: AskedMatte, connect: Connect) -> RefinedMatte:
    """Do a job; where the server dies meanwhile, once more on the next one: finished frames are in the cache."""
    try:
        with connect() as client:
            return refined(client, asked)
    except ServerUnreachable as error:
        click.echo(f"Warning: {error.message}. Trying once more.", err=True)
    with connect() as client:
        return refined(client, asked)


def _note_rate(one: AskedShot, made: RefinedMatte, rates: Rates) -> None:
    done = made.done
    if not done.computed:
        return
    try:
        rates.note(one.kind, done.seconds, done.computed * one.needs().megapixels)
    except VideoMaMaError:  # the plates are gone by now
        return


def _failed(one: AskedShot, error: VideoMaMaError) -> ShotResult:
    state = CANCELLED if isinstance(error, Cancelled) else FAILED
    out = one.matte.order.out if one.matte else ""
    return ShotResult(one.shot.name, state, out, error=dict[str, Any](as_fields(error)))
