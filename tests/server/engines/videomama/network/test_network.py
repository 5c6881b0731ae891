from __future__ import annotations

import diffusers
import pytest
import torch
from videomama_server.engines.videomama.checkpoint.published import PUBLISHED_UNET, PUBLISHED_VAE
from videomama_server.engines.videomama.network.network import Network
from videomama_server.engines.videomama.network.shape import shape_of

pytestmark = pytest.mark.usefixtures("inference")


def published():
    with torch.device("meta"):
        return Network(shape_of(PUBLISHED_UNET, PUBLISHED_VAE))


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
