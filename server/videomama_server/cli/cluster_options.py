"""Options of commands whose clips may be done on a Ray cluster: which cluster, and whether a clip takes a GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
from videomama_client import launch
from videomama_client.client import Client
from videomama_client.engine_settings import AUTO

from videomama_server import cluster, config, engines
from videomama_server.cli.usage import WrongUse
from videomama_server.cluster import RayDoer
from videomama_server.many_jobs import Doer, OneByOne
from videomama_server.own_server import OwnServer

Command = TypeVar("Command", bound=Callable[..., Any])
_ON = (
    "Do the clips on a Ray cluster: ray for one of this machine alone, or ray://HOST:PORT, HOST:PORT or auto for one "
    "that runs. See docs/labelling.md."
)
_GPUS = "GPUs that a clip takes, with --on. By default 1, or 0 where the engines compute on the CPU."


def cluster_options(command: Command) -> Command:
    """Add `--on` and `--gpus`."""
    for option in (
        click.option("--gpus", type=click.IntRange(0, 1), help=_GPUS),
        click.option("--on", metavar="CLUSTER", help=_ON),
    ):
        command = option(command)
    return command


class Place:
    """Where the clips of a command are done: here through the running server, or on a cluster.

    Args:
        on: the cluster; None for here.
        gpus: that a clip takes; None finds out.
        connection_file: that the person named; None for the usual one.
        no_start: whether no server is started when none runs.

    Attributes:
        config: of this machine.

    Raises:
        BadInput: Ray is not installed.
        WrongUse: an option has no effect on a cluster, or none without one.
    """

    def __init__(self, on: str | None, gpus: int | None, connection_file: Path | None, no_start: bool) -> None:
        if on is None and gpus is not None:
            raise WrongUse(
                "--gpus is given without --on", "Leave it out: the server's config says what it computes on."
            )
        if on is not None and (connection_file or no_start):
            wrong = "--connection-file" if connection_file else "--no-start"
            raise WrongUse(
                f"{wrong} cannot be given with --on", "Leave it out: each clip gets a server of the cluster."
            )
        self._on, self._gpus = on, gpus
        self.config = config.load({"connection_file": connection_file})
        if on is None:
            self.connect: Callable[[], Client] = partial(
                launch.connect, self.config.connection_file, start=not no_start
            )
        else:
            cluster.check_installed()
            self.connect = OwnServer(["--device", "cpu"]).connect  # only asked, and gone with the command

    def doer(self, names: Iterable[str], folder: Path) -> Doer:
        """Return who does the clips.

        Args:
            names: of all engines that take part.
            folder: of the results, absolute.

        Raises:
            WrongUse: an engine is `auto`, which may stand for another one on each machine of a cluster.
        """
        if self._on is None:
            return OneByOne(self.connect)
        names = list(names)
        if AUTO in names:
            raise WrongUse(
                "--on needs the name of each engine: auto may take another one on each machine",
                "Name it with --engine, such as videomama or classic.",
            )
        return RayDoer(self._on, self._gpus_of(names), folder)

    def _gpus_of(self, names: Iterable[str]) -> int:
        if self._gpus is not None:
            return self._gpus
        return int(self.config.device != "cpu" and any(map(engines.needs_device, names)))
