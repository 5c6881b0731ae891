"""Which networks there are, which of their weights lie here, and the licence of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from videomama_client.errors import BadInput, WeightsError
from videomama_client.wording import choices

from videomama_server.engines.videomama.checkpoint import layouts
from videomama_server.weights import catalogue
from videomama_server.weights.additional import NETWORKS, AdditionalNetwork

MODEL = "videomama"
"""The name that stands for the model's own weights."""


@dataclass(frozen=True)
class NetworkRow:
    """One network.

    Attributes:
        name: as `videomama weights fetch --with` has it; `MODEL` for the model's own.
        files: that are there; empty for none.
        size: of these, bytes.
        problem: why it cannot be used.
        licence: a text for people.
        page: where it is published.
        by_hand: whether a person has to download it.
    """

    name: str
    files: tuple[str, ...]
    size: int
    problem: str
    licence: str
    page: str = ""
    by_hand: bool = False


def rows(weights: Path) -> list[NetworkRow]:
    """Return a row for each network, the model's first; reads no file of weights."""
    return [_model(weights), *(_additional(name, network, weights) for name, network in NETWORKS.items())]


def check_name(name: str) -> None:
    """Raise `BadInput` for the name of no network that can be fetched."""
    known = [MODEL, *(known for known, network in NETWORKS.items() if network.repo)]
    if name not in known:
        raise BadInput(f"the weights {name[:80]!r} cannot be fetched", choices(name, known))


def _model(weights: Path) -> NetworkRow:
    licence = catalogue.LICENCE.read_text(encoding="utf-8")
    try:
        found = layouts.find(weights)
    except (WeightsError, OSError) as error:
        return NetworkRow(MODEL, (), 0, _said(error), licence)
    files = (found.unet, found.vae)
    return NetworkRow(MODEL, tuple(map(str, files)), _size(files), "", licence)


def _additional(name: str, network: AdditionalNetwork, weights: Path) -> NetworkRow:
    licence, by_hand = network.licence.read_text(encoding="utf-8"), not network.repo
    try:
        files = tuple(network.find(weights / network.folder))
    except (WeightsError, OSError) as error:
        return NetworkRow(name, (), 0, _said(error), licence, network.page, by_hand)
    return NetworkRow(name, tuple(map(str, files)), _size(files), "", licence, network.page, by_hand)


def _said(error: Exception) -> str:
    return error.message if isinstance(error, WeightsError) else str(error)


def _size(files: tuple[Path, ...]) -> int:
    return sum(path.stat().st_size for path in files if path.is_file())
