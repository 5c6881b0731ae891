"""Keeps what goes to a card in memory that the card reads by itself, so that it copies while the host works on."""

from __future__ import annotations

import logging

import torch
from torch import Tensor

log = logging.getLogger(__name__)


def pinned(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a host's tensor in memory that stays in its place, from which a card copies by itself.

    The tensor itself where it is not the host's, is pinned already, or goes to no card, and where the system pins no
    more: a copy from plain memory takes longer, and that is all.
    """
    if device.type != "cuda" or not tensor.is_cpu or tensor.is_pinned():
        return tensor
    try:
        return tensor.pin_memory()
    except RuntimeError as error:  # a lost card is met again by the copy
        log.info("%d bytes for %s could not be pinned: %s", tensor.nbytes, device, error)
        return tensor


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor on a device. A card copies it meanwhile: what is computed with it there waits by itself."""
    return pinned(tensor, device).to(device, non_blocking=True)
