"""A parcel of exported frames on its way to the server and back, until the person stops it. Knows no Nuke."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Callable

from videomama_client import messages, objects, submission
from videomama_client.client import Client
from videomama_client.errors import Cancelled, NotPermitted
from videomama_client.inline import InlineFrames
from videomama_client.job_records import NUKE, this_submitter
from videomama_client.submission import Sent

from videomama_nuke.files import file_of
from videomama_nuke.subject import Chain

_LOOK_S = 0.1


@dataclass(frozen=True)
class Parcel:
    """What a job is made of.

    Attributes:
        files: the exported frames, plate and mask in one.
        masks: the exported masks of objects, by name.
        source, out: patterns of the frames and of the alphas.
        chain: stages, prompts and objects.
        clip, wanted: ranges.
        foreground: pattern of the files of the subject's own colour; empty for none.
        by_mask_input: whether the mask in the exported frames is the mask of the job.
    """

    files: Mapping[int, Path]
    source: str
    out: str
    chain: Chain
    clip: str
    wanted: str
    label: str
    priority: str = messages.INTERACTIVE
    foreground: str = ""
    masks: Mapping[str, Mapping[int, Path]] = field(default_factory=dict)
    by_mask_input: bool = True


def submit(client: Client, parcel: Parcel) -> Sent:
    """Submit a job.

    Raises:
        NotPermitted: a folder of the results cannot be written.
        VideoMaMaError: the server refuses.
    """
    first = next(iter(parcel.files.values()))
    seen = _sees(client, Path(parcel.out).parent, "Choose another cache folder.", first)
    if parcel.foreground:
        for pattern in _foregrounds(parcel).values():
            seen = _sees(client, Path(pattern).parent, "Choose another foreground file.") and seen
    request = messages.SubmitMatte(
        request=uuid.uuid4().hex,
        plate=parcel.source,
        mask=parcel.source if parcel.by_mask_input else "",
        out=parcel.out,
        settings=parcel.chain.settings,
        clip=parcel.clip,
        frame_ranges=parcel.wanted,
        priority=parcel.priority,
        label=parcel.label,
        then=parcel.chain.then,
        prompts=parcel.chain.prompts,
        objects=parcel.chain.objects,
        side_results=(messages.SideResult(messages.FOREGROUND, parcel.foreground),) if parcel.foreground else (),
        submitter=this_submitter(NUKE),
    )
    mask = parcel.files if parcel.by_mask_input else {}
    inline = None if seen else InlineFrames(parcel.files, mask, objects=parcel.masks)
    sides = {called: partial(file_of, pattern) for called, pattern in _foregrounds(parcel).items()}
    return submission.submit(client, request, inline, lambda frame: Path(parcel.out % frame), sides)


def _foregrounds(parcel: Parcel) -> dict[str, str]:
    """Return the pattern of each object's foreground by what it is called, such as `foreground of hero`."""
    if not parcel.foreground:
        return {}
    outs = objects.outs_of(parcel.foreground, [one.name for one in parcel.chain.objects])
    return {objects.called(messages.FOREGROUND, name): out for name, out in outs.items()}


def _sees(client: Client, folder: Path, hint: str, *files: Path) -> bool:
    """Whether the server sees a folder, which is made, and files.

    Raises:
        NotPermitted: this side cannot write in the folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return submission.goes_by_path(lambda: client.sees_folder(folder) and all(map(client.sees_file, files)))
    except OSError as error:
        raise NotPermitted(f"cannot write to {folder}: {error.strerror}", hint) from error


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
