"""Turns a request into an order: its engine, the files that it reads, and where its alphas go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from blake3 import blake3
from videomama_client import messages, objects, private, wire
from videomama_client.errors import BadInput
from videomama_client.prompts import MASK, Prompt
from videomama_client.settings import MatteSettings

from videomama_server import config, engines, pipe
from videomama_server.cache import spool
from videomama_server.cache.layout import FOLDERS
from videomama_server.engines.base import Loaded
from videomama_server.files.access import permit, refuse_inside
from videomama_server.media import sequences
from videomama_server.media.delivery import ALPHA, Delivery
from videomama_server.media.movies import decoders
from videomama_server.pipeline import side_kinds, sources, stages
from videomama_server.pipeline.object_layers import ObjectLayers
from videomama_server.pipeline.order import LaterStage, LightEngine, Order
from videomama_server.pipeline.reader import Reader, wanted_of
from videomama_server.pipeline.services import Services
from videomama_server.pipeline.side_kinds import Side, kind_of
from videomama_server.pipeline.sources import DiskSource, KeyMaskSource, NoMasks, Source, SpoolSource
from videomama_server.pipeline.stages import ChosenStage
from videomama_server.worker.reads import Reads
from videomama_server.worker.shelf import EngineShelf


@dataclass(frozen=True)
class _Sources:
    """Where a job reads from.

    Attributes:
        plate: of all objects.
        masks: of each object, by name.
        painted: the key masks of each, likewise.
    """

    plate: Source
    masks: Mapping[str, Source]
    painted: Mapping[str, Sequence[Source]]

    def files(self) -> dict[str, dict[int, Path]]:
        """Return the files that are read, by frame, of each role; a mask's role names its object."""
        masks = {
            objects.called(mask.role, name): mask for name, mask in self.masks.items() if not isinstance(mask, NoMasks)
        }
        found: dict[str, dict[int, Path]] = {}
        roles = [(self.plate.role, self.plate), *masks.items()]
        roles += [(key.role, key) for keys in self.painted.values() for key in keys]
        for role, source in roles:
            found.setdefault(role, {}).update((frame, _file(source, frame)) for frame in source.frames())
        return found


