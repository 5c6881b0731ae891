"""Weights on disk: files of the networks' names with next to nothing in them, and a tiny checkpoint, whole."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
from videomama_server.engines.videomama.checkpoint import layouts, published, weights

UNET_NAME = "VideoMaMa/unet/diffusion_pytorch_model.safetensors"
VAE_NAME = "stable-video-diffusion-img2vid-xt/vae/diffusion_pytorch_model.fp16.safetensors"
UNET_CONFIG = {"_class_name": published.UNET_CLASS, "in_channels": 12, "num_frames": 25}
VAE_CONFIG = {"_class_name": published.VAE_CLASS, "scaling_factor": 0.18215}


def unet_tensors(channels=12, prefix="", dtype=np.float32):
    return {
        f"{prefix}conv_in.weight": np.zeros((32, channels, 3, 3), dtype),
        f"{prefix}add_embedding.linear_1.weight": np.zeros((128, 768), dtype),
    }


def vae_tensors(temporal=True, prefix="", dtype=np.float16):
    tensors = {
        f"{prefix}encoder.conv_in.weight": np.zeros((32, 3, 3, 3), dtype),
        f"{prefix}decoder.conv_in.weight": np.zeros((32, 4, 3, 3), dtype),
    }
    if temporal:
        tensors[f"{prefix}decoder.time_conv_out.weight"] = np.zeros((3, 3, 3, 1, 1), dtype)
    return tensors


def write_file(path, tensors, config=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    safetensors.numpy.save_file(tensors, path)
    if config is not None:
        (path.parent / "config.json").write_text(json.dumps(config))
    return path


def write_unet(path, channels=12, dtype=np.float32):
    return write_file(path, unet_tensors(channels, dtype=dtype), {**UNET_CONFIG, "in_channels": channels})


def write_vae(path):
    return write_file(path, vae_tensors(), VAE_CONFIG)


@pytest.fixture(scope="session")
def put():
    """Write files of weights: `put.unet(path)`, `put.vae(path)`, `put.file(path, put.unet_tensors())`."""
    return SimpleNamespace(
        file=write_file, unet=write_unet, vae=write_vae, unet_tensors=unet_tensors, vae_tensors=vae_tensors
    )


@pytest.fixture
def checkpoint(tiny_checkpoint):
    return layouts.find(tiny_checkpoint)


@pytest.fixture
def unet_file(own_checkpoint):
    return own_checkpoint / UNET_NAME


@pytest.fixture
def vae_file(own_checkpoint):
    return own_checkpoint / VAE_NAME


@pytest.fixture(scope="session")
def folded_once(tiny_checkpoint, tmp_path_factory):
    """Folded files by dtype name, for all tests: not to be changed."""
    folder = tmp_path_factory.mktemp("folded")
    found = layouts.find(tiny_checkpoint)
    return {name: weights.folded(found, folder, dtype) for name, dtype in weights.DTYPES.items()}


@pytest.fixture(scope="session")
def change():
    """Replace tensors of a file, `__` for a dot; None takes one away: `change(path, conv_in__bias=tensor)`."""

    def replace_tensors(path, **tensors):
        names = {name.replace("__", "."): tensor for name, tensor in tensors.items()}
        content = {**safetensors.torch.load_file(path), **names}
        path.unlink()
        safetensors.torch.save_file({name: tensor for name, tensor in content.items() if tensor is not None}, path)

    return replace_tensors


@pytest.fixture(scope="session")
def change_config():
    """Set values of config.json beside a file: `change_config(path, num_frames=14)`."""

    def set_values(path, **values):
        config = path.parent / "config.json"
        config.write_text(json.dumps({**json.loads(config.read_text()), **values}))

    return set_values
