"""What a job tells its client so that the same pixels can be made again: settings, fingerprints and digests."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from blake3 import blake3
from videomama_client.errors import VideoMaMaError
from videomama_client.settings import MatteSettings
from videomama_client.wire import MAX_TEXT_BYTES

from videomama_server.media.sequences import whole_range
from videomama_server.pipeline.entry_key import Identity
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.reader import Reader

log = logging.getLogger(__name__)

_WEIGHTS = "weights"  # the option of engines with weights; resolved, it is their digest


def settings_of(order: Order, identity: Identity) -> MatteSettings:
    """Return the settings that ask for the pixels of a stage again: all is decided, and a job may ask for it.

    Args:
        order: of the stage, with what was asked for.
        identity: that its entries share.
    """
    asked = order.request.settings.option(_WEIGHTS)
    found = identity.settings.with_options(**{_WEIGHTS: asked})
    return found if order.walking is None else replace(found, window=None, overlap=None)


def fingerprint_of(identity: Identity) -> str:
    """Return what tells engine and weights of a stage from others that may give other pixels."""
    weights = identity.settings.option(_WEIGHTS)
    return " ".join(filter(None, (identity.engine, str(weights or ""))))


def plate_digest(reader: Reader, frames: Sequence[int]) -> str:
    """Return a digest of the pixels of plates that a job has read; empty where one is gone."""
    return _together(lambda frame: facts.digest if (facts := reader.plate_facts(frame)) else "", frames)


def mask_digest(reader: Reader, frames: Sequence[int]) -> str:
    """Return a digest of the pixels of masks that a job has read; empty where one is gone, or there are none."""
    return _together(reader.mask_digest, frames) if reader.has_masks else ""


def range_text(frames: Sequence[int]) -> str:
    """Return frames as a range; empty where it is too long for a message."""
    text = whole_range(frames).replace(" ", "")
    return text if len(text) <= MAX_TEXT_BYTES else ""


def _together(digest_of: Callable[[int], str], frames: Sequence[int]) -> str:
    found = blake3()
    try:
        for frame in frames:
            digest = digest_of(frame)
            if not digest:
                return ""
            found.update(f"{frame} {digest}\n".encode())
    except (VideoMaMaError, OSError) as error:  # the alphas are done: a file that is gone since is no failure
        log.info("no digest of what was read: %s", error)
        return ""
    return found.hexdigest(length=20)
