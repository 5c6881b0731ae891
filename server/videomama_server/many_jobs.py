"""What programs that run many jobs share: units of work and who does them, a lasting client, batch jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, TypeVar

from videomama_client.client import Client
from videomama_client.errors import VideoMaMaError
from videomama_client.messages import BATCH
from videomama_client.prompts import MASK, Prompt
from videomama_client.settings import MatteSettings

from videomama_server.media.sequences import whole_range
from videomama_server.submission import Submission

_NO_KEYS: Mapping[int, Path] = MappingProxyType({})
Unit = TypeVar("Unit")
Result = TypeVar("Result")


class Listener(Protocol):
    """Receive the progress of units of work."""

    def unit(self, name: str) -> None:
        """A unit, or a part of one, is taken up."""

    def step(self, count: int = 1) -> None:
        """Some steps of it are done: frames that were computed or measured."""

    def say(self, text: str) -> None:
        """Something is worth a line."""


class LastingClient:
    """A client of a server that runs: connected when it is first needed, and again after it was dropped.

    Args:
        connect: returns such a client.
    """

    def __init__(self, connect: Callable[[], Client]) -> None:
        self._connect = connect
        self._client: Client | None = None

    def get(self) -> Client:
        """Return the client; raises as `connect`."""
        if self._client is None:
            self._client = self._connect()
        return self._client

    def drop(self) -> None:
        """Close it, because its server was lost or nothing is left to do."""
        if self._client is not None:
            self._client.close()
            self._client = None


Work = Callable[[Unit, LastingClient, Listener], Result]


class Doer(Protocol):
    """Does units of work, in this process or elsewhere."""

    def do(
        self, work: Work[Unit, Result], units: Sequence[Unit], listener: Listener
    ) -> Iterator[tuple[int, Result | VideoMaMaError]]:
        """Do all units, and yield the place of each in `units` with its result as it is done.

        Args:
            work: does one unit with a server. What it has to keep it puts into files.
            units: what to do; small, as they may be sent to another machine.
            listener: receives the progress.

        Yields:
            An error stands for a unit whose process or machine was lost each time that it was tried.

        Raises:
            VideoMaMaError: as `work`; the units after it are not done.
        """


class OneByOne:
    """Does units one after the other in this process, with one server.

    Args:
        connect: returns a client of a server that runs; called again when the one before was lost.
    """

    def __init__(self, connect: Callable[[], Client]) -> None:
        self._connect = connect

    def do(self, work: Work[Unit, Result], units: Sequence[Unit], listener: Listener) -> Iterator[tuple[int, Result]]:
        """See `Doer.do`."""
        client = LastingClient(self._connect)
        try:
            for place, unit in enumerate(units):
                yield place, work(unit, client, listener)
        finally:
            client.drop()


def job_of(
    plate: str | Path, out: Path, settings: MatteSettings, numbers: Sequence[int], keys: Mapping[int, Path] = _NO_KEYS
) -> Submission:
    """Return a job behind those of people, without masks, that leaves no job file.

    Args:
        plate: pattern of the plates.
        out: pattern of the alphas.
        settings: of its engine.
        numbers: frames of the clip.
        keys: by frame, painted masks that the engine follows.
    """
    return Submission(
        plate=str(Path(plate).absolute()),
        mask="",
        out=str(out.absolute()),
        settings=settings,
        clip=whole_range(numbers),
        priority=BATCH,
        prompts=tuple(Prompt(MASK, number, file=str(path.absolute())) for number, path in keys.items()),
        no_job_file=True,
    )
