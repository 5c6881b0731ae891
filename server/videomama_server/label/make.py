"""Makes one label: masks between annotated frames, alphas, what quality control says, and a picture to review."""

from __future__ import annotations

import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from videomama_client.client import Client
from videomama_client.messages import JobEvent, MatteDone, QcFlag
from videomama_client.wording import counted

from videomama_server.datasets.annotated import AnnotatedClip
from videomama_server.label import records, review, source
from videomama_server.label.plan import LabelPlan
from videomama_server.label.records import LABELS, REJECTED, THUMB, WORK, LabelRecord
from videomama_server.label.source import Span
from videomama_server.many_jobs import job_of
from videomama_server.media import sequences
from videomama_server.qc.flags import sentence
from videomama_server.submission import submit

Tell = Callable[[JobEvent], None]


@dataclass(frozen=True)
class LabelMaker:
    """Makes labels with one server.

    Attributes:
        plan: what is to be labelled.
        client: of the server.
        tell: is called with each event of a job.
    """

    plan: LabelPlan
    client: Client
    tell: Tell

    def make(self, clip: AnnotatedClip, begun: LabelRecord) -> LabelRecord:
        """Make the label that `begun` names, which takes its place in one step, and return its record.

        Until then all is in `work`, and what an earlier run left of it there is made again, of cached alphas. Each
        attempt has a folder of its own: should an earlier one still be under way on a machine that was taken for lost,
        it finds its folder gone and fails.

        Raises:
            VideoMaMaError: the clip cannot be read, the server cannot refine it, or another clip's label has that name.
            OSError: the disk is full or failing.
        """
        attempts = self.plan.folder / WORK / begun.name
        if attempts.exists():
            shutil.rmtree(attempts)
        work = attempts / uuid.uuid4().hex
        work.mkdir(parents=True)
        span = source.span_of(clip, begun.object, self.plan.chain.maker is not None)
        if span.unfit:
            record = replace(begun, reasons=[span.unfit])
        else:
            record = self._refined(clip, replace(begun, frames=span.frames), span, work)
        record.save(work)
        self._put(work, record)
        return record

    def _refined(self, clip: AnnotatedClip, begun: LabelRecord, span: Span, work: Path) -> LabelRecord:
        plate = source.write_plates(clip, span.frames, work / "plate")
        flags, seconds = self._masks(clip, begun.object, span, plate)
        chain = self.plan.chain
        out = work / "truth" / "truth.####.exr"
        order = job_of(plate, out, chain.settings, span.frames)
        order = replace(order, mask=str(work / "mask" / "mask.####.png"), then=tuple(chain.then))
        done = submit(self.client, order).finish(self.tell)
        flags += done.flags
        review.write_thumb(work / THUMB, (plate, out), span.frames, chain.settings)
        return replace(
            begun,
            annotated=len(span.shown) + len(span.absent),
            server=done.server,
            mask_quality=done.mask.quality if done.mask else "",
            reasons=_reasons(done, flags, self.plan.tolerate),
            kinds=dict(Counter(flag.kind for flag in flags for _ in flag.frame_numbers)),
            computed=done.computed,
            cached=done.cached,
            seconds=round(seconds + done.seconds, 3),
            warnings=done.warnings,
        )

    def _masks(self, clip: AnnotatedClip, name: str, span: Span, plate: Path) -> tuple[list[QcFlag], float]:
        """Write the masks of all frames; return the maker's flags and seconds. Annotated masks stay as they are."""
        annotated, work = sorted([*span.shown, *span.absent]), plate.parents[1]
        place = work / "mask"
        if not span.has_gaps:
            source.write_masks(clip.objects[name], annotated, place)
            return [], 0.0
        maker = self.plan.chain.maker
        assert maker is not None  # frames without masks are in a span only where they are made
        painted = sequences.parse(str(source.write_masks(clip.objects[name], annotated, work / "keys")))
        settings = maker.with_options(absent=sequences.format_range(span.absent)) if span.absent else maker
        keys = {number: painted.path(number) for number in span.shown}
        order = job_of(plate, place / "mask.####.png", settings, span.frames, keys)
        done = submit(self.client, order).finish(self.tell)
        for mask in map(painted.path, annotated):
            mask.replace(place / mask.name)
        shutil.rmtree(painted.folder)
        return list(done.flags), done.seconds

    def _put(self, work: Path, record: LabelRecord) -> None:
        """Move a finished label to where it belongs; an outdated one of its name is removed before."""
        records.refuse_twin(records.done(self.plan.folder, record.name), record)
        for state in (LABELS, REJECTED):
            if (old := self.plan.folder / state / record.name).exists():
                shutil.rmtree(old)
        target = self.plan.folder / record.state / record.name
        target.parent.mkdir(parents=True, exist_ok=True)
        work.rename(target)
        work.parent.rmdir()


def _reasons(done: MatteDone, flags: Iterable[QcFlag], tolerate: float) -> list[str]:
    """Return why a label is rejected; none where quality control flags few enough of its frames."""
    flags = list(flags)
    flagged = {number for flag in flags for number in flag.frame_numbers}
    reasons = [sentence(flag) for flag in flags] if len(flagged) > tolerate * done.frame_count else []
    if done.judged < done.frame_count:
        reasons.append(f"not judged: {counted(done.frame_count - done.judged, 'frame')}")
    return reasons
