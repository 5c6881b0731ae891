"""Does units of work as tasks of a Ray cluster; the only module that knows Ray."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import logging
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from videomama_client import __version__
from videomama_client.errors import BadInput, InternalError, ServerUnreachable, VideoMaMaError
from videomama_client.whole_files import mark
from videomama_client.wording import counted

from videomama_server.files import process_marks
from videomama_server.many_jobs import LastingClient, Listener, Result, Unit, Work
from videomama_server.own_server import OwnServer

LOCAL = "ray"  # in place of an address
TRIES_AGAIN = 3  # of a unit whose process or machine was lost
_IN_FLIGHT = 1024  # units that Ray knows of at once; more than any cluster does, so that one may grow
_ANSWER_S = 10.0
_MARK = ".cluster-"
_STORE = 128 * 2**20  # bytes; units and results are small
_ADDRESS = "RAY_ADDRESS"
_TOKEN = "RAY_AUTH_TOKEN"  # noqa: S105 - the name of a variable
_NO_STATISTICS = {"RAY_USAGE_STATS_ENABLED": "0"}
_WITH_TOKEN = {"RAY_AUTH_MODE": "token"}
_AT_ONCE = {"RAY_DEDUP_LOGS": "0"}  # else Ray repeats messages when the program ends
_LOOPBACK_ONLY = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # Ray's way to say so, on Linux too


def check_installed() -> None:
    """Raise `BadInput` where Ray is not installed."""
    if importlib.util.find_spec("ray") is None:
        raise BadInput("--on needs Ray, which is not installed", "Install it: pip install 'videomama-bridge[cluster]'.")


@dataclass
class _Notes:
    """What a unit told of its progress on another machine."""

    told: list[tuple[str, Any]] = field(default_factory=list)

    def unit(self, name: str) -> None:
        self.told.append(("unit", name))

    def step(self, count: int = 1) -> None:
        self.told.append(("step", count))

    def say(self, text: str) -> None:
        self.told.append(("say", text))

    def tell(self, listener: Listener) -> None:
        for method, value in self.told:
            getattr(listener, method)(value)


@dataclass(frozen=True)
class _Site:
    """What a machine must have in common with the one that sends it units.

    Attributes:
        version: of this software.
        mark: a file that was just written into the folder of the results.
        gpus: of a unit.
    """

    version: str
    mark: Path
    gpus: int

    def check(self) -> None:
        """Raise `BadInput` where this machine has another version, or another folder of that name."""
        here = socket.gethostname()
        if self.version != __version__:
            raise BadInput(
                f"{here} has version {__version__} of videomama, and the units are of {self.version}",
                "Install the same version on all machines of the cluster.",
            )
        if not self.mark.is_file():
            raise BadInput(
                f"{here} does not see the folder {self.mark.parent} of this machine",
                "Give --out and the data on a disk that all machines of the cluster mount at the same place.",
            )


@dataclass(frozen=True)
class RayDoer:
    """Does units as tasks of a Ray cluster, many at once; one that is lost with its machine is done again.

    Args:
        address: `ray` for the cluster that $RAY_ADDRESS names, or else a cluster of this machine alone that lasts as
            long as the units; `ray://HOST:PORT`, `HOST:PORT` or `auto` for a cluster that runs.
        gpus: that each unit takes of a machine, 0 or 1. Its server computes on that one, or on the CPU.
        folder: of the results, at the same place on all machines.
    """

    address: str
    gpus: int
    folder: Path

    def do(
        self, work: Work[Unit, Result], units: Sequence[Unit], listener: Listener
    ) -> Iterator[tuple[int, Result | VideoMaMaError]]:
        """See `many_jobs.Doer.do`. What units tell of their progress is heard when each is done.

        Raises:
            BadInput: the cluster lets nobody in without its token or has another version, a machine does not see the
                folder, or there is no GPU and none can come.
            ServerUnreachable: no cluster answers, or the server of a unit was lost each time that it was tried.
        """
        with _marked(self.folder) as seen, self._connected() as ray:
            self._check_gpus(ray, listener)
            yield from self._results(ray, work, units, _Site(__version__, seen, self.gpus), listener)

    def _results(
        self, ray: Any, work: Work[Unit, Result], units: Sequence[Unit], site: _Site, listener: Listener
    ) -> Iterator[tuple[int, Result | VideoMaMaError]]:
        task = ray.remote(
            num_cpus=1,
            num_gpus=self.gpus,
            max_calls=0,  # the process stays, and with it the server and its engine
            max_retries=TRIES_AGAIN,
            retry_exceptions=[ServerUnreachable],
        )(_do)
        shared = ray.put(work)
        rest = iter(enumerate(units))
        waiting: dict[Any, int] = {}
        while True:
            for place, unit in islice(rest, _IN_FLIGHT - len(waiting)):
                waiting[task.remote(shared, unit, site)] = place
            if not waiting:
                return
            for done in ray.wait(list(waiting))[0]:
                yield waiting.pop(done), _result(ray, done, listener)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Any]:
        """Connect to the cluster, or start one, and leave it at the end, which ends one that was started."""
        named = os.environ.get(_ADDRESS, "") if self.address == LOCAL else self.address
        os.environ.update(_NO_STATISTICS | _WITH_TOKEN | _AT_ONCE)
        alone: dict[str, Any] = {}
        if not named:
            os.environ.update({**_LOOPBACK_ONLY, _TOKEN: secrets.token_hex(32)})
            alone = {"include_dashboard": False, "object_store_memory": _STORE}
        _check_listens(named)
        import ray  # reads these variables, and takes long

        with contextlib.chdir(sys.prefix):  # Ray's processes may import modules from the folder of their start
            try:
                ray.init(named or "local", log_to_driver=False, logging_level=logging.ERROR, **alone)
            except (ConnectionError, TimeoutError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
                raise _refused(named or "this machine", error) from error
        try:
            with contextlib.redirect_stdout(sys.stderr):  # Ray prints what it does again; results go to the other
                yield ray
        finally:
            ray.shutdown()

    def _check_gpus(self, ray: Any, listener: Listener) -> None:
        if not self.gpus or ray.cluster_resources().get("GPU"):
            return
        if self.address == LOCAL and not os.environ.get(_ADDRESS):
            raise BadInput("this machine has no GPU that Ray can use", "To compute on the CPU, give --gpus 0.")
        listener.say("No machine of the cluster has a GPU yet. The clips wait for one; --gpus 0 computes on CPUs.")


def _do(work: Work[Unit, Result], unit: Unit, site: _Site) -> tuple[Result, _Notes]:
    """Do a unit on a machine of the cluster, with this process's own server."""
    site.check()
    notes, client = _Notes(), LastingClient(_server(site.gpus).connect)
    try:
        return work(unit, client, notes), notes
    finally:
        client.drop()


