"""Whether a shot is finished: everything it writes is there, and was made of these files as it is asked for now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from videomama_client.errors import VideoMaMaError
from videomama_client.job_file import MADE, job_file_of

from videomama_server.media import sequences
from videomama_server.submission import Submission, input_stamp


def is_finished(order: Submission, wanted: Sequence[int], outputs: Iterable[str]) -> bool:
    """Whether a job has nothing left to do, as far as its `job.json` and the files tell; no picture is opened.

    Args:
        order: the job.
        wanted: its frames.
        outputs: patterns of all that it writes.
    """
    said = job_file_of(order.out)
    made = said.get(MADE) if said else None
    if not order.asked or not isinstance(made, dict) or made.get("asked") != order.asked:
        return False
    try:
        if made.get("files") != input_stamp(order):
            return False
        patterns = [sequences.parse(text) for text in outputs]
    except VideoMaMaError:  # the job tells what is wrong with the files
        return False
    return all(pattern.path(frame).is_file() for pattern in patterns for frame in wanted)
