"""Jobs at the server: by path where it provably sees the same files, else inline, with the alphas fetched here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, Optional

from videomama_client import messages
from videomama_client.client import Client
from videomama_client.digests import content_digest
from videomama_client.disk_errors import disk_error
from videomama_client.errors import BadInput, NotPermitted
from videomama_client.inline import InlineFrames, attended, unreadable
from videomama_client.whole_files import replacing


@dataclass(frozen=True)
class Sent:
    """A job under way.

    Attributes:
        job: its id.
        inline: the files to send when the server asks; None for a job by path.
        alpha: gives the file of a frame's alpha.
    """

    client: Client
    job: str
    inline: Optional[InlineFrames]
    alpha: Callable[[int], Path]

    def events(self) -> Iterator[messages.JobEvent]:
        """Yield the job's events; the alphas of an inline job are fetched and written on the way.

        Raises:
            VideoMaMaError: as `Client.events`.
            NotPermitted: an alpha cannot be written here; the job is cancelled.
        """
        for event in self.client.events(self.job, self.inline):
            self._keep(event)
            yield event

    def next_event(self, timeout: float) -> Optional[messages.JobEvent]:
        """Do the same for the next event, or return None when there is none to tell of within `timeout` seconds.

        Raises:
            VideoMaMaError: as `events`.
        """
        event = attended(self.client, self.client.next_event(self.job, timeout), self.inline)
        self._keep(event)
        return event

    def _keep(self, event: Optional[messages.JobEvent]) -> None:
        """Fetch and write the alpha that an inline job has finished."""
        if self.inline is None or not isinstance(event, messages.FrameDone):
            return
        content = self.client.fetch_alpha(self.job, event.frame)
        try:
            with replacing(self.alpha(event.frame), durable=True) as temporary:
                temporary.write_bytes(content)
        except OSError as error:
            self.client.cancel(self.job)
            raise disk_error(error, "Finished frames are cached.") from error


def goes_by_path(proof: Callable[[], bool], must: bool = False) -> bool:
    """Whether a job can go by path: the server provably sees the same files, and may open them.

    Args:
        proof: asks `Client.sees_file` and `Client.sees_folder`; that the server refuses to look is an answer too.
        must: whether the person asked for by path.

    Raises:
        BadInput, NotPermitted: it cannot, and `must`.
        OSError: this side cannot use the files itself.
    """
    try:
        seen = proof()
    except NotPermitted:  # outside of the server's roots
        if must:
            raise
        return False
    if must and not seen:
        raise BadInput("the server does not see the same files", "Mount the folders there, or use --transport inline.")
    return seen


def submit(
    client: Client, request: messages.SubmitMatte, inline: Optional[InlineFrames], alpha: Callable[[int], Path]
) -> Sent:
    """Submit a job.

    Args:
        client: of the server.
        request: the job as it is by path.
        inline: the files to offer by their digests; None sends the job by path.
        alpha: gives the file of a frame's alpha.

    Raises:
        BadInput: a file to offer cannot be read; it names role, frame and file.
        VideoMaMaError: the server refuses.
    """
    return Sent(client, client.submit(_offering(request, inline)), inline, alpha)


def _offering(request: messages.SubmitMatte, inline: Optional[InlineFrames]) -> messages.SubmitMatte:
    """Return a request with the digests of the files to offer; a file that is plate and mask in one is read once."""
    if inline is None:
        return request
    numbers = sorted(inline.plate)
    known: dict[Path, str] = {}
    for role in (messages.PLATE, messages.MASK) if inline.mask else (messages.PLATE,):
        for number in numbers:
            path = inline.file(role, number)
            if path not in known:
                known[path] = _digest(role, number, path)
    return replace(
        request,
        inline=True,
        inline_frame_numbers=numbers,
        plate_digests=[known[inline.plate[number]] for number in numbers],
        mask_digests=[known[inline.mask[number]] for number in numbers if inline.mask],
    )


def _digest(role: str, frame: int, path: Path) -> str:
    try:
        return content_digest(path)
    except OSError as error:
        raise unreadable(path, error).at(role, frame, path) from error
