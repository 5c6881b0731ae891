"""Labels one clip: the unit of work of a run, which may be done on another machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from videomama_client.disk_errors import disk_error
from videomama_client.errors import ServerUnreachable, VideoMaMaError
from videomama_client.messages import FrameDone, JobEvent

from videomama_server.datasets.annotated import AnnotatedClip
from videomama_server.label import records
from videomama_server.label.make import LabelMaker
from videomama_server.label.plan import LabelPlan, as_folder
from videomama_server.label.records import LabelRecord
from videomama_server.many_jobs import LastingClient, Listener


@dataclass
class ClipOutcome:
    """What came of clips.

    Attributes:
        made, kept: labels and rejected ones of this run, and of earlier ones.
        failed: why a clip or a label could not be made, by its name.
    """

    made: list[LabelRecord] = field(default_factory=list)
    kept: list[LabelRecord] = field(default_factory=list)
    failed: dict[str, VideoMaMaError] = field(default_factory=dict)


def label_clip(plan: LabelPlan, name: str, client: LastingClient, listener: Listener) -> ClipOutcome:
    """Make the labels of a clip that are not there yet.

    Args:
        plan: what the clip is part of.
        name: of the clip.
        client: of a server; only used where a label is to be made.
        listener: receives each frame and each message.

    Raises:
        ServerUnreachable: the server was lost twice during one label.
    """
    return _ClipLabeller(plan, client, listener).label(name)


class _ClipLabeller:
    def __init__(self, plan: LabelPlan, client: LastingClient, listener: Listener) -> None:
        self._plan, self._client, self._listener = plan, client, listener
        self._outcome = ClipOutcome()

    def label(self, name: str) -> ClipOutcome:
        self._listener.unit(name)
        folder_name = as_folder(name)
        try:
            clip = self._plan.clips[name]()
            fingerprint = self._plan.fingerprint(_files(clip))
        except (VideoMaMaError, OSError) as error:
            self._fail(folder_name, error)
            return self._outcome
        records.forget_failure(self._plan.folder, folder_name)
        for one in clip.objects:
            begun = LabelRecord(
                name=f"{folder_name}_{one}",
                clip=name,
                object=one,
                data=clip.data,
                licence=self._plan.licence,
                sources=[str(path) for path in clip.sources],
                fingerprint=fingerprint,
                frames=[],
                annotated=0,
                chain=self._plan.chain.plain(),
            )
            self._label_object(clip, begun)
        return self._outcome

    def _label_object(self, clip: AnnotatedClip, begun: LabelRecord) -> None:
        known = records.done(self._plan.folder, begun.name)
        if known is not None and known.fingerprint == begun.fingerprint:
            self._outcome.kept.append(known)
            return
        try:
            records.refuse_twin(known, begun)
            self._outcome.made.append(self._made(clip, begun))
            records.forget_failure(self._plan.folder, begun.name)
        except ServerUnreachable:
            raise
        except (VideoMaMaError, OSError) as error:
            self._fail(begun.name, error)

    def _made(self, clip: AnnotatedClip, begun: LabelRecord) -> LabelRecord:
        """Make a label; where the server dies meanwhile, once more on the next one: finished frames are cached."""
        try:
            return self._maker().make(clip, begun)
        except ServerUnreachable as error:
            self._listener.say(f"Warning: {error.message}. Trying once more.")
            self._client.drop()
        return self._maker().make(clip, begun)

    def _maker(self) -> LabelMaker:
        return LabelMaker(self._plan, self._client.get(), self._count)

    def _count(self, event: JobEvent) -> None:
        if isinstance(event, FrameDone):
            self._listener.step()

    def _fail(self, name: str, error: VideoMaMaError | OSError) -> None:
        told = error if isinstance(error, VideoMaMaError) else disk_error(error)
        self._outcome.failed[name] = told
        records.note_failure(self._plan.folder, name, told.message, told.hint)
        self._listener.say(f"FAILED: {name}: {told.message}")


def _files(clip: AnnotatedClip) -> list[Path]:
    """Return the files that decide a clip's labels: its plates, and what lies in its sources."""
    inside = [path for one in clip.sources for path in (sorted(one.rglob("*.*")) if one.is_dir() else [one])]
    return list(dict.fromkeys(inside))
