"""The errors of the whole system, in eight kinds grouped by what the person can do about them."""

from __future__ import annotations

from typing import ClassVar

_LONGEST = 8000  # characters: names of files may be of any length, and a message must fit on the wire


class VideoMaMaError(Exception):
    """Anything that the person is told about.

    Args:
        message: what happened, naming the file and frame where there is one.
        hint: what to do about it, in one sentence.
    """

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = _cut(message)
        self.hint = _cut(hint)

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


def from_code(code: str, message: str, hint: str) -> VideoMaMaError:
    """Rebuild an error that came over the wire; a code this side does not know is an `InternalError`."""
    return _KINDS.get(code, InternalError)(message, hint)