@dataclass(frozen=True)
class _Ends:
    """Where one mask's order reads and writes; `painted` are the readers of its key masks, by frame."""

    reader: Reader
    painted: Mapping[int, Reader]
    delivery: Delivery
    sides: tuple[Side, ...]


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
        self._spooled: dict[str, dict[tuple[str, str], list[SpoolSource]]] = {}  # of inline jobs, by role and object

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
            decoders.close_unused()
            spool.remove(run.spool)  # the server may have removed it before it was made again here

    def supplied(self, supplied: pipe.FrameSupplied) -> None:
        """Pass on that a frame arrived; one that nobody waits for yet is asked for again."""
        for source in self._spooled.get(supplied.job, {}).get((supplied.role, supplied.object), ()):
            if supplied.frame in source.frames():
                source.supplied(supplied.frame)

    def _order(self, run: pipe.RunJob, cancelled: threading.Event) -> Order:
        request = run.submit
        if request.priority not in pipe.URGENCY:
            raise BadInput(f"unknown priority {request.priority!r}", f"There are: {', '.join(pipe.URGENCY)}.")
        side_kinds.check(request.side_results)
        objects.check(request.objects, request.mask, request.out, request.layer)
        objects.check_prompts(request.objects, request.prompts)
        objects.check_patterns(request.objects, [(side.kind, side.out) for side in request.side_results])
        asked = _by_object(request)
        chains = {name: self._chosen(name, one) for name, one in asked.items()}
        read = self._sources(run, asked, cancelled)
        deliveries = self._deliveries(request, asked)
        sides = {name: self._sides(one) for name, one in asked.items()}
        _check_deliveries(request, deliveries, sides, read)
        noted, plate = partial(self._reads.noted, run.job), read.plate
        reader = Reader(plate, NoMasks(plate), self._services.memo, wanted_of(request.settings), request.rehash, noted)
        orders = []
        for name, chain in chains.items():
            own, light = replace(asked[name], settings=chain[0].settings), self._light(asked[name].settings, chain[0])
            masked = reader.over(read.masks[name], wanted_of(own.settings))
            keys = {frame: masked.over(one) for one in read.painted[name] for frame in one.frames()}
            ends = _Ends(masked, keys, deliveries[name], sides[name])
            orders.append(self._order_of(run.job, own, chain, light, ends))
        return _joined(list(asked), orders)

    def _chosen(self, name: str, request: messages.SubmitMatte) -> list[ChosenStage]:
        has_mask, told = bool(request.mask), request.prompts
        with _named(name):
            return stages.chosen(request.settings, request.then, self._shelf.engine_config, has_mask, told)

    def _order_of(
        self,
        job: str,
        request: messages.SubmitMatte,
        chain: list[ChosenStage],
        light: LightEngine | None,
        ends: _Ends,
    ) -> Order:
        """Return the order of one mask."""
        first, *later = chain
        return Order(
            job,
            request,
            first.name,
            self._engine(first),
            ends.reader,
            ends.delivery,
            light,
            notes=first.notes,
            sides=ends.sides,
            then=tuple(LaterStage(stage.name, self._engine(stage), stage.settings, stage.notes) for stage in later),
            prompts=request.prompts,
            key_masks=ends.painted,
            make_room=self._shelf.make_room,
            reserve=self._shelf.reserve,
        )

    def _engine(self, stage: ChosenStage) -> Loaded:
        with stages.within(stage.label):
            return self._shelf.engine(stage.name, stage.config)

    def _light(self, settings: MatteSettings, first: ChosenStage) -> LightEngine | None:
        """Return the engine that takes over from that of the first stage where the subject is small."""
        light = engines.for_small_subjects(settings.engine, first.name)
        if not light:
            return None
        settled = engines.settled(light, settings)
        return LightEngine(light, self._shelf.engine(light, first.config), settled.settings, settled.notes)

    def _sources(
        self, run: pipe.RunJob, asked: Mapping[str, messages.SubmitMatte], cancelled: threading.Event
    ) -> _Sources:
        """Return where a job reads from, given the request of each object."""
        request, roots = run.submit, self._config.roots
        if not request.inline:
            plate: Source = DiskSource(messages.PLATE, request.plate, roots)
            masks = {name: _on_disk(name, one.mask, plate, roots) for name, one in asked.items()}
            keys: dict[str, list[Source]] = {
                name: [KeyMaskSource(key.role, frame, Path(key.file), roots) for frame, key in _key_masks(one)]
                for name, one in asked.items()
            }
            return _Sources(plate, masks, keys)

        def source(role: str, name: str, files: sequences.Pattern, digests: dict[int, str]) -> SpoolSource:
            def want(role: str, frame: int) -> None:
                self._emit(messages.FrameWanted(run.job, role, frame, name))

            made = SpoolSource(role, files, digests, want, cancelled)
            sent.setdefault((role, name), []).append(made)
            return made

        def of_clip(role: str, name: str, pattern: str, digests: list[str]) -> SpoolSource:
            by_frame = sources.by_frame(request.inline_frame_numbers, digests)
            return source(role, name, spool.pattern(folder, role, pattern, name), by_frame)

        def painted(frame: int, key: Prompt) -> SpoolSource:
            return source(key.role, "", spool.key_mask(folder, key.role, key.file), {frame: key.digest})

        folder = Path(run.spool)
        private.make_folder(folder)  # a cache that was just cleared took it along
        sent: dict[tuple[str, str], list[SpoolSource]] = {}
        plate = of_clip(messages.PLATE, "", request.plate, request.plate_digests)
        masks = {
            name: of_clip(messages.MASK, name, one.mask, one.mask_digests) if one.mask else NoMasks(plate)
            for name, one in asked.items()
        }
        keys = {name: [painted(frame, key) for frame, key in _key_masks(one)] for name, one in asked.items()}
        self._spooled[run.job] = sent
        return _Sources(plate, masks, keys)

    def _deliveries(
        self, request: messages.SubmitMatte, asked: Mapping[str, messages.SubmitMatte]
    ) -> dict[str, Delivery]:
        """Return where the alphas of each object go; the same for all where they become layers."""
        if request.objects and objects.PLACE not in request.out:
            return dict.fromkeys(asked, replace(self._delivery(request), layers=tuple(asked)))
        return {name: self._delivery(one) for name, one in asked.items()}

    def _delivery(self, request: messages.SubmitMatte) -> Delivery:
        """Return where alphas go: what the client named, or a numbered sequence in the cache folder."""
        named, packed = sequences.parse(request.out or "alpha.####.exr"), request.compression
        link, root = self._config.delivery == "link", self._services.cache.write_root
        if request.out and not request.inline:
            self._permit(named.folder)
            return Delivery(named, request.layer, request.dtype, link, root, compression=packed)
        inside = self._inside(request, named, request.layer, request.dtype, *filter(None, [packed]))
        linked, published = link or request.inline, self._services.cache.published
        return Delivery(inside, request.layer, request.dtype, linked, root, published, compression=packed)

    def _sides(self, request: messages.SubmitMatte) -> tuple[Side, ...]:
        """Return the side results of one mask, and where they go."""
        return tuple(Side(one, self._side_delivery(request, one)) for one in request.side_results)

    def _side_delivery(self, request: messages.SubmitMatte, asked: messages.SideResult) -> Delivery:
        """Return where side results go: what the client named, or where an inline job fetches them from."""
        named, content = sequences.parse(asked.out), kind_of(asked).content
        packed = request.compression if named.suffix.lower() == ".exr" else ""
        link, root = self._config.delivery == "link", self._services.cache.write_root
        if not request.inline:
            self._permit(named.folder)
            return Delivery(named, "", asked.dtype, link, root, content=content, compression=packed)
        how = (asked.kind, asked.dtype, str(asked.premultiplied), *filter(None, [packed]))
        inside = self._inside(request, named, *how)
        published = self._services.cache.published
        return Delivery(inside, "", asked.dtype, True, root, published, content, compression=packed)

    def _inside(self, request: messages.SubmitMatte, named: sequences.Pattern, *how: str) -> sequences.Pattern:
        """Return a pattern in a folder of the cache that other jobs share only where all that matters is the same.

        Args:
            request: of the job.
            named: gives the files' names.
            how: the files are written.
        """
        digest = blake3(wire.encode(request.settings))
        if request.then:
            digest.update(b"".join(wire.encode(stage) for stage in request.then))
        if request.prompts:
            digest.update(b"".join(wire.encode(prompt) for prompt in request.prompts))
        digest.update("\0".join((request.plate, request.mask, *how)).encode(errors="replace"))
        for one in request.objects:
            digest.update(wire.encode(replace(one, mask_digests=[])))
        if request.inline:  # only read here, to be sent: never a file that a person uses
            digest.update(b"\0inline")
        return replace(named, folder=self._services.cache.write_root / "sequences" / digest.hexdigest(length=16))

    def _permit(self, folder: Path) -> None:
        """Raise `NotPermitted` for an output folder outside of the roots, or inside the cache."""
        permit(folder, self._config.roots)
        cache = self._services.cache
        kept = [root / name for root in (cache.folder, cache.write_root) for name in FOLDERS]
        refuse_inside(folder, kept, f"the server's cache {cache.folder}")


