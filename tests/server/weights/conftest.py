"""A hub that has the tiny checkpoint, and what is published as it is there."""

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import huggingface_hub
import pytest
from videomama_server.engines.videomama.checkpoint.published import UNET_CLASS, VAE_CLASS
from videomama_server.weights.catalogue import PUBLISHED, UNET_FOLDER, VAE_FOLDER, Offer, Repository, WantedFile
from videomama_server.weights.digests import silent
from videomama_server.weights.fetch import FetchOrder, fetch

UNET_REPO, VAE_REPO = (source.repo for source in PUBLISHED.repositories)
UNET_FILE = "unet/diffusion_pytorch_model.safetensors"
VAE_FILE = "vae/diffusion_pytorch_model.fp16.safetensors"
HEADS = {UNET_REPO: "a" * 40, VAE_REPO: "b" * 40}


def load(name: str) -> ModuleType:
    """Import a module beside this file, which is no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


hub_standin = load("hub_standin")


@pytest.fixture
def hub(tiny_checkpoint, monkeypatch):
    """A running hub; the environment has nothing that would lead elsewhere."""
    for name in os.environ:
        if name.startswith("HF_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    huggingface_hub.close_session()  # it remembers proxies
    files = {}
    for repo, part, folder in ((UNET_REPO, "unet", UNET_FOLDER), (VAE_REPO, "vae", VAE_FOLDER)):
        for path in (tiny_checkpoint / folder).iterdir():
            files[repo, f"{part}/{path.name}"] = path
    with hub_standin.HubStandin(files, dict(HEADS)).running() as running:
        yield running
    huggingface_hub.close_session()


@pytest.fixture
def tiny_offer(tiny_checkpoint):
    """The offer of the hub, pinned to its content as the real one is to the real hub's."""

    def pinned(repo, folder, part, file, network):
        md5 = hub_standin.md5(tiny_checkpoint / folder / Path(file).name)
        config = WantedFile(f"{part}/config.json", f"{folder}/config.json", network=network)
        return Repository(repo, (config, WantedFile(file, f"{folder}/{Path(file).name}", md5=md5)))

    return Offer(
        (
            pinned(UNET_REPO, UNET_FOLDER, "unet", UNET_FILE, UNET_CLASS),
            pinned(VAE_REPO, VAE_FOLDER, "vae", VAE_FILE, VAE_CLASS),
        ),
        folded_bytes=20_000_000,
    )


@pytest.fixture
def weights(tmp_path):
    """A folder of weights that is not there yet, under a name that has to be taken as it is."""
    return tmp_path / "Gewichte für später" / "映像 #1%20"


@pytest.fixture
def said():
    """What was said to the person."""
    return []


@pytest.fixture
def bring(hub, tiny_offer, weights, tmp_path, said):
    """Fetch into `weights`: `bring(accepted=False)`; fields of the order may be given."""

    def run(accepted=True, progress=silent, **changes):
        order = {"offer": tiny_offer, "weights": weights, "folded": tmp_path / "cache" / "folded"}
        order |= {"accepted": lambda: accepted, "endpoint": hub.endpoint, **changes}
        return fetch(FetchOrder(**order), progress, said.append)

    return run


@pytest.fixture
def bring_network(bring, tmp_path):
    """Fetch one of the additional networks into `tmp_path`: `bring_network(NETWORKS["sam3"], accepted=False)`."""

    def run(network, accepted=True):
        return bring(accepted, offer=network.offer(), weights=tmp_path / network.folder, check=network.check)

    return run
