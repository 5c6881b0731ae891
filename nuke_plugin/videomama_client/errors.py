"""The errors of the whole system, in eight kinds grouped by what the person can do about them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, Optional, TypeVar

_LONGEST = 8000  # characters: names of files may be of any length, and a message must fit on the wire


Error = TypeVar("Error", bound="VideoMaMaError")


class VideoMaMaError(Exception):
    """Anything that the person is told about.

    Options are named as on the command line, such as `--clip`; the Nuke plug-in names its knobs instead.

    Args:
        message: what happened, naming the file and frame where there is one.
        hint: what to do about it, in one sentence.
        role: whose picture it is about: `plate`, `mask`, `alpha`; empty where it is about none.
        frame: which frame of it; None where it is about none.
        file: which file, as the message names it; empty where it is about none.
    """

    code: ClassVar[str] = "internal"

    def __init__(
        self, message: str, hint: str = "", *, role: str = "", frame: Optional[int] = None, file: str = ""
    ) -> None:
        super().__init__(message)
        self.message = _cut(message)
        self.hint = _cut(hint)
        self.role = role
        self.frame = frame
        self.file = _cut(file)

    def at(self: Error, role: str = "", frame: Optional[int] = None, file: object = "") -> Error:
        """Return the error with its place, which the message begins with unless it named one before.

        Args:
            role, frame: what it is about; `mask`, 7 makes `mask frame 7: ...`.
            file: a path; what the error knew before stands.
        """
        place = " ".join([role] * bool(role) + [f"frame {frame}"] * (frame is not None))
        named = self.role or self.frame is not None
        message = f"{place}: {self.message}" if place and not named else self.message
        known = self.frame if self.frame is not None else frame
        return type(self)(message, self.hint, role=self.role or role, frame=known, file=self.file or str(file))

    def within(self: Error, part: str) -> Error:
        """Return the error with the part of the work that it is about first, such as `stage 2, classic`."""
        return type(self)(f"{part}: {self.message}", self.hint, role=self.role, frame=self.frame, file=self.file)

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class ServerUnreachable(VideoMaMaError):
    """No server answers: start it."""

    code = "server-unreachable"


class ProtocolError(VideoMaMaError):
    """A message is not of this protocol, or the two sides speak different versions: reinstall one."""

    code = "protocol"


class BadInput(VideoMaMaError):
    """A plate, mask or setting cannot be used: the message names the file and frame."""

    code = "bad-input"


class OutOfMemory(VideoMaMaError):
    """The job does not fit: lower the size or the window."""

    code = "out-of-memory"


class WeightsError(VideoMaMaError):
    """An engine's weights are missing or wrong: run the installer."""

    code = "weights"


class Cancelled(VideoMaMaError):
    """The person stopped the job."""

    code = "cancelled"


class NotPermitted(VideoMaMaError):
    """A path outside the roots, or a folder that may not be written."""

    code = "not-permitted"


class InternalError(VideoMaMaError):
    """A fault of this software: the hint says where the log is."""

    code = "internal"


_KINDS = {
    kind.code: kind
    for kind in (
        ServerUnreachable,
        ProtocolError,
        BadInput,
        OutOfMemory,
        WeightsError,
        Cancelled,
        NotPermitted,
        InternalError,
    )
}


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


@contextmanager
def placed(role: str = "", frame: Optional[int] = None, file: object = "") -> Iterator[None]:
    """Name the place in whatever goes wrong meanwhile; see `VideoMaMaError.at`."""
    try:
        yield
    except VideoMaMaError as error:
        raise error.at(role, frame, file) from error


@contextmanager
def option_called(option: str, own: str) -> Iterator[None]:
    """Name an option as the command that is running calls it: `--mask-channel` may be its `--alpha-channel`."""
    try:
        yield
    except VideoMaMaError as error:
        error.hint = error.hint.replace(option, own)
        raise


def kind_of(code: str) -> type[VideoMaMaError]:
    """Return the kind that a code of the wire stands for; one this side does not know is an `InternalError`."""
    return _KINDS.get(code, InternalError)
