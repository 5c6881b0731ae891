"""What a folder of weights holds already, so that nothing is fetched twice and nothing of others is overwritten."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from videomama_client.errors import WeightsError

from videomama_server.engines.videomama.checkpoint import headers, layouts
from videomama_server.weights import digests, manifest
from videomama_server.weights.catalogue import Offer, Repository, WantedFile
from videomama_server.weights.digests import Digests, Progress
from videomama_server.weights.manifest import Manifest, ManifestRow

_AGAIN = "Run the same command again. If it stays, what the hub has is not what was published: tell us."


@dataclass(frozen=True)
class State:
    """What was found.

    Attributes:
        manifest: what is known of the files that are there.
        missing: what has to be fetched.
        note: why nothing has, for people.
    """

    manifest: Manifest
    missing: tuple[tuple[Repository, WantedFile], ...]
    note: str = ""


def look(folder: Path, offer: Offer, verify: bool, progress: Progress) -> State:
    """Find out what is in `folder`, changing nothing.

    Args:
        folder: of weights.
        offer: what should be there.
        verify: read the files too, in place of going by their sizes.
        progress: of reading.

    Raises:
        WeightsError: a file is in the way that is not the published one, or the manifest cannot be read.
    """
    known = manifest.read(folder)
    if known == Manifest():
        elsewhere = _unknown(folder, offer, verify, progress)
        if elsewhere:
            return State(known, (), elsewhere)
    imported = known.imported
    if imported and all(intact(folder, row, verify, progress) for row in known.files.values()):
        return State(known, (), f"the weights in {folder} are there, imported from {_origins(imported)}")
    missing = []
    for repository, wanted in offer.tasks():
        row = _kept(folder, known, repository, wanted, verify, progress)
        if row is None:
            missing.append((repository, wanted))
        else:
            known = known.with_row(row)
    return State(known, tuple(missing), "" if missing else f"the weights in {folder} are there")


def intact(folder: Path, row: ManifestRow, verify: bool, progress: Progress = digests.silent) -> bool:
    """Whether a file is as its row says: by its size, and if `verify` by its bytes."""
    path = folder / row.path
    if not path.is_file() or path.stat().st_size != row.size:
        return False
    if not verify:
        return True
    found = digests.of_readable(path, progress)
    return (found.md5, found.sha256) == (row.md5, row.sha256)


def refuse_wrong(wanted: WantedFile, found: Digests, etag: str = "") -> None:
    """Raise WeightsError unless bytes are those of the published file.

    Args:
        wanted: the file.
        found: the digests of what is there.
        etag: the digest that the hub states: SHA-256 or git's SHA-1; "" when it was not asked, others say nothing.
    """
    stated = {40: found.git, 64: found.sha256}.get(len(etag), etag)
    if wanted.md5 and found.md5 != wanted.md5:
        raise WeightsError(f"{wanted.file} has the MD5 {found.md5}, and {wanted.md5} is what was published", _AGAIN)
    if etag != stated:
        raise WeightsError(f"{wanted.file} arrived with another digest than the hub states for it", _AGAIN)


def refuse_wrong_config(path: Path, wanted: WantedFile) -> None:
    """Raise WeightsError unless `path` describes the network that `wanted` says, if it says one."""
    if not wanted.network:
        return
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{wanted.file} is not a config ({error})", _AGAIN) from error
    name = found.get("_class_name") if isinstance(found, dict) else None
    if name != wanted.network:
        raise WeightsError(f"{wanted.file} describes {name}, and {wanted.network} is wanted", _AGAIN)


def _kept(
    folder: Path, known: Manifest, repository: Repository, wanted: WantedFile, verify: bool, progress: Progress
) -> ManifestRow | None:
    """Return the row of a file that need not be fetched."""
    row = known.files.get(wanted.place)
    if row is not None:
        return row if intact(folder, row, verify, progress) else None
    path = folder / wanted.place
    if not path.exists():
        return None
    try:
        found = digests.of_readable(path, progress)
        refuse_wrong(wanted, found)
        refuse_wrong_config(path, wanted)
    except WeightsError as error:
        raise WeightsError(
            f"{path} is in the way: {error.message}", "Move it away, or name another folder with --to DIR."
        ) from error
    commit = known.revisions.get(repository.repo, "unknown")
    return ManifestRow(wanted.place, repository.repo, commit, found.size, found.md5, found.sha256, bool(wanted.md5))


def _unknown(folder: Path, offer: Offer, verify: bool, progress: Progress) -> str:
    """Say what weights are in a folder without a manifest; "" when none are, or they are not whole."""
    try:
        found = layouts.find(folder)
        for path in {found.unet, found.vae}:
            if not headers.is_pickle(path):
                headers.read_whole(path)
    except WeightsError:
        return ""
    said = f"weights in {folder} are there: {found.unet} and {found.vae}"
    if not verify:
        return said
    other = [
        path.name for path in (found.unet, found.vae) if digests.of_readable(path, progress).md5 not in offer.pins()
    ]
    return f"{said}; not the published files: {', '.join(other)}" if other else f"{said}, as they were published"


def _origins(rows: Iterable[ManifestRow]) -> str:
    return " and ".join(dict.fromkeys(str(Path(row.source).parent) for row in rows))