@functools.cache
def _server(gpus: int) -> OwnServer:
    """Return this process's server: Ray shows the process one GPU, or none."""
    return OwnServer(["--device", "auto" if gpus else "cpu"])


def _result(ray: Any, done: Any, listener: Listener) -> Any:
    """Return what a unit resulted in, or the error of one that was lost; raises its `VideoMaMaError`."""
    try:
        found, notes = ray.get(done)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        lost = f"its process or machine was lost {counted(1 + TRIES_AGAIN, 'time')}: {_first_sentence(error)}"
        return InternalError(lost, "Run the command again, or look at the logs of the cluster.")
    notes.tell(listener)
    return found


def _check_listens(address: str) -> None:
    """Raise `ServerUnreachable` where nobody listens at `HOST:PORT`: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return  # a word of Ray's
    try:
        socket.create_connection((host, int(port)), _ANSWER_S).close()
    except (OSError, OverflowError) as error:
        raise _refused(address, ConnectionError(str(error))) from error


def _refused(place: str, error: Exception) -> VideoMaMaError:
    """Return the error of a connection that failed."""
    reason = _first_sentence(error)
    if "token" in reason.lower() or "auth" in type(error).__name__.lower():
        return BadInput(
            f"the Ray cluster at {place} does not let this machine in: {reason}",
            "Start all its machines with RAY_AUTH_MODE=token, and put their token into ~/.ray/auth_token here.",
        )
    if isinstance(error, RuntimeError | ValueError):
        return BadInput(
            f"cannot use the Ray cluster at {place}: {reason}", "Use the same Ray and Python on all machines."
        )
    return ServerUnreachable(
        f"no Ray cluster answers at {place}: {reason}", "Start one, and use its token: see docs/labelling.md."
    )


def _first_sentence(error: Exception) -> str:
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return line.partition(". ")[0]


@contextlib.contextmanager
def _marked(folder: Path) -> Iterator[Path]:
    """Write a file into a folder by which other machines know it, and remove it at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{_MARK}*"):
        if process_marks.left_behind(old, old.name.removeprefix(_MARK)):  # its command was killed
            old.unlink(missing_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{_MARK}{mark()}", dir=folder)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
