from __future__ import annotations

import json
from dataclasses import asdict

import diffusers
import pytest
import torch
from videomama_server.engines.videomama.network.network import Network
from videomama_server.engines.videomama.network.shape import NetworkShape, shape_of

pytestmark = pytest.mark.usefixtures("inference")
PUBLISHED = NetworkShape(
    channels=(320, 640, 1280, 1280),
    layers=(2, 2, 2, 2),
    heads=(5, 10, 20, 20),
    down_attention=(True, True, True, False),
    up_attention=(False, True, True, True),
    inputs=12,
    outputs=4,
    vae_channels=(128, 256, 512, 512),
    vae_layers=2,
    latents=4,
)


def published():
    with torch.device("meta"):
        return Network(PUBLISHED)


def stock_unet():
    with torch.device("meta"):
        return diffusers.UNetSpatioTemporalConditionModel(in_channels=12, num_attention_heads=(5, 10, 20, 20))


def size(named):
    return sum(values.numel() for _, values in named)


def test_the_published_unet_is_smaller_by_what_is_constant():
    stock = dict(stock_unet().named_parameters())
    gone = ("attn2.", "norm2.", "time_emb_proj", "time_embedding", "add_embedding", "time_pos_embed")
    in_transformers = [name for name in stock if "transformer_blocks" in name or "norm2." not in name]
    dropped = [(name, stock[name]) for name in in_transformers if any(part in name for part in gone)]
    mixers = 38 - 16  # those of the res-blocks
    shortcuts = sum(values.numel() for name, values in stock.items() if name.endswith("conv_shortcut.bias"))
    norms = [
        values for name, values in stock.items() if "attentions" in name and name.split(".")[-2:] == ["norm", "bias"]
    ]
    tables = 25 * sum(values.numel() for values in norms)
    upsamplers = [values for name, values in stock.items() if "upsamplers" in name]
    grown = sum(values.numel() * 7 // 9 if values.ndim == 4 else values.numel() * 3 for values in upsamplers)
    folded = size(published().unet.named_parameters())
    assert folded == size(stock.items()) - size(dropped) - shortcuts - mixers + tables + grown


def test_the_norms_are_as_careful_as_the_published_ones():
    """A wrong epsilon hides in random weights, whose activations are far from flat."""
    ours = {name: layer.eps for name, layer in published().unet.named_modules() if hasattr(layer, "eps")}
    stock = {name: layer.eps for name, layer in stock_unet().named_modules() if isinstance(layer, torch.nn.GroupNorm)}
    assert ours == stock


def test_the_norms_of_the_decoder_too():
    ours = published().decoder
    assert {block.spatial_res_block.norm1.eps for level in ours.up_blocks for block in level.resnets} == {1e-6}
    assert {block.temporal_res_block.norm2.eps for level in ours.up_blocks for block in level.resnets} == {1e-5}
    assert ours.conv_norm_out.eps == ours.mid_attention.group_norm.eps == 1e-6


@pytest.mark.parametrize("stored", [torch.bfloat16, torch.float16])
def test_weights_are_cast_to_the_activations(stock, make, noise, stored):
    network = make.network(stock, stored)
    assert network.weights_dtype == stored
    assert {values.dtype for values in network.parameters()} == {stored}
    x, z, plate = noise(2, 12, 8, 8), noise(2, 4, 8, 8), noise(1, 3, 64, 64)
    results = (network.unet(x, 1), network.decoder.grey(z, 1, 1), network.encoder.plate(plate))
    exact = (stock.alpha_latents(x), stock.pictures(z).mean(dim=1, keepdim=True), stock.moments(plate))
    for result, expected in zip(results, exact, strict=True):
        assert result.dtype == torch.float32
        assert 0 < (result - expected).abs().max() < 0.5


def test_a_shape_goes_through_json():
    assert NetworkShape(**json.loads(json.dumps(asdict(PUBLISHED)))) == PUBLISHED


def test_the_shape_is_read_from_the_published_configs(stock):
    assert shape_of(dict(stock.unet.config), dict(stock.vae.config)).channels == (32, 64, 64, 64)
    unet = dict(stock_unet().config)
    vae = {"block_out_channels": [128, 256, 512, 512], "layers_per_block": 2, "latent_channels": 4}
    assert shape_of(unet, vae) == PUBLISHED


@pytest.mark.parametrize(
    ("of_unet", "of_vae"),
    [({"transformer_layers_per_block": 2}, {}), ({}, {"out_channels": 1}), ({}, {"in_channels": 4})],
)
def test_another_construction_is_refused(stock, of_unet, of_vae):
    with pytest.raises(ValueError, match=r"transformer_layers_per_block|three channels"):
        shape_of({**stock.unet.config, **of_unet}, {**stock.vae.config, **of_vae})