def _check_deliveries(
    request: messages.SubmitMatte, alphas: Mapping[str, Delivery], sides: Mapping[str, Sequence[Side]], read: _Sources
) -> None:
    """Raise when a file would take the place of one that is read, or of another result, or could not be written.

    What a client sends or fetches lies in folders of the server's own. Each file that is read must be under the roots.

    Args:
        request: of the job.
        alphas: where those of each object go, by name.
        sides: those of each object, by name.
        read: where the job reads from.
    """
    finished = {ALPHA.name if one.layers else objects.called(ALPHA.name, name): one for name, one in alphas.items()}
    own = {objects.called(side.asked.kind, name): side.delivery for name, of in sides.items() for side in of}
    named = {} if request.inline else {**(finished if request.out else {}), **own}
    if named:
        files = read.files()
        outs = {name: one.pattern for name, one in named.items()}
        for out in outs.values():
            sequences.refuse_overwriting(out, files)
        sequences.refuse_sharing(outs, read.plate.frames())
    for delivery in (*finished.values(), *own.values()):
        delivery.check()


def _by_object(request: messages.SubmitMatte) -> dict[str, messages.SubmitMatte]:
    """Return the request of each object by its name, as if it were alone; a job of one mask has one without a name."""
    if not request.objects:
        return {"": request}
    return {
        one.name: replace(
            request,
            mask=one.mask,
            mask_digests=one.mask_digests,
            out=objects.out_of(request.out, one.name),
            side_results=messages.sides_of(request.side_results, one.name),
            settings=objects.settings_of(request.settings, one),
            then=objects.then_of(request.then, one),
            objects=(),
            prompts=tuple(prompt for prompt in request.prompts if prompt.object == one.name),
        )
        for one in request.objects
    }


def _joined(names: list[str], orders: list[Order]) -> Order:
    """Return the order of a job: that of the first object, with the others."""
    delivery = orders[0].delivery
    layers = ObjectLayers(delivery, names) if delivery.layers else None
    first, *others = (replace(order, object=name, layers=layers) for name, order in zip(names, orders, strict=True))
    apart = () if layers else tuple(other.delivery for other in others)
    return replace(first, siblings=tuple(others), other_deliveries=apart)


def _named(name: str) -> AbstractContextManager[None]:
    """Name an object in whatever goes wrong meanwhile."""
    return stages.within(objects.label(name), name)


def _key_masks(request: messages.SubmitMatte) -> list[tuple[int, Prompt]]:
    """Return the painted frames among the prompts, each with its frame."""
    return [(one.frame, one) for one in request.prompts if one.kind == MASK and one.frame is not None]


def _on_disk(name: str, pattern: str, plate: Source, roots: Iterable[Path]) -> Source:
    with _named(name):
        return DiskSource(messages.MASK, pattern, roots) if pattern else NoMasks(plate)


def _file(source: Source, frame: int) -> Path:
    named = source.identify(frame)
    return named.folder / named.name
