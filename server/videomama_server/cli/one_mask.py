"""What a person is told who gives a mask of one frame for a clip of several: how it is followed through the clip."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from videomama_client.errors import BadInput
from videomama_client.messages import MASK

from videomama_server.media import sequences
from videomama_server.submission import Submission


@contextmanager
def proposing_key_mask(order: Submission) -> Iterator[None]:
    """Answer that masks are missing with the option that needs only one, where there is only one."""
    try:
        yield
    except BadInput as error:
        proposal = _proposal(order, error)
        if proposal is None:
            raise
        raise proposal from error


def _proposal(order: Submission, error: BadInput) -> BadInput | None:
    """Return the better error; None where the error is not of a mask that is missing beside the only one."""
    if error.role != MASK or error.frame is None or not order.mask or order.prompts:
        return None
    pattern, clip = sequences.parse(order.mask), order.clip_frames()
    masks = sequences.find(pattern, MASK)
    if len(masks) != 1 or len(clip) < 2 or error.frame in masks:
        return None
    ((frame, path),) = masks.items()
    named = shlex.quote(f"{frame}:{path}" if frame in clip else str(path))
    return BadInput(
        f"the only mask is {path.name}, and the clip is {sequences.format_range(clip)}",
        f"To follow it through the clip, replace --mask by: --maker sam2 --key-mask {named}\n"
        "On a locked-off shot, take --maker held.",
        role=MASK,
        frame=error.frame,
    )
