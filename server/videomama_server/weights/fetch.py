"""Fetches what is missing of the published weights; a file gets its name only when its digest is right."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from videomama_client.errors import NotPermitted, WeightsError

from videomama_server.engines.videomama.checkpoint import layouts
from videomama_server.files import disk_space
from videomama_server.weights import digests, folder, state
from videomama_server.weights.catalogue import Offer, WantedFile
from videomama_server.weights.digests import Progress
from videomama_server.weights.hub import Hub, Remote
from videomama_server.weights.manifest import Manifest, ManifestRow
from videomama_server.weights.state import State


@dataclass(frozen=True)
class FetchOrder:
    """What to fetch and where to.

    Attributes:
        offer: what is published.
        weights: the folder that gets it.
        folded: where the model is folded to at its first use, for which there has to be room.
        accepted: asked once, if anything has to be fetched, whether the person accepts the licence.
        verify: read what is there, in place of going by sizes; what is damaged is fetched again.
        endpoint: of the hub; None for the usual one.
        check: says of a folder of weights that its files belong together, or raises `WeightsError`; None looks for
            the model's own.
    """

    offer: Offer
    weights: Path
    folded: Path
    accepted: Callable[[], bool]
    verify: bool = False
    endpoint: str | None = None
    check: Callable[[Path], Sequence[str]] | None = None


@dataclass(frozen=True)
class WeightsOutcome:
    """What was done: the bytes that were fetched, and lines for people."""

    fetched: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class _Task:
    wanted: WantedFile
    remote: Remote
    part: Path

    @property
    def rest(self) -> int:
        """Bytes that are not here yet."""
        there = self.part.stat().st_size if self.part.exists() else 0
        return self.remote.size - there if there <= self.remote.size else self.remote.size


def fetch(order: FetchOrder, progress: Progress, say: Callable[[str], None]) -> WeightsOutcome:
    """Make the weights of `order` be there.

    Args:
        order: what to do.
        progress: told of each file, often.
        say: told what takes long or is unusual, in a sentence.

    Raises:
        NotPermitted: the licence is not accepted, the disk has no room, or the folder cannot be written. Nothing was
            fetched then.
        WeightsError: the hub cannot be reached, or what it has is not what was published. What arrived is kept for
            the next time, but for files that are wrong.
    """
    found = state.look(order.weights, order.offer, order.verify, progress)
    if not found.missing:
        return _nothing_to_do(order, found)
    if not order.accepted():
        raise NotPermitted(
            "the licence of the weights is not accepted; nothing was fetched",
            "Read it, and run this again with --accept-licence.",
        )
    hub = Hub(order.endpoint)
    known, tasks = _tasks(order, found, hub)
    disk_space.require(_shares(order, tasks), folder.OTHERS)
    with folder.held(order.weights, lambda: say(f"another process works in {order.weights}; waiting for it")) as late:
        if late:
            found = state.look(order.weights, order.offer, order.verify, progress)
            if not found.missing:
                return _nothing_to_do(order, found)
            known, tasks = _tasks(order, found, hub)
        fetched = sum(task.rest for task in tasks)
        known = _bring_all(hub, order.weights, known, tasks, progress)
    say("checking that the files belong together")
    lines = [f"{path} {row.size / 1e6:,.1f} MB, checksum right" for path, row in known.files.items()]
    return WeightsOutcome(fetched, (*lines, *(order.check or _checked)(order.weights)))


def _checked(weights: Path) -> list[str]:
    # Imported late: it brings torch, which takes seconds that most runs do not need.
    from videomama_server.engines.videomama.checkpoint import checks

    return list(checks.run(layouts.find(weights)))


def _tasks(order: FetchOrder, found: State, hub: Hub) -> tuple[Manifest, list[_Task]]:
    """Ask the hub about all that is missing; the manifest is returned with the commits."""
    known, tasks = found.manifest, []
    for repository, wanted in found.missing:
        if repository.repo not in known.revisions:
            known = known.pinned(repository.repo, hub.commit(repository.repo, repository.revision))
        remote = hub.describe(repository.repo, known.revisions[repository.repo], wanted.file)
        tasks.append(_Task(wanted, remote, _part(order.weights, remote)))
    return known, tasks


def _part(weights: Path, remote: Remote) -> Path:
    """Return where the beginning of a file is kept: under a name of its content, so that two are never joined."""
    name = hashlib.sha256(f"{remote.repo}\0{remote.file}\0{remote.etag}\0{remote.size}".encode()).hexdigest()[:20]
    return weights / f".{name}.part"


def _bring_all(hub: Hub, weights: Path, known: Manifest, tasks: list[_Task], progress: Progress) -> Manifest:
    """Fetch file by file; the manifest is true after each, and returned."""
    folder.remove_leftovers(weights)
    known.write(weights)
    for task in tasks:
        known = known.with_row(_bring(hub, weights, task, progress))
        known.write(weights)
    for part in weights.glob(".*.part"):
        part.unlink(missing_ok=True)
    return known


def _bring(hub: Hub, weights: Path, task: _Task, progress: Progress) -> ManifestRow:
    """Fetch one file, and give it its name when it is right."""
    wanted, remote = task.wanted, task.remote
    hub.fetch(remote, task.part, lambda there: progress(wanted.file, there, remote.size))
    found = digests.of(task.part, progress, wanted.file)
    try:
        state.refuse_wrong(wanted, found, remote.etag)
        state.refuse_wrong_config(task.part, wanted)
    except WeightsError as error:
        # There is no telling which of its bytes are wrong.
        task.part.unlink()
        raise WeightsError(f"{error.message}; it was thrown away", error.hint) from error
    path = weights / wanted.place
    path.parent.mkdir(parents=True, exist_ok=True)
    task.part.replace(path)
    return ManifestRow(wanted.place, remote.repo, remote.commit, found.size, found.md5, found.sha256, bool(wanted.md5))


def _shares(order: FetchOrder, tasks: Sequence[_Task]) -> list[disk_space.Share]:
    rest = sum(task.rest for task in tasks)
    return [
        disk_space.Share(order.weights, rest, "for the weights"),
        disk_space.Share(order.folded, _folding_bytes(order), "for what the model is folded into at its first use"),
    ]


def _folding_bytes(order: FetchOrder) -> int:
    folded = order.folded.is_dir() and any(order.folded.glob("*.safetensors"))
    return 0 if folded else order.offer.folded_bytes


def _nothing_to_do(order: FetchOrder, found: State) -> WeightsOutcome:
    how = " (all checksums are right)" if order.verify else " (by their sizes; --verify reads them too)"
    if order.verify and not found.manifest.files:
        how = ""  # they came from elsewhere, and the note says what they are
    return WeightsOutcome(0, (f"nothing to do: {found.note}{how}",))
