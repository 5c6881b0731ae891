"""Which frames the client of an inline job announced: the digest of each, and the key masks among them."""

from __future__ import annotations

from videomama_client.messages import MASK, PLATE, SubmitMatte
from videomama_client.prompts import MASK as KEY_MASK
from videomama_client.prompts import Prompt


def digest_of(request: SubmitMatte, role: str, frame: int, name: str = "") -> str | None:
    """Return the digest of an inline frame's bytes, or None when the job has no such frame.

    Args:
        request: of the job.
        role, frame: whose and which it is.
        name: of the object whose mask it is, where there are several.
    """
    painted = key_mask_of(request, role, frame)
    if painted is not None:
        return painted.digest or None
    of_masks = {"": request.mask_digests, **{one.name: one.mask_digests for one in request.objects}}
    digests = request.plate_digests if role == PLATE and not name else []
    if role == MASK:
        digests = of_masks.get(name, [])
    return dict(zip(request.inline_frame_numbers, digests, strict=False)).get(frame)


def key_mask_of(request: SubmitMatte, role: str, frame: int) -> Prompt | None:
    """Return the key mask of a role on a frame; None where there is none."""
    prompts = (one for one in request.prompts if one.kind == KEY_MASK and one.frame == frame)
    return next((one for one in prompts if one.role == role), None)
