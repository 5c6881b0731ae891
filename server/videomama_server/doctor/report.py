"""The whole report, from the interpreter to each Nuke; what takes long is looked at side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from videomama_client.errors import BadInput, WeightsError
from videomama_client.server_config import HINT

from videomama_server import running
from videomama_server.config import Config
from videomama_server.doctor import edges, graphics, machine, nukes, plugins, segment, serving, storage, weights
from videomama_server.doctor.lines import DoctorLine, good, problem, warning
from videomama_server.engines.videomama.checkpoint import layouts


def examine(connection_file: Path | None = None) -> list[DoctorLine]:
    """Look at everything; takes seconds and changes nothing.

    Args:
        connection_file: by default the config's.
    """
    flags = {"connection_file": connection_file}
    try:
        here = running.settle(flags)
        settled, lines = here.config, _config(here)
    except BadInput as error:
        lines = [problem("config", error.message, error.hint)]
        settled = replace(Config(), connection_file=connection_file or Config().connection_file)
    jobs: Sequence[Callable[[], list[DoctorLine]]] = (
        lambda: [machine.python(), machine.engine(), *plugins.examine()],
        lambda: _model(settled),
        lambda: serving.examine(settled.connection_file),
        lambda: [machine.ports(settled, serving.listens(settled.connection_file)), machine.clock(settled.cache_dir)],
        lambda: storage.examine(settled),
        nukes.examine,
    )
    with ThreadPoolExecutor(len(jobs)) as pool:
        for found in pool.map(_looked, jobs):
            lines += found
    return lines


def _config(here: running.Settled) -> list[DoctorLine]:
    """Say whether the config here is the running server's, which is what the rest of the report is about."""
    if not here.differing:
        return [good("config", "It can be read")]
    return [warning("config", str(known), HINT) for known in here.differing]


def _looked(job: Callable[[], list[DoctorLine]]) -> list[DoctorLine]:
    """Return the lines of one part, or one warning where a file cannot be looked at. The other parts still run."""
    try:
        return job()
    except OSError as error:
        return [warning("doctor", f"Not all could be looked at: {error}", "Get the permission to look there.")]


def _model(config: Config) -> list[DoctorLine]:
    seen = graphics.examine()
    held = weights.examine(config, bool(seen.torch.version), seen.torch.computes)
    held += [*segment.examine(config), *edges.examine(config)]
    return [*seen.lines(), *held, _automatic(config, seen.torch.computes)]


def _automatic(config: Config, computes: bool) -> DoctorLine:
    """Say which engine jobs get that name none."""
    if config.device == "cpu" or not computes:
        return good("engine auto", "It is classic here: there is no GPU that the model may use")
    try:
        layouts.find(config.weights)
    except WeightsError:
        return good("engine auto", "It is classic here: there are no weights of the model")
    return good("engine auto", "It is the model, videomama")
