"""A parcel of exported frames on its way to the server and back, until the person stops it. Knows no Nuke."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from videomama_client import messages, submission
from videomama_client.client import Client
from videomama_client.errors import Cancelled, NotPermitted
from videomama_client.inline import InlineFrames
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage
from videomama_client.submission import Sent

_LOOK_S = 0.1


@dataclass(frozen=True)
class Parcel:
    """What a job is made of.

    Attributes:
        files: the exported frames, plate and mask in one.
        source, out: patterns of these and of the alphas.
        settings: of the first stage; `then` are the stages after it.
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
    then: tuple[Stage, ...] = ()


def submit(client: Client, parcel: Parcel) -> Sent:
    """Submit a job.

    Raises:
        NotPermitted: the folder of the alphas cannot be written.
        VideoMaMaError: the server refuses.
    """
    folder, first = Path(parcel.out).parent, next(iter(parcel.files.values()))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        seen = submission.goes_by_path(lambda: client.sees_folder(folder) and client.sees_file(first))
    except OSError as error:
        raise NotPermitted(f"cannot write to {folder}: {error.strerror}", "Choose another cache folder.") from error
    request = messages.SubmitMatte(
        request=uuid.uuid4().hex,
        plate=parcel.source,
        mask=parcel.source,
        out=parcel.out,
        settings=parcel.settings,
        clip=parcel.clip,
        frame_ranges=parcel.wanted,
        priority=parcel.priority,
        label=parcel.label,
        then=parcel.then,
    )
    inline = None if seen else InlineFrames(parcel.files, parcel.files)
    return submission.submit(client, request, inline, lambda frame: Path(parcel.out % frame))


def follow(sent: Sent, cancelled: Callable[[], bool], patience: Callable[[], float]) -> Iterator[messages.JobEvent]:
    """Yield what happens to a job; the alphas of an inline job are fetched on the way.

    Args:
        sent: the job.
        cancelled: asked ten times a second; once it says yes, the job is stopped.
        patience: seconds that a stopped job may take to say so.

    Raises:
        VideoMaMaError: of the kind the job failed with; `Cancelled` when it was stopped.
    """
    stopped = 0.0
    event = None
    while not isinstance(event, messages.MatteDone):
        if not stopped and cancelled():
            stopped = time.monotonic()
            sent.client.cancel(sent.job)
        if stopped and time.monotonic() - stopped > patience():
            raise Cancelled("the refine was cancelled")
        event = sent.next_event(_LOOK_S)
        if event is not None:
            yield event
