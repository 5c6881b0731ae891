"""Submits a job of the history once more, as it was; its paths must lie in folders that may be browsed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from videomama_client.client import Client
from videomama_client.errors import BadInput
from videomama_client.job_records import WEB, this_submitter
from videomama_client.messages import SubmitMatte

from videomama_server.media import sequences
from videomama_server.web.site import Site


def again(site: Site, client: Client, job: str) -> str:
    """Submit a job once more and return the id of the new one.

    Raises:
        BadInput: there is no such job, what it asked for is not kept, or its client sent the pictures.
        NotPermitted: one of its paths lies outside `roots`.
    """
    described = client.describe_job(job)
    if described.submitted is None:
        raise not_kept()
    if described.state.inline:
        raise BadInput("the client of this job sent its pictures", "Run it again from that client.")
    for path in _paths(described.submitted):
        site.permit(path)
    return client.submit(
        replace(described.submitted, request=uuid.uuid4().hex, inline=False, submitter=this_submitter(WEB))
    )


def not_kept() -> BadInput:
    """Return the error of a job whose request is not in the history any more."""
    return BadInput("what this job asked for is not kept any more", "Fill in the Run page instead.")


def _paths(job: SubmitMatte) -> Iterator[Path]:
    """Yield the folders and files that a job reads and writes."""
    patterns = [
        job.plate,
        job.mask,
        job.out,
        *(one.mask for one in job.objects),
        *(one.out for one in job.side_results),
    ]
    for pattern in filter(None, patterns):
        yield sequences.parse(pattern).folder
    for prompt in job.prompts:
        if prompt.file:
            yield Path(prompt.file)
    options = [*job.settings.engine_options, *(option for stage in job.then for option in stage.options)]
    for option in options:
        if option.name == "weights" and isinstance(option.value, str) and option.value:
            yield Path(option.value)
