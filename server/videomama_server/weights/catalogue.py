"""Which published files are fetched, where each goes, and what pins its content.

The commits of the repositories were not known when this was written, so what is asked for is `main`, once: the commit
that the hub answers with is noted in the manifest beside the weights, and every later run stays at it. What protects is
not that, but the MD5 of each file of weights: whatever the hub has under that name, nothing else is accepted. A
config.json has no such pin; it must have the digest that the hub states, and describe the network that the pinned
file then fits, tensor by tensor.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from videomama_server.engines.videomama.checkpoint.published import UNET_CLASS, VAE_CLASS

UNET_FOLDER = "VideoMaMa/unet"
VAE_FOLDER = "stable-video-diffusion-img2vid-xt/vae"
LICENCE = Path(__file__).with_name("licence.txt")


@dataclass(frozen=True)
class WantedFile:
    """One file that is needed.

    Attributes:
        file: its path in the repository.
        place: its path in the folder of weights.
        md5: hexadecimal; "" for a config.json.
        network: for a config.json, the class that it describes.
    """

    file: str
    place: str
    md5: str = ""
    network: str = ""


@dataclass(frozen=True)
class Repository:
    """A repository, what of it is needed, and the revision to begin with: a branch, or a commit."""

    repo: str
    wanted: tuple[WantedFile, ...]
    revision: str = "main"


@dataclass(frozen=True)
class Offer:
    """All that makes the model run, and the bytes that the cache folder needs besides, once it is folded there."""

    repositories: tuple[Repository, ...]
    folded_bytes: int

    def tasks(self) -> list[tuple[Repository, WantedFile]]:
        """Return every file with its repository."""
        return [(repository, wanted) for repository in self.repositories for wanted in repository.wanted]

    def pins(self) -> set[str]:
        """Return the MD5 of every pinned file."""
        return {wanted.md5 for _, wanted in self.tasks() if wanted.md5}


PUBLISHED = Offer(
    repositories=(
        Repository(
            "SammyLim/VideoMaMa",
            (
                WantedFile("unet/config.json", f"{UNET_FOLDER}/config.json", network=UNET_CLASS),
                WantedFile(
                    "unet/diffusion_pytorch_model.safetensors",
                    f"{UNET_FOLDER}/diffusion_pytorch_model.safetensors",
                    md5="c8d457d4d5eb90f274bd441df60c8e47",
                ),
            ),
        ),
        Repository(
            "stabilityai/stable-video-diffusion-img2vid-xt",
            (
                WantedFile("vae/config.json", f"{VAE_FOLDER}/config.json", network=VAE_CLASS),
                WantedFile(
                    "vae/diffusion_pytorch_model.fp16.safetensors",
                    f"{VAE_FOLDER}/diffusion_pytorch_model.fp16.safetensors",
                    md5="46a0af9a794fb405221988a7e2b1396b",
                ),
            ),
        ),
    ),
    folded_bytes=2_800_000_000,
)
