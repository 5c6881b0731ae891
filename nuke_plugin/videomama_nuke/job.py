"""A refine from button to result: its thread talks to the server, the main thread exports and shows."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import nuke
from videomama_client import launch, messages, stage_words
from videomama_client.client import Client
from videomama_client.errors import BadInput, Cancelled, InternalError, VideoMaMaError

from videomama_nuke import disk_use, export, frames, node_state, paths, precomp, result, sidecar, transfer, words
from videomama_nuke.knobs import OUTLINE
from videomama_nuke.main_thread import closing, on_main
from videomama_nuke.order import RefineOrder
from videomama_nuke.progress import Progress
from videomama_nuke.subject import Chain, chain_of

log = logging.getLogger(__name__)

_SHOW_EVERY_S = 1.0
_PATIENCE_S = 5.0
_BUSY_S = 1800.0
_BUSY_LOOK_S = 0.5
_GONE = "the node is gone"


class Refine:
    """One refine of one node. Make it on the main thread; `run` it in a thread of its own, or here without a window.

    Args:
        node: a VideoMaMa node.
        order: what to do.
        priority: `interactive` or `batch`.
        tell: called with a line whenever there is news; from the thread that runs.

    Attributes:
        following: whether the server has the job, or is being sent it: `cancel` is the only right way to stop it then.
        patience_s: how long a cancelled job may take to say so, in seconds.
    """

    def __init__(
        self,
        node: nuke.Node,
        order: RefineOrder,
        priority: str = messages.INTERACTIVE,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.identity = str(node["node_id"].value())
        self.error: VideoMaMaError | None = None
        self.warnings = precomp.caution(node)
        self.flags: list[messages.QcFlag] = []
        self.computed = 0
        self.cached = 0
        self.following = False
        self.patience_s = _PATIENCE_S
        self._node = node
        self._order = order
        self._priority = priority
        self._tell = tell
        self._stop = threading.Event()
        self._progress: nuke.ProgressTask | None = None
        stages = order.subject.number_after - 1 + len(order.then)
        self._counts = Progress(len(order.wanted) * len(order.views), stages=stages)
        self._shown = 0.0

    def run(self) -> None:
        """Do it; whatever goes wrong becomes one typed error, in `error` and in the node's status: the boundary."""
        node_state.set_busy(self.identity, True)
        try:
            self._work()
        except VideoMaMaError as error:
            self.error = error
        except Exception as error:
            log.exception("a refine failed")
            self.error = InternalError(f"{type(error).__name__}: {error}", "See Nuke's terminal.")
        finally:
            export.remove_own(self._order)
            self._progress = None
            node_state.set_busy(self.identity, False)
        self._end()

    def cancel(self) -> None:
        """Ask it to stop; frames that are done stay."""
        self._stop.set()

    def cancelled(self) -> bool:
        """Whether it was asked to stop: here, in Nuke's progress bar, or because Nuke is closing."""
        if closing.is_set():
            self._stop.set()
        if self._progress is not None and self._progress.isCancelled():
            self._stop.set()
        return self._stop.is_set()

    def _work(self) -> None:
        if nuke.GUI:
            self._progress = nuke.ProgressTask(self._order.label)
        self._say("looking for the server")
        with launch.connect(self._order.connection_file) as client:
            self._check()
            self._read_stages(client)
            for view in self._order.views:
                self._refine_view(client, view)
        if not self._order.own_export:
            on_main(export.remove, self._order)

    def _read_stages(self, client: Client) -> None:
        """Read the options of engines that only the server knows."""
        subject, then = self._order.subject, self._order.then
        if subject.maker is not None:
            subject = replace(subject, maker=stage_words.with_types(client, subject.maker, 1))
        read = (
            stage_words.with_types(client, stage, number) for number, stage in enumerate(then, subject.number_after)
        )
        self._order = replace(self._order, then=tuple(read), subject=subject)

    def _chain(self, view: str) -> Chain:
        """Return what the job of a view is told of stages, prompts and objects."""
        order = self._order
        painted = paths.of_view(order.source, view)
        masks = {channel: paths.of_view(order.mask_of(channel), view) for _, channel in order.subject.channels}
        return chain_of(order.subject, order.settings, order.then, painted, masks)

    def _refine_view(self, client: Client, view: str) -> None:
        order, wanted = self._order, frames.text(self._order.wanted)
        told = self._chain(view)
        planned = client.plan_frames(told.settings, order.clip_text, wanted, told.then, told.prompts, told.objects)
        needed = on_main(frames.parse, planned.needed_ranges)
        self._say(f"exporting {planned.needed_ranges}")
        self._check()
        self._export(view, needed)
        self._check()
        parcel = transfer.Parcel(
            files={frame: export.exported(order, view, frame) for frame in needed},
            source=paths.of_view(order.source, view),
            out=paths.of_view(order.out, view),
            chain=told,
            clip=order.clip_text,
            wanted=wanted,
            label=order.label if len(order.views) == 1 else f"{order.label} {view}",
            priority=self._priority,
            foreground=order.foreground.get(view, ""),
            masks={
                name: {frame: export.exported_mask(order, view, channel, frame) for frame in needed}
                for name, channel in order.subject.channels
            },
            by_mask_input=order.subject.by_mask_input,
        )
        self._say(f"waiting for the engine {planned.engine}")
        self.following = True
        for event in transfer.follow(transfer.submit(client, parcel), self.cancelled, self._patience):
            self._take(event)
        self.following = False

    def _export(self, view: str, needed: list[int]) -> None:
        """Export, once Nuke is done with what it renders: it renders one thing at a time."""
        until = time.monotonic() + _BUSY_S
        while on_main(nuke.executing) or not self._exported(view, needed):
            if time.monotonic() > until:
                raise BadInput(f"Nuke has rendered something else for {_BUSY_S:g} s", "Press Refine when it is done.")
            self._say("waiting for Nuke to finish its render")
            time.sleep(_BUSY_LOOK_S)
            self._check()

    def _exported(self, view: str, needed: list[int]) -> bool:
        """Export; return whether Nuke could, as a render may have begun meanwhile."""
        try:
            on_main(self._on_node, export.export, self._order, view, needed)
        except export.Busy:
            return False
        return True

    def _take(self, event: messages.JobEvent) -> None:
        """Note an event. Where there is nobody to show it to, the job is cancelled at the server, too."""
        try:
            self._note(event)
        except Cancelled:
            self.cancel()

    def _note(self, event: messages.JobEvent) -> None:
        before = self._counts.phase_code
        self._counts.note(event)
        if self._counts.phase_code != before:
            self._show_progress()
        elif isinstance(event, messages.MattePlanned):
            for warning in event.warnings:
                self._say(f"warning: {warning}")
            self._keep_what_was_found(event)
            self._leave_record()
        elif isinstance(event, messages.StageBegun):
            self._show_progress()
        elif isinstance(event, (messages.PhaseChanged, messages.StageFrameDone, messages.SideFrameDone)):
            if time.monotonic() - self._shown > _SHOW_EVERY_S:
                self._show_progress()
        elif isinstance(event, messages.FrameDone):
            if self._counts.done == 1 or time.monotonic() - self._shown > _SHOW_EVERY_S:
                self._show()
        elif isinstance(event, messages.MatteDone):
            self.computed += event.computed
            self.cached += event.cached
            self.warnings.extend(event.warnings)
            self.flags.extend(event.flags)
            node_state.keep_flags(self._order.record.key, self.flags)
            self._show()

    def _keep_what_was_found(self, planned: messages.MattePlanned) -> None:
        """Take region and outline into the record, and into the settings of the views that follow."""
        region = ",".join(map(str, planned.roi))
        found = {name: getattr(planned.mask, name) for name in OUTLINE} if planned.mask else {}
        settings = replace(self._order.settings, roi=region or self._order.settings.roi).with_options(**found)
        kept = replace(self._order.record, engine=planned.engine, roi=region, outline=found)
        self._order = replace(self._order, record=kept, settings=settings)

    def _leave_record(self) -> None:
        """Put the record beside the alphas, so that others find these."""
        folder = self._order.folder / self._order.record.key
        try:
            sidecar.leave(self._order.record, folder)
        except OSError as error:
            self.warnings.append(
                f"cannot write {folder / sidecar.FILE}: {error.strerror}; others will not find the alphas"
            )

    def _show(self) -> None:
        """Show the frames that have arrived."""
        on_main(self._on_node, result.show, self._order.record, self._order.clip)
        self._show_progress()

    def _show_progress(self) -> None:
        if self._progress is not None:
            self._progress.setProgress(self._counts.percent)
        self._say(self._counts.text)
        self._shown = time.monotonic()

    def _say(self, text: str) -> None:
        if self._progress is not None:
            self._progress.setMessage(text)
        if self._tell is not None:
            self._tell(text)
        on_main(self._on_node, node_state.say, text)

    def _on_node(self, call: Callable[..., object], *args: object) -> None:
        """Call with the node, which may have been deleted or closed with its script meanwhile. Main thread only."""
        try:
            self._node.name()
        except ValueError as error:
            raise Cancelled(_GONE) from error
        call(self._node, *args)

    def _check(self) -> None:
        if self.cancelled():
            raise Cancelled("the refine was cancelled")

    def _patience(self) -> float:
        return 0.1 if closing.is_set() else self.patience_s

    def _end(self) -> None:
        """Show how it ended, if there is still a node and a Nuke to show it."""
        try:
            on_main(self._on_node, self._show_end)
        except Cancelled:
            log.info("a refine ended after its node")

    def _show_end(self, node: nuke.Node) -> None:
        disk_use.show()
        state = node_state.describe(node)
        if isinstance(self.error, Cancelled):
            node_state.say(node, f"cancelled; {state}" if self._counts.done else "cancelled")
        elif self.error is not None:
            node_state.say(node, f"failed: {words.said(self.error)}")
            nuke.error(f"{node.fullName()}: {words.said(self.error)}")
        else:
            node_state.say(node, state)
            for warning in self.warnings:
                nuke.warning(f"{node.fullName()}: {words.with_knobs(warning)}")
