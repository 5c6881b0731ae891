"""Jobs whose pixels the client sends: its files, what the server asks of them, and errors that name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from videomama_client import messages
from videomama_client.errors import BadInput, VideoMaMaError

if TYPE_CHECKING:
    from videomama_client.client import Client


@dataclass(frozen=True)
class InlineFrames:
    """The files of an inline job on the client's side, by role and frame number.

    Attributes:
        plate, mask: file of each frame; the same frames, or no mask where the first stage makes masks.
        painted: file of each key mask, by its role and frame.
        objects: masks of several objects by name, in place of `mask`.
        kept: whatever must last as long as the files.
    """

    plate: Mapping[int, Path] = field(default_factory=dict)
    mask: Mapping[int, Path] = field(default_factory=dict)
    painted: Mapping[tuple[str, int], Path] = field(default_factory=dict)
    objects: Mapping[str, Mapping[int, Path]] = field(default_factory=dict)
    kept: object = None

    def file(self, role: str, frame: int, name: str = "") -> Path:
        """Return the file that the server asks for; `name` is that of the object whose mask it is, if it is one's."""
        if role == messages.PLATE:
            return self.plate[frame]
        if role == messages.MASK:
            return (self.objects[name] if name else self.mask)[frame]
        return self.painted[role, frame]


def attended(
    client: Client, event: Optional[messages.JobEvent], inline: Optional[InlineFrames] = None
) -> Optional[messages.JobEvent]:
    """Do what an event asks of this side, and return what there is to tell of it; raises as `Client.events`."""
    if isinstance(event, messages.FrameWanted):
        supply(client, event, inline or InlineFrames())
        return None
    if isinstance(event, messages.MatteFailed):
        raise failure(event, inline)
    return event


def supply(client: Client, wanted: messages.FrameWanted, inline: InlineFrames) -> None:
    """Send the file that the server asks for; one that cannot be read cancels the job and raises `BadInput`."""
    path: object = ""
    try:
        path = inline.file(wanted.role, wanted.frame, wanted.object)
        content = path.read_bytes()
    except (KeyError, OSError) as error:
        client.cancel(wanted.job)
        never = BadInput("it was never offered", "Check the file.")
        refused = unreadable(path, error) if isinstance(error, OSError) else never
        raise refused.at(wanted.role, wanted.frame, path) from error
    client.send_frame(messages.SupplyFrame(wanted.job, wanted.role, wanted.frame, wanted.object), content)


def failure(event: messages.MatteFailed, inline: Optional[InlineFrames]) -> VideoMaMaError:
    """Return the error that a job ended with; of a frame that this side sent, it names this side's own file."""
    if inline is None or event.frame is None or not event.file or not event.role:
        return event.error
    try:
        own = str(inline.file(event.role, event.frame, event.object))
    except KeyError:
        return event.error
    return replace(event, message=event.message.replace(event.file, own), file=own).error


def unreadable(path: object, error: OSError) -> BadInput:
    """Return what a person is told of a frame that this side cannot read."""
    return BadInput(f"cannot read {path}: {error.strerror}", "Check the file.")
