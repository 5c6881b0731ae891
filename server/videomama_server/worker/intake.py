"""Turns a request into an order: its engine, the files that it reads, and where its alphas go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from blake3 import blake3
from videomama_client import messages, private, wire
from videomama_client.errors import BadInput
from videomama_client.settings import MatteSettings

from videomama_server import config, engines, pipe
from videomama_server.cache import spool
from videomama_server.cache.layout import FOLDERS
from videomama_server.engines.base import Engine
from videomama_server.files.access import permit, refuse_inside
from videomama_server.media import sequences
from videomama_server.media.delivery import Delivery
from videomama_server.pipeline import sources, stages
from videomama_server.pipeline.order import LaterStage, LightEngine, Order
from videomama_server.pipeline.reader import Reader, wanted_of
from videomama_server.pipeline.services import Services
from videomama_server.pipeline.sources import DiskSource, NoMasks, Source, SpoolSource
from videomama_server.pipeline.stages import ChosenStage
from videomama_server.worker.reads import Reads
from videomama_server.worker.scheduler import URGENCY
from videomama_server.worker.shelf import EngineShelf


class Intake:
    """Takes requests in. Only `supplied` may be called from another thread.

    Args:
        server_config: the server's config.
        services: what all jobs share.
        shelf: the engines.
        reads: the files that are being read.
        emit: takes `FrameWanted` for each frame that a client is to send; called from several threads.
    """

    def __init__(
        self,
        server_config: config.Config,
        services: Services,
        shelf: EngineShelf,
        reads: Reads,
        emit: Callable[[messages.FrameWanted], None],
    ) -> None:
        self._config = server_config
        self._services = services
        self._shelf = shelf
        self._reads = reads
        self._emit = emit
        self._spooled: dict[str, dict[str, SpoolSource]] = {}  # of inline jobs, by job and role

    @contextmanager
    def taken(self, run: pipe.RunJob, cancelled: threading.Event) -> Iterator[Order]:
        """Find out what a request stands for on this machine; while this is held, a client's frames reach its sources.

        Args:
            run: the job.
            cancelled: set when the job is stopped.

        Raises:
            VideoMaMaError: the request cannot be done as it is.
        """
        try:
            yield self._order(run, cancelled)
        finally:
            self._spooled.pop(run.job, None)
            spool.remove(run.spool)  # the server may have removed it before it was made again here

    def supplied(self, supplied: pipe.FrameSupplied) -> None:
        """Pass on that a frame arrived; one that nobody waits for yet is asked for again."""
        source = self._spooled.get(supplied.job, {}).get(supplied.role)
        if source is not None:
            source.supplied(supplied.frame)

    def _order(self, run: pipe.RunJob, cancelled: threading.Event) -> Order:
        request = run.submit
        if request.priority not in URGENCY:
            raise BadInput(f"no priority is called {request.priority!r}", f"There are: {', '.join(URGENCY)}.")
        first, *later = stages.chosen(request.settings, request.then, self._shelf.engine_config, bool(request.mask))
        light = self._light(request.settings, first)
        request = replace(request, settings=first.settings)
        plate, mask = self._sources(run, cancelled)
        noted = partial(self._reads.noted, run.job)
        reader = Reader(plate, mask, self._services.memo, wanted_of(request.settings), request.rehash, noted)
        delivery = self._delivery(request)
        if request.out and not request.inline:
            _refuse_overwriting(delivery.pattern, *([plate, mask] if request.mask else [plate]))
        delivery.check()
        return Order(
            run.job,
            request,
            first.name,
            self._engine(first),
            reader,
            delivery,
            light,
            notes=first.notes,
            then=tuple(LaterStage(stage.name, self._engine(stage), stage.settings, stage.notes) for stage in later),
            make_room=self._shelf.make_room,
        )

    def _engine(self, stage: ChosenStage) -> Engine:
        with stages.within(stage.label):
            return self._shelf.engine(stage.name, stage.config)

    def _light(self, settings: MatteSettings, first: ChosenStage) -> LightEngine | None:
        """Return the engine that takes over from that of the first stage where the subject is small."""
        light = engines.for_small_subjects(settings.engine, first.name)
        if not light:
            return None
        settled = engines.settled(light, settings)
        return LightEngine(light, self._shelf.engine(light, first.config), settled.settings, settled.notes)

    def _sources(self, run: pipe.RunJob, cancelled: threading.Event) -> tuple[Source, Source]:
        request, roots = run.submit, self._config.roots
        if not request.inline:
            plate = DiskSource(messages.PLATE, request.plate, roots)
            return plate, DiskSource(messages.MASK, request.mask, roots) if request.mask else NoMasks(plate)

        def want(role: str, frame: int) -> None:
            self._emit(messages.FrameWanted(run.job, role, frame))

        def source(role: str, pattern: str, digests: list[str]) -> SpoolSource:
            files = spool.pattern(Path(run.spool), role, pattern)
            return SpoolSource(role, files, sources.by_frame(request.inline_frame_numbers, digests), want, cancelled)

        private.make_folder(Path(run.spool))  # a cache that was just cleared took it along
        sent_plate = source(messages.PLATE, request.plate, request.plate_digests)
        if not request.mask:
            self._spooled[run.job] = {messages.PLATE: sent_plate}
            return sent_plate, NoMasks(sent_plate)
        sent_mask = source(messages.MASK, request.mask, request.mask_digests)
        self._spooled[run.job] = {messages.PLATE: sent_plate, messages.MASK: sent_mask}
        return sent_plate, sent_mask

    def _delivery(self, request: messages.SubmitMatte) -> Delivery:
        """Return where alphas go: what the client named, or a numbered sequence in the cache folder."""
        named = sequences.parse(request.out or "alpha.####.exr")
        link, root = self._config.delivery == "link", self._services.cache.write_root
        if request.out and not request.inline:
            permit(named.folder, self._config.roots)
            cache = self._services.cache
            kept = [root / name for root in (cache.folder, cache.write_root) for name in FOLDERS]
            refuse_inside(named.folder, kept, f"the server's cache {cache.folder}")
            return Delivery(named, request.layer, request.dtype, link, root)
        digest = blake3(wire.encode(request.settings))
        if request.then:
            digest.update(b"".join(wire.encode(stage) for stage in request.then))
        digest.update("\0".join((request.plate, request.mask, request.layer, request.dtype)).encode(errors="replace"))
        if request.inline:  # only read here, to be sent: never a file that a person uses
            digest.update(b"\0inline")
        inside = replace(named, folder=root / "sequences" / digest.hexdigest(length=16))
        published = self._services.cache.published
        return Delivery(inside, request.layer, request.dtype, link or request.inline, root, published)


def _refuse_overwriting(out: sequences.Pattern, *read: Source) -> None:
    """Raise when an alpha would take the place of a file that is read; each file must lie under the roots."""
    sequences.refuse_overwriting(out, {one.role: {frame: _file(one, frame) for frame in one.frames()} for one in read})


def _file(source: Source, frame: int) -> Path:
    named = source.identify(frame)
    return named.folder / named.name
