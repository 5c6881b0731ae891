"""The networks that are got one by one, beside the model's own: where they are published, and how they are checked.

No digest of these files was known when this was written, so none is pinned here. What arrives must have the digest that
the hub states, and fit the network tensor by tensor.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from videomama_client.errors import WeightsError
from videomama_client.whole_files import replacing

from videomama_server.engines.mematte import files as mematte
from videomama_server.engines.segment import families
from videomama_server.engines.vitmatte import files as vitmatte
from videomama_server.weights import digests, folder
from videomama_server.weights.catalogue import Offer, Repository, WantedFile
from videomama_server.weights.digests import Progress
from videomama_server.weights.fetch import WeightsOutcome

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class AdditionalNetwork:
    """A network that `--with` gets.

    Attributes:
        folder: below the folder of weights.
        licence: a text for people.
        repo: on the hub; empty for what has to be downloaded by hand.
        page: where it is published.
        names: of its files; of one that is called as its authors do.
        find: returns its files in a folder or at a path; raises `WeightsError` where they are not there.
        load: makes it from these files; raises `WeightsError` where they do not fit.
    """

    folder: str
    licence: Path
    repo: str
    page: str
    names: tuple[str, ...]
    find: Callable[[Path], Sequence[Path]]
    load: Callable[[Sequence[Path]], object]

    def offer(self) -> Offer:
        """Return what the hub has of it; raises `WeightsError` where it is not there."""
        if not self.repo:
            raise WeightsError(
                f"the hub does not have the weights {self.names[0]}: their authors publish them by hand",
                f"Download {self.names[0]} from a link on {self.page}, "
                f"then run `python install weights --with {self.folder} --from FILE`.",
            )
        return Offer((Repository(self.repo, tuple(WantedFile(name, name) for name in self.names)),), folded_bytes=0)

    def check(self, where: Path) -> list[str]:
        """Load it once and say so; raises `WeightsError` where it does not fit."""
        paths = self.find(where)
        self.load(paths)
        return [f"{paths[-1]} fits the network"]


def adopt(network: AdditionalNetwork, origin: Path, weights: Path, progress: Progress) -> WeightsOutcome:
    """Copy a network that is on this machine into the folder of weights.

    Args:
        network: which.
        origin: a folder that has it, or its file.
        weights: the folder of weights.
        progress: told of each file.

    Raises:
        WeightsError: it is not there, or does not fit.
        NotPermitted: the folder cannot be written, or its disk is full.
    """
    paths = network.find(origin)
    network.load(paths)
    target, lines = weights / network.folder, []
    with folder.held(target, lambda: None):
        for path in paths:
            place = _copied(path, target / path.name)
            lines.append(f"{place} {digests.of(place, progress).sha256[:16]}")
    return WeightsOutcome(0, (*lines, *network.check(target)))


def _copied(path: Path, place: Path) -> Path:
    """Copy a file to its place, unless it is that one, and return the place."""
    if not (place.exists() and place.samefile(path)):
        with replacing(place) as temporary:
            shutil.copyfile(path, temporary)
    return place


def _vitmatte(model: str) -> AdditionalNetwork:
    return AdditionalNetwork(
        folder=vitmatte.folder_name(model),
        licence=_HERE / "licence_vitmatte.txt",
        repo=f"hustvl/{vitmatte.folder_name(model)}",
        page=f"https://huggingface.co/hustvl/{vitmatte.folder_name(model)}",
        names=(vitmatte.CONFIG, vitmatte.PREPROCESSOR, vitmatte.TENSORS),
        find=lambda where: vitmatte.find(where, model),
        load=_load_vitmatte,
    )


def _load_vitmatte(paths: Sequence[Path]) -> object:
    from videomama_server.engines.vitmatte.network import load  # brings torch

    config, preprocessor, tensors = paths
    return load(config, preprocessor, tensors)


def _load_mematte(paths: Sequence[Path]) -> object:
    from videomama_server.engines.mematte.checkpoint import load  # brings torch

    return load(paths[0])


def _segmenter(engine: str, family: str, repo: str, names: tuple[str, ...], licence: str) -> AdditionalNetwork:
    """Return a network that finds subjects; `engine` is the name of its folder, too."""

    def find(where: Path) -> Sequence[Path]:
        return families.find(where, engine, family).files()

    def load(paths: Sequence[Path]) -> object:
        from videomama_server.engines.segment.checks import load_once  # brings torch

        origin = next((path for path in paths if path.suffix in families.PICKLES), paths[0].parent)
        return load_once(families.find(origin, engine, family), engine)

    return AdditionalNetwork(
        folder=engine,
        licence=_HERE / licence,
        repo=repo,
        page=f"https://huggingface.co/{repo}",
        names=names,
        find=find,
        load=load,
    )


_TENSORS = ("config.json", "model.safetensors")
_SAM2_SIZES = {"sam2": "large", "sam2-base-plus": "base-plus", "sam2-small": "small", "sam2-tiny": "tiny"}

NETWORKS = {
    **{
        name: _segmenter("sam2", families.SAM2, f"facebook/sam2.1-hiera-{size}", _TENSORS, "licence_sam2.txt")
        for name, size in _SAM2_SIZES.items()
    },
    "sam3": _segmenter("sam3", families.SAM3, "facebook/sam3", (*_TENSORS, "tokenizer.json"), "licence_sam3.txt"),
    "person": _segmenter(
        "person",
        families.DETECTOR,
        "PekingU/rtdetr_v2_r18vd",
        (*_TENSORS, "preprocessor_config.json"),
        "licence_person.txt",
    ),
    "vitmatte": _vitmatte("small"),
    "vitmatte-base": _vitmatte("base"),
    "mematte": AdditionalNetwork(
        folder=mematte.FOLDER,
        licence=_HERE / "licence_mematte.txt",
        repo="",
        page="https://github.com/linyiheng123/MEMatte",
        names=(mematte.FILE,),
        find=lambda where: (mematte.find(where),),
        load=_load_mematte,
    ),
}
