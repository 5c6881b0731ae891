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

    Attributes:
        object: which of several objects it is about; empty where it is about none.

    Example:
        >>> print(BadInput("the file is empty", "Render it again.").at("mask", 7))
        mask frame 7: the file is empty
        Render it again.
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
        self.object = ""

    def at(self: Error, role: str = "", frame: Optional[int] = None, file: object = "") -> Error:
        """Return the error with its place, which the message begins with unless it named one before.

        Args:
            role: whose picture it is about; `mask` with frame 7 makes `mask frame 7: ...`.
            frame: its number.
            file: a path; what the error knew before stands.
        """
        place = " ".join([role] * bool(role) + [f"frame {frame}"] * (frame is not None))
        named = self.role or self.frame is not None
        message = f"{place}: {self.message}" if place and not named else self.message
        known = self.frame if self.frame is not None else frame
        placed = type(self)(message, self.hint, role=self.role or role, frame=known, file=self.file or str(file))
        return placed.of_object(self.object)

    def within(self: Error, part: str) -> Error:
        """Return the error with the part of the work that it is about first, such as `stage 2, classic`."""
        message = f"{part}: {self.message}"
        named = type(self)(message, self.hint, role=self.role, frame=self.frame, file=self.file)
        return named.of_object(self.object)

    def of_object(self: Error, name: str) -> Error:
        """Note which of several objects the error is about, and return it; the message stays."""
        self.object = name
        return self

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
def naming(part: str, name: str = "") -> Iterator[None]:
    """Name a part of the work in whatever goes wrong meanwhile; see `VideoMaMaError.within`.

    Args:
        part: such as `stage 2, classic`; empty names nothing.
        name: of the object that it is of; empty for the one that the error knows.
    """
    try:
        yield
    except VideoMaMaError as error:
        if not part:
            raise
        raise error.within(part).of_object(name or error.object) from error


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
