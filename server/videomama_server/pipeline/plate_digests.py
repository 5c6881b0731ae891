"""Digests plates before anything is computed, for keys that depend on many frames at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from videomama_client.job_records import READING_PLATES, Phase

from videomama_server.media.read_ahead import read_ahead
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.services import Services
from videomama_server.pipeline.survey import Pause, check_cancelled, finished


def digest(order: Order, frames: Sequence[int], services: Services, cancelled: threading.Event) -> Iterator[Pause]:
    """Read the plates of which nothing is known, yielding where another job may go first or nothing can be done yet.

    Raises:
        BadInput: one cannot be read.
        Cancelled: the job was cancelled.
    """
    reader = order.reader
    unknown = [frame for frame in frames if reader.plate_facts(frame) is None]
    with read_ahead(unknown, reader.digest_plate, services.readers, services.threads) as coming:
        for count, (_, reading) in enumerate(coming):
            order.tell(Phase(READING_PLATES, count, len(unknown)))
            yield from finished(reading)
            check_cancelled(cancelled)
