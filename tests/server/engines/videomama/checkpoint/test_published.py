"""The published configs, and what config.json beside a file of weights says instead."""

import math
from pathlib import Path

import pytest
from videomama_client.errors import WeightsError
from videomama_server.engines.videomama.checkpoint import checks, layouts, published

PUBLISHED = "diffusion_pytorch_model.safetensors"
HALF = "diffusion_pytorch_model.fp16.safetensors"


def test_the_published_configs_describe_the_published_networks():
    unet = checks._wanted(Path("unet"), published.UNET_CLASS, published.PUBLISHED_UNET)
    vae = checks._wanted(Path("vae"), published.VAE_CLASS, published.PUBLISHED_VAE)
    assert sum(math.prod(shape) for shape in unet.values()) == 1_524_634_602
    assert 97.5e6 < sum(math.prod(shape) for shape in vae.values()) < 97.9e6
    assert unet["conv_in.weight"] == (320, 12, 3, 3)


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000])
def test_a_config_that_cannot_be_read(tmp_path, raises_with_hint, text, put):
    put.unet(tmp_path / "unet" / PUBLISHED)
    put.vae(tmp_path / "vae" / HALF)
    config = tmp_path / "unet" / "config.json"
    config.write_text(text)
    with raises_with_hint(WeightsError, config):
        layouts.find(tmp_path)


def test_a_file_without_config_has_the_published_one(tmp_path, put):
    put.file(tmp_path / "videomama.safetensors", put.unet_tensors())
    put.file(
        tmp_path / "vae" / PUBLISHED,
        put.vae_tensors(),
        {"_class_name": "AutoencoderKLTemporalDecoder", "sample_size": 1},
    )
    found = layouts.find(tmp_path)
    assert found.unet_config == published.PUBLISHED_UNET
    assert found.vae_config == {**published.PUBLISHED_VAE, "_class_name": published.VAE_CLASS, "sample_size": 1}


def test_both_files_in_one_folder_do_not_share_a_config(tmp_path, put):
    put.unet(tmp_path / "unet.safetensors")
    put.file(tmp_path / "vae.safetensors", put.vae_tensors())
    found = layouts.find(tmp_path)
    assert found.unet_config["_class_name"] == published.UNET_CLASS
    assert found.vae_config == published.PUBLISHED_VAE
