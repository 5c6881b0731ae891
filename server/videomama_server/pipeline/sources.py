"""Where plate and mask frames come from: files that both sides see, bytes from the client, or an earlier stage."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from videomama_client.errors import BadInput, Cancelled, InternalError, NotPermitted, placed
from videomama_client.messages import MASK

from videomama_server import heartbeat
from videomama_server.cache.memo import FileId, Stamp
from videomama_server.files.access import permit
from videomama_server.media import sequences
from videomama_server.media.links import refuse_dead_link
from videomama_server.media.movie_frame import like
from videomama_server.media.movies.numbering import lost_of

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

    def digest(self, frame: int) -> str | None:
        """Return what stands for the frame's pixels in keys, where that is known whatever the file says; else None."""
        ...

    def path(self, frame: int) -> Path:
        """Return a file that can be read now; may wait for it."""
        ...

    def release(self, frame: int) -> None:
        """Say that the file is not needed for now."""
        ...

    def lost(self) -> Iterable[int]:
        """Return the numbers of frames that are known to be damaged, or missing at the end of a movie."""
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

    def digest(self, frame: int) -> None:
        """Return None: only its pixels tell."""

    def path(self, frame: int) -> Path:
        """Return the file itself, links resolved: a link that is set anew after it was looked at leads nowhere else."""
        return like(self._files[frame], permit(self._files[frame], self._roots))

    def release(self, frame: int) -> None:
        """Do nothing: the file is the client's."""

    def lost(self) -> Iterable[int]:
        """Return what the index of a movie says."""
        return lost_of(self._files)


class KeyMaskSource(DiskSource):
    """A painted frame in a file that the server sees.

    Args:
        role: what messages call it.
        frame: that it is painted on.
        file: of the picture.
        roots: as of `DiskSource`.

    Raises:
        BadInput: it is not there.
        NotPermitted: it lies outside `roots`.
    """

    def __init__(self, role: str, frame: int, file: Path, roots: Iterable[Path]) -> None:
        self.role = role
        self.text = str(file)
        self.suffix = file.suffix
        self._roots = tuple(roots)
        self._files = {frame: file}
        permit(file, self._roots)
        if not file.is_file():
            raise BadInput(f"the {role} {file} is not there", "Check the name of the file.", role=role, frame=frame)


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

    def digest(self, frame: int) -> None:
        """Return None: only its pixels tell."""

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

    def lost(self) -> Iterable[int]:
        """Return none: each is a file of its own."""
        return ()


class NoMasks:
    """The masks of a job that has none, as its first stage makes them: one of zeros on each frame of the plate."""

    role = MASK
    text = suffix = ""

    def __init__(self, plate: Source) -> None:
        self._plate = plate

    def frames(self) -> Iterable[int]:
        """Return the numbers of the plate's frames."""
        return self._plate.frames()

    def identify(self, frame: int) -> FileId:  # noqa: ARG002  (all are alike)
        """Return what stands for all of them."""
        return FileId(Path("none"), "", Stamp(0, 0, 0))

    def digest(self, frame: int) -> str:  # noqa: ARG002  (all are alike)
        """Return what stands for all of them."""
        return "no mask"

    def path(self, frame: int) -> Path:
        """Raise `InternalError`: there is no file to read."""
        raise InternalError("the job has no masks to read", role=self.role, frame=frame)

    def release(self, frame: int) -> None:
        """Do nothing: there is no file."""

    def lost(self) -> Iterable[int]:
        """Return none: each is a file of its own."""
        return ()


class AlphaLost(InternalError):
    """An alpha of an earlier stage is no longer in the cache: it is to be computed again."""


class EntrySource:
    """The alphas of one stage as the masks of the next, read from the cache. A frame's digest is the key of its entry.

    Args:
        stage: a person's name of the stage that the alphas are of.
        keys: of the entries, by frame.
        look_up: returns the whole entry of a key, or None.
    """

    role = "alpha"
    suffix = ".exr"

    def __init__(self, stage: str, keys: Mapping[int, str], look_up: Callable[[str], Path | None]) -> None:
        self.text = f"the alphas of {stage}"
        self._keys = keys
        self._look_up = look_up

    def frames(self) -> Iterable[int]:
        """Return the numbers of the frames whose keys are known."""
        return self._keys.keys()

    def identify(self, frame: int) -> FileId:
        """Return the key in place of a path and stat."""
        key = self._keys[frame]
        return FileId(Path("entry", key[:2]), key, Stamp(0, 0, 0))  # the memo keeps a folder's facts in one file

    def digest(self, frame: int) -> str:
        """Return the key of the entry: what it was made from tells what it is."""
        return self._keys[frame]

    def path(self, frame: int) -> Path:
        """Return the entry's file.

        Raises:
            AlphaLost: it is not there, or damaged.
        """
        entry = self._look_up(self._keys[frame])
        if entry is None:
            raise AlphaLost(
                f"{self.text} were removed from the cache while the job needed them (frame {frame})",
                "Let nothing but the server remove files from its cache folder, then run the job again.",
                role=self.role,
                frame=frame,
            )
        return entry

    def release(self, frame: int) -> None:
        """Do nothing: the file is the cache's."""

    def lost(self) -> Iterable[int]:
        """Return none: each is a file of its own."""
        return ()


def by_frame(frames: Sequence[int], digests: Sequence[str]) -> dict[int, str]:
    """Pair frames with digests; raises `BadInput` when they do not pair up."""
    if len(frames) != len(digests) or not frames or len(set(frames)) != len(frames):
        raise BadInput("an inline job must give one plate and one mask digest per frame", "Update the client.")
    return dict(zip(frames, digests, strict=True))
