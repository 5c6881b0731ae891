"""Where a job's plate and mask frames come from: files that both sides see, or bytes that the client sends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from videomama_client.errors import BadInput, Cancelled, NotPermitted, placed

from videomama_server import heartbeat
from videomama_server.cache.memo import FileId, Stamp
from videomama_server.files.access import permit
from videomama_server.media import sequences
from videomama_server.media.links import refuse_dead_link

_POLL_S = 0.2


class Source(Protocol):
    """The frames of one role (plate or mask) of one job."""

    role: str
    text: str  # the pattern, as the client wrote it
    suffix: str  # of the frames' own names, which says their format

    def frames(self) -> Iterable[int]:
        """Return the numbers of the frames there are."""
        ...

    def identify(self, frame: int) -> FileId:
        """Return what the memo knows the frame's file by."""
        ...

    def path(self, frame: int) -> Path:
        """Return a file that can be read now; may wait for it."""
        ...

    def release(self, frame: int) -> None:
        """Say that the file is not needed for now."""
        ...


class DiskSource:
    """Frames in files that the server sees under the client's own path.

    Raises:
        BadInput: no frames match `pattern`.
        NotPermitted: it lies outside `roots`.
    """

    def __init__(self, role: str, pattern: str, roots: Iterable[Path]) -> None:
        self.role = role
        self.text = pattern
        self._roots = tuple(roots)
        parsed = sequences.parse(pattern)
        self.suffix = parsed.suffix
        permit(parsed.folder, self._roots)
        permit(parsed.folder / parsed.name, self._roots)  # a folder in its place would be listed
        self._files = sequences.find(parsed, role)

    def frames(self) -> Iterable[int]:
        """Return the frame numbers on disk."""
        return self._files.keys()

    def identify(self, frame: int) -> FileId:
        """Stat the file; it must lie under the roots, since the memo may know its pixels without opening it."""
        if self._roots:
            permit(self._files[frame], self._roots)
        file = self._files[frame]
        with placed(self.role, frame, file):
            try:
                return FileId.of(file)
            except PermissionError as error:
                raise NotPermitted(f"{file} may not be read", "Check the file's permissions.") from error
            except OSError as error:
                refuse_dead_link(file)  # links in a circle as well
                if not isinstance(error, FileNotFoundError):
                    raise
                raise BadInput(f"{file} was removed", "Render it again.") from error

    def path(self, frame: int) -> Path:
        """Return the file itself, links resolved: a link that is set anew after it was looked at leads nowhere else."""
        return permit(self._files[frame], self._roots)

    def release(self, frame: int) -> None:
        """Do nothing: the file is the client's."""


class SpoolSource:
    """Frames that the client sends when asked, known by the digest of their bytes.

    Args:
        role: plate or mask.
        files: pattern that names the spool's files.
        digests: BLAKE2b of each frame's bytes, by frame.
        want: asks the client for one frame.
        cancelled: set when the job was stopped.
    """

    def __init__(
        self,
        role: str,
        files: sequences.Pattern,
        digests: dict[int, str],
        want: Callable[[str, int], None],
        cancelled: threading.Event,
    ) -> None:
        self.role = role
        self.text = files.text
        self.suffix = files.suffix
        self._pattern = files
        self._digests = digests
        self._want = want
        self._cancelled = cancelled
        self._arrived: dict[int, threading.Event] = {}
        self._lock = threading.Lock()

    def frames(self) -> Iterable[int]:
        """Return the frame numbers that the client has."""
        return self._digests.keys()

    def identify(self, frame: int) -> FileId:
        """Return the content's digest in place of a path and stat."""
        return FileId(Path("inline"), self._digests[frame], Stamp(0, 0, 0))

    def path(self, frame: int) -> Path:
        """Ask the client for the frame and wait until its bytes are in the spool, or the job is stopped."""
        with self._lock:
            asked = frame in self._arrived
            arrived = self._arrived.setdefault(frame, threading.Event())
        if not asked:
            self._want(self.role, frame)
        while not arrived.wait(_POLL_S):
            heartbeat.beat()  # the client is slow, not this process
            if self._cancelled.is_set():
                raise Cancelled("the job was cancelled")
        return self._pattern.path(frame)

    def supplied(self, frame: int) -> None:
        """Note that a frame's bytes lie in the spool."""
        with self._lock:
            self._arrived.setdefault(frame, threading.Event()).set()

    def release(self, frame: int) -> None:
        """Delete the bytes; they are asked for again when they are needed again."""
        with self._lock:
            self._arrived.pop(frame, None)
        self._pattern.path(frame).unlink(missing_ok=True)


def by_frame(frames: Sequence[int], digests: Sequence[str]) -> dict[int, str]:
    """Pair frames with digests; raises `BadInput` when they do not pair up."""
    if len(frames) != len(digests) or not frames or len(set(frames)) != len(frames):
        raise BadInput("an inline job must give one plate and one mask digest per frame", "Update the client.")
    return dict(zip(frames, digests, strict=True))
