"""Jobs at the server: by path where it provably sees the same files, else inline, with the alphas fetched here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Callable, Optional

from videomama_client import messages, objects
from videomama_client.client import Client
from videomama_client.digests import content_digest
from videomama_client.disk_errors import disk_error
from videomama_client.errors import BadInput, NotPermitted, VideoMaMaError
from videomama_client.inline import InlineFrames, attended, unreadable
from videomama_client.job_file import NAME, JobFile
from videomama_client.prompts import Prompt
from videomama_client.whole_files import replacing


@dataclass(frozen=True)
class Sent:
    """A job under way.

    Attributes:
        job: its id.
        inline: the files to send when the server asks; None for a job by path.
        alpha: gives the file of a frame's alpha.
        sides: give the file of a frame's side result, by its kind, or such as `foreground of hero`.
        alphas: give the file of a frame's alpha for each object, by name, where each has files of its own.
        failed: why side results of an inline job could not be written here.
        job_file: is left beside the alphas as `job.json`; None leaves none.
    """

    client: Client
    job: str
    inline: Optional[InlineFrames]
    alpha: Callable[[int], Path]
    sides: Mapping[str, Callable[[int], Path]] = field(default_factory=dict)
    alphas: Mapping[str, Callable[[int], Path]] = field(default_factory=dict)
    failed: list[VideoMaMaError] = field(default_factory=list)
    job_file: Optional[JobFile] = None

    def events(self) -> Iterator[messages.JobEvent]:
        """Yield the job's events; the results of an inline job are fetched and written on the way.

        Raises:
            VideoMaMaError: as `Client.events`.
            NotPermitted: an alpha cannot be written here, and the job is cancelled; or a side result could not be, and
                all else is done.
        """
        for event in self.client.events(self.job, self.inline):
            self._keep(event)
            yield self._with_job_file(event)

    def finish(self, tell: Callable[[messages.JobEvent], None]) -> messages.MatteDone:
        """Return the result of the job; an interrupt cancels it on the server.

        Args:
            tell: is called with each event before the last.

        Raises:
            VideoMaMaError: as `events`.
            KeyboardInterrupt: the person pressed Ctrl-C.
        """
        try:
            for event in self.events():
                if isinstance(event, messages.MatteDone):
                    return event
                tell(event)
        except KeyboardInterrupt:
            self.client.cancel(self.job)
            raise
        raise AssertionError("events end with MatteDone or an error")

    def next_event(self, timeout: float) -> Optional[messages.JobEvent]:
        """Do the same for the next event, or return None when there is none to tell of within `timeout` seconds.

        Raises:
            VideoMaMaError: as `events`.
        """
        event = attended(self.client, self.client.next_event(self.job, timeout), self.inline)
        self._keep(event)
        return None if event is None else self._with_job_file(event)

    def _with_job_file(self, event: messages.JobEvent) -> messages.JobEvent:
        """Leave the file of a job that is done; where it cannot be written, the result has a warning."""
        if self.job_file is None or not isinstance(event, messages.MatteDone):
            return event
        try:
            self.job_file.leave(event, None if self.inline is None else self.alpha(1))
        except OSError as error:
            lost = f"cannot write {NAME} beside the alphas: {error.strerror or error}"
            return replace(event, warnings=[*event.warnings, lost])
        return event

    def _keep(self, event: Optional[messages.JobEvent]) -> None:
        """Fetch and write what an inline job has finished; at its end, raise why a side result could not be."""
        if self.inline is None:
            return
        if isinstance(event, messages.FrameDone):
            content = self.client.fetch_alpha(self.job, event.frame, name=event.object)
            try:
                _write(self.alphas.get(event.object, self.alpha)(event.frame), content)
            except OSError as error:
                self.client.cancel(self.job)
                raise disk_error(error, "Finished frames are cached.") from error
        elif isinstance(event, messages.SideFrameDone):
            called = objects.called(event.side_kind, event.object)
            path = self.sides[called](event.frame)
            content = self.client.fetch_alpha(self.job, event.frame, event.side_kind, event.object)
            try:
                _write(path, content)
            except OSError as error:
                told = disk_error(error, "All alphas are written, and finished frames are cached.")
                self.failed.append(told.at(called, event.frame, path))
        elif isinstance(event, messages.MatteDone) and self.failed:
            raise self.failed[0]


def _write(path: Path, content: bytes) -> None:
    with replacing(path, durable=True) as temporary:
        temporary.write_bytes(content)


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
    client: Client,
    request: messages.SubmitMatte,
    inline: Optional[InlineFrames],
    alpha: Callable[[int], Path],
    sides: Optional[Mapping[str, Callable[[int], Path]]] = None,
    alphas: Optional[Mapping[str, Callable[[int], Path]]] = None,
) -> Sent:
    """Submit a job.

    Args:
        client: of the server.
        request: the job as it is by path.
        inline: the files to offer by their digests; None sends the job by path.
        alpha: gives the file of a frame's alpha.
        sides: give the file of a frame's side result, by its kind, or such as `foreground of hero`, for those that the
            request names.
        alphas: give the file of a frame's alpha for each object, by name, where each has files of its own.

    Raises:
        BadInput: a file to offer cannot be read; it names role, frame and file.
        VideoMaMaError: the server refuses.
    """
    if inline is not None:
        inline = replace(inline, painted=_painted(request.prompts))
    job, left = client.submit(_offering(request, inline)), JobFile(request) if request.out else None
    return Sent(client, job, inline, alpha, sides or {}, alphas or {}, job_file=left)


def _offering(request: messages.SubmitMatte, inline: Optional[InlineFrames]) -> messages.SubmitMatte:
    """Return a request with the digests of the files to offer; a file that is plate and mask in one is read once."""
    if inline is None:
        return request
    numbers = sorted(inline.plate)
    known: dict[Path, str] = {}

    def digests(role: str, files: Mapping[int, Path], name: str = "") -> list[str]:
        for number in numbers if files else ():
            if files[number] not in known:
                known[files[number]] = _digest(role, number, files[number], name)
        return [known[files[number]] for number in numbers if files]

    of_masks = {name: digests(messages.MASK, files, name) for name, files in inline.objects.items()}
    return replace(
        request,
        inline=True,
        inline_frame_numbers=numbers,
        prompts=tuple(_with_digest(prompt) for prompt in request.prompts),
        plate_digests=digests(messages.PLATE, inline.plate),
        mask_digests=digests(messages.MASK, inline.mask),
        objects=tuple(replace(one, mask_digests=of_masks.get(one.name, [])) for one in request.objects),
    )


def _with_digest(prompt: Prompt) -> Prompt:
    """Return a prompt with the digest of its file, where it has one."""
    if not prompt.file:
        return prompt
    return replace(prompt, digest=_digest(prompt.role, prompt.frame or 0, Path(prompt.file), prompt.object))


def _painted(prompts: Iterable[Prompt]) -> dict[tuple[str, int], Path]:
    """Return the files of the key masks among prompts, by role and frame."""
    return {(one.role, one.frame): Path(one.file) for one in prompts if one.file and one.frame is not None}


def _digest(role: str, frame: int, path: Path, name: str) -> str:
    try:
        return content_digest(path)
    except OSError as error:
        raise unreadable(path, error).at(role, frame, path).of_object(name) from error
