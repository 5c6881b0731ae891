"""One job at the server: by path where it provably sees the same files, else frame by frame. Knows no Nuke."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, Optional

from videomama_client import messages
from videomama_client.client import Client, InlineFrames, content_digest, failure
from videomama_client.errors import Cancelled, NotPermitted
from videomama_client.settings import MatteSettings

_LOOK_S = 0.1


@dataclass(frozen=True)
class Sent:
    """A job under way.

    Attributes:
        job: its id.
        inline: the files to send when the server asks; None for a job by path.
        out: pattern of the alphas.
    """

    client: Client
    job: str
    inline: Optional[InlineFrames]
    out: str

    def events(self, cancelled: Callable[[], bool], patience: Callable[[], float]) -> Iterator[messages.JobEvent]:
        """Yield what happens; the alphas of an inline job are fetched on the way.

        Args:
            cancelled: asked ten times a second; once it says yes, the job is stopped.
            patience: seconds that a stopped job may take to say so.

        Raises:
            VideoMaMaError: of the kind the job failed with; `Cancelled` when it was stopped.
        """
        stopped = 0.0
        while True:
            if not stopped and cancelled():
                stopped = time.monotonic()
                self.client.cancel(self.job)
            if stopped and time.monotonic() - stopped > patience():
                raise Cancelled("the refine was cancelled")
            event = self._attended(self.client.next_event(self.job, _LOOK_S))
            if event is not None:
                yield event
            if isinstance(event, messages.MatteDone):
                return

    def _attended(self, event: Optional[messages.JobEvent]) -> Optional[messages.JobEvent]:
        """Do what an event asks of this side, and return what there is to tell of it."""
        if isinstance(event, messages.FrameWanted):
            self.client.supply(event, self.inline or InlineFrames())
            return None
        if isinstance(event, messages.MatteFailed):
            raise failure(event, self.inline)
        if isinstance(event, messages.FrameDone) and self.inline is not None:
            _write(Path(self.out % event.frame), self.client.fetch_alpha(self.job, event.frame))
        return event


@dataclass(frozen=True)
class Parcel:
    """What a job is made of.

    Attributes:
        files: the exported frames, plate and mask in one.
        source, out: patterns of these and of the alphas.
        clip, wanted: ranges.
    """

    files: Mapping[int, Path]
    source: str
    out: str
    settings: MatteSettings
    clip: str
    wanted: str
    label: str
    priority: str = messages.INTERACTIVE


def submit(client: Client, parcel: Parcel) -> Sent:
    """Submit a job.

    Raises:
        NotPermitted: the folder of the alphas cannot be written.
        VideoMaMaError: the server refuses.
    """
    folder = Path(parcel.out).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shared = client.sees_folder(folder) and client.sees_file(next(iter(parcel.files.values())))
    except NotPermitted:  # outside of the server's roots
        shared = False
    except OSError as error:
        raise NotPermitted(f"cannot write to {folder}: {error.strerror}", "Choose another cache folder.") from error
    request = messages.SubmitMatte(
        request=uuid.uuid4().hex,
        plate=parcel.source,
        mask=parcel.source,
        out=parcel.out,
        settings=parcel.settings,
        clip=parcel.clip,
        frames=parcel.wanted,
        priority=parcel.priority,
        label=parcel.label,
    )
    inline = None if shared else InlineFrames(parcel.files, parcel.files)
    return Sent(client, client.submit(_with_digests(request, inline)), inline, parcel.out)


def _with_digests(request: messages.SubmitMatte, inline: Optional[InlineFrames]) -> messages.SubmitMatte:
    if inline is None:
        return request
    numbers = sorted(inline.plate)
    digests = [content_digest(inline.plate[number]) for number in numbers]
    return replace(request, inline=True, inline_frames=numbers, plate_digests=digests, mask_digests=digests)


def _write(path: Path, content: bytes) -> None:
    """Put a file under its name only when it is whole and on the disk, with the mode that any new file has."""
    temporary = path.with_name(f".videomama-{uuid.uuid4().hex}{path.suffix}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
