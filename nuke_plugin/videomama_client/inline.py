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
    """

    plate: Mapping[int, Path] = field(default_factory=dict)
    mask: Mapping[int, Path] = field(default_factory=dict)

    def file(self, role: str, frame: int) -> Path:
        """Return the file that the server asks for."""
        return (self.plate if role == messages.PLATE else self.mask)[frame]


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
        path = inline.file(wanted.role, wanted.frame)
        content = path.read_bytes()
    except (KeyError, OSError) as error:
        client.cancel(wanted.job)
        never = BadInput("it was never offered", "Check the file.")
        refused = unreadable(path, error) if isinstance(error, OSError) else never
        raise refused.at(wanted.role, wanted.frame, path) from error
    client.send_frame(messages.SupplyFrame(wanted.job, wanted.role, wanted.frame), content)


def failure(event: messages.MatteFailed, inline: Optional[InlineFrames]) -> VideoMaMaError:
    """Return the error that a job ended with; of a frame that this side sent, it names this side's own file."""
    if inline is None or event.frame is None or not event.file or event.role not in (messages.PLATE, messages.MASK):
        return event.error
    try:
        own = str(inline.file(event.role, event.frame))
    except KeyError:
        return event.error
    return replace(event, message=event.message.replace(event.file, own), file=own).error


def unreadable(path: object, error: OSError) -> BadInput:
    """Return what a person is told of a frame that this side cannot read."""
    return BadInput(f"cannot read {path}: {error.strerror}", "Check the file.")
