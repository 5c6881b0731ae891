"""Follows a job on the command line: submits it, shows its progress on standard error, and cancels it on Ctrl-C."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import click
from rich.progress import Progress, TaskID, TextColumn
from videomama_client import messages, objects
from videomama_client.client import Client
from videomama_client.errors import Cancelled, VideoMaMaError
from videomama_client.job_records import LEFT
from videomama_client.phase_words import said_beside
from videomama_client.stages import place

from videomama_server.cli.bar import progress
from videomama_server.submission import Submission, submit

_LOOK_S = 0.5


def follow(client: Client, order: Submission) -> messages.MatteDone:
    """Submit a job, show its progress on standard error and return its result; Ctrl-C cancels it on the server."""
    columns = [TextColumn(f"{{task.fields[{name}]}}", markup=False) for name in ("of", "note")]
    sent = submit(client, order)
    try:
        with progress(*columns) as shown:
            return _watch(sent.events(), shown, _lasts(order))
    except KeyboardInterrupt as interrupt:
        _cancel(client, sent.job)
        raise Cancelled("cancelled") from interrupt


def _lasts(order: Submission) -> dict[str, int]:
    """Return the last stage of each object, from 0, by name; that of a job of one mask without a name."""
    return {name: count - 1 for name, count in objects.stage_counts(order.objects, order.then).items()}


def _watch(events: Iterable[messages.JobEvent], shown: Progress, lasts: Mapping[str, int]) -> messages.MatteDone:
    """Show the progress of a job to its end.

    Args:
        events: of the job.
        shown: where its bars are.
        lasts: as of `_lasts`.
    """
    bar = _AlphaBar(shown, lasts)
    sides = _SideBars(shown)
    for event in events:
        if isinstance(event, messages.MatteDone):
            bar.end()
            return event
        if isinstance(event, messages.MattePlanned):
            sides.total = event.frame_count
            for warning in event.warnings:
                click.echo(f"Warning: {warning}", err=True)
        if isinstance(event, messages.SideFrameDone):
            sides.count(event)
        else:
            bar.note(event)
    raise AssertionError("events end with MatteDone or an error")


class _AlphaBar:
    """The bar of the stage at work. Until its first alpha is there, it says what is being done.

    Args:
        shown: where the bar is.
        lasts: as of `_lasts`.
    """

    def __init__(self, shown: Progress, lasts: Mapping[str, int]) -> None:
        self._shown = shown
        self._lasts = lasts
        self._task = shown.add_task("", total=None, of="", note="", visible=False)
        self._counts: Counter[tuple[str, int, bool]] = Counter()  # by object, stage and whether they were cached
        self._at = next(iter(lasts.items()))  # object and stage; what is cached of the last stage comes first
        self._phase: messages.Phase | None = None
        self._total: int | None = None

    def note(self, event: messages.JobEvent) -> None:
        """Take in an event of the job."""
        if isinstance(event, messages.PhaseChanged):
            self._phase = event.phase
            self._shown.update(self._task, visible=True)
        elif isinstance(event, messages.MattePlanned):
            self._at = next(iter(self._lasts.items()))
            self._begin(event.engine, event.frame_count)
        elif isinstance(event, messages.StageBegun):
            name, self._at = event.object, (event.object, event.stage)
            where = place(event.stage, event.engine, self._lasts[name] + 1, name)
            self._begin(where if name else f"stage {where}", event.frame_count)
        elif isinstance(event, messages.StageFrameDone):
            self._counts[event.object, event.stage, event.cached] += 1
        elif isinstance(event, messages.FrameDone) and event.object in self._lasts:  # a file of layers: counted alphas
            self._counts[event.object, self._lasts[event.object], event.cached] += 1
        self._show()

    def end(self) -> None:
        """Show what it came to."""
        self._phase = None
        self._show()

    def _begin(self, name: str, total: int) -> None:
        self._total = total
        self._shown.update(self._task, description=name, total=total, visible=True)

    def _show(self) -> None:
        computed, cached = (self._counts[*self._at, known] for known in (False, True))
        done = computed + cached
        note = said_beside(self._phase, done) or _counted(computed, cached)
        of = "" if self._total is None else f"{done}/{self._total}"
        self._shown.update(self._task, completed=done, of=of, note=note)


def _counted(computed: int, cached: int) -> str:
    return f"{computed} computed, {cached} cached"


class _SideBars:
    """A bar for each kind of side results and object, below that of the alphas.

    Attributes:
        total: how many frames are wanted.
    """

    def __init__(self, shown: Progress) -> None:
        self.total = 0
        self._shown = shown
        self._tasks: dict[str, TaskID] = {}
        self._counts: Counter[tuple[str, bool]] = Counter()

    def count(self, event: messages.SideFrameDone) -> None:
        """Take in a frame that is done."""
        kind = objects.called(event.side_kind, event.object)
        if kind not in self._tasks:
            self._tasks[kind] = self._shown.add_task(kind, total=self.total, of="", note="")
        self._counts[kind, event.cached] += 1
        computed, cached = self._counts[kind, False], self._counts[kind, True]
        done = computed + cached
        note = _counted(computed, cached)
        self._shown.update(self._tasks[kind], completed=done, of=f"{done}/{self.total}", note=note)


def _cancel(client: Client, job: str) -> None:
    """Ask the server to stop and wait until it says so; a job that ended just before says nothing more."""
    client.cancel(job)
    try:
        while any(one.job == job and one.state in LEFT for one in client.jobs()):
            client.next_event(job, _LOOK_S)
    except VideoMaMaError:
        return
