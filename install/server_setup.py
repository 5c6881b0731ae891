"""The verb `server`: the environment with the project in it, and the build of torch that fits the machine."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch_build
from interpreter import find
from job import Job
from locking import held
from prepare import look, prepare

MODEL = "videomama"  # the extra that brings torch
WEB = "web"  # the extra of the local web page


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--cpu", action="store_true", help="take torch for the processor, also where there is a GPU")


def run(job: Job) -> int:
    """Set the server up and return 0.

    Raises:
        InstallError: the environment cannot be made, or packages cannot be had.
    """
    build = _build(job)
    prepare(job.request(WEB))
    if brings_model(job):
        with held(job.environment.lock):
            torch_build.ensure(job.root, job.environment, build, job.source)
        prepare(job.request(MODEL, WEB))
    else:
        print("The bundle was made without the model: the engine classic is set up.")
    print(f"The server is ready: {job.environment.script('videomama')} serve, or let Nuke start it.")
    return 0


def plan_lines(job: Job) -> list[str]:
    """Say what `run` would do; nothing is changed."""
    environment = job.environment
    state = look(job.request(WEB))
    made = "will be created, about 0.7 GB" if state.python is None or state.rebuild else "will be updated"
    lines = [f"server: {environment.path} {'is there already' if state.ready else made}"]
    if not brings_model(job):
        return [*lines, "torch: not in the bundle; the engine classic needs none"]
    build = _build(job)
    found = torch_build.present(environment) if environment.interpreter() else None
    if found is not None and torch_build.fits(found, torch_build.pinned(job.root), build):
        return [*lines, f"torch: {found.version} is there and fits ({build.reason})"]
    kind = "for the GPU" if build.for_gpu else "for the processor"
    return [*lines, f"torch: {torch_build.pinned(job.root)} {kind} ({build.reason}), about {build.gigabytes:g} GB"]


def brings_model(job: Job) -> bool:
    """Whether torch can be had: everywhere but from a bundle that was made without it."""
    return job.source.wheels is None or MODEL in job.source.extras


def finds_gpu(job: Job) -> bool:
    """Whether torch is set up for a GPU of this machine."""
    return _build(job).for_gpu


def home_warnings(job: Job) -> list[str]:
    """Warn where other users are to run the environment and cannot read the Python that it is made with."""
    home, python = Path.home().resolve(), Path(find(job.options.python).executable).resolve()
    if not python.is_relative_to(home) or job.root.resolve().is_relative_to(home):
        return []
    return [f"warning: {python} lies in your own home. Others who use {job.root} cannot run it: choose --python PATH"]


def _build(job: Job) -> torch_build.Build:
    return torch_build.choose(torch_build.find_gpu(), cpu=job.options.cpu)
