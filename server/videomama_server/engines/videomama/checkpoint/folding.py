"""Turns the published tensors into those of the folded network: whatever is constant at inference is computed here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from videomama_server.engines.videomama.network.shape import FRAMES, NetworkShape
from videomama_server.engines.videomama.network.shape import shape_of as shape_of

_TIMESTEP = 1
_ADDED_IDS = (7, 127, 0)  # frames a second, motion bucket, noise augmentation
_LONGEST_PERIOD = 10_000


def fold(
    unet: Mapping[str, Tensor],
    vae: Mapping[str, Tensor],
    unet_config: Mapping[str, Any],
    vae_config: Mapping[str, Any],
    dtype: torch.dtype,
) -> dict[str, Tensor]:
    """Return the folded network's tensors by their names in `Network.state_dict()`.

    Arithmetic is in float64; every published tensor is used, or is known to have no effect. Keys and shapes are taken
    to have been checked.

    Where nothing was to be done the result is a view of the tensor given.

    Args:
        unet: the published UNet's tensors.
        vae: the published VAE's tensors.
        unet_config: the published UNet's config.
        vae_config: the published VAE's config.
        dtype: of the result.

    Raises:
        ValueError: tensors are left over, or the networks are built in another way than the published ones.
    """
    shape = shape_of(unet_config, vae_config)
    folded: dict[str, Tensor] = {}
    first = _Folder(unet, "", folded, "unet.", dtype)
    _fold_unet(first, shape, int(unet_config["addition_time_embed_dim"]))
    second = _Folder(vae, "encoder.", folded, "encoder.", dtype)
    _fold_encoder(second, shape)
    third = _Folder(vae, "decoder.", folded, "decoder.", dtype)
    _fold_decoder(third, shape)
    left = sorted((unet.keys() - first.used) | (vae.keys() - second.used - third.used))
    if left:
        raise ValueError(f"{len(left)} tensors are left over: {', '.join(left[:5])}")
    return folded


class _Folder:
    """Takes published tensors under one prefix, notes which, and puts folded ones under another."""

    def __init__(
        self, source: Mapping[str, Tensor], prefix: str, folded: dict[str, Tensor], onto: str, dtype: torch.dtype
    ) -> None:
        self.source = source
        self.prefix = prefix
        self.folded = folded
        self.onto = onto
        self.dtype = dtype
        self.used: set[str] = set()

    def under(self, prefix: str, onto: str | None = None) -> _Folder:
        """Return the folder of a part."""
        part = _Folder(
            self.source, self.prefix + prefix, self.folded, self.onto + (prefix if onto is None else onto), self.dtype
        )
        part.used = self.used
        return part

    def take(self, name: str) -> Tensor:
        """Return a published tensor in float64."""
        return self.as_is(name).double()

    def as_is(self, name: str) -> Tensor:
        """Return a published tensor in its own dtype, to be carried over without arithmetic."""
        self.used.add(self.prefix + name)
        return self.source[self.prefix + name]

    def drop(self, *prefixes: str) -> None:
        """Note that the tensors whose names begin so have no effect."""
        starts = tuple(self.prefix + prefix for prefix in prefixes)
        self.used.update(name for name in self.source if name.startswith(starts))

    def put(self, name: str, value: Tensor) -> None:
        """Add a folded tensor."""
        self.folded[self.onto + name] = value.to(self.dtype).contiguous()

    def carry(self, name: str, onto: str | None = None, *, bias: Tensor | float = 0.0) -> None:
        """Carry over a layer or a norm: weights (out, in, k, k) become (out, k, k, in), those of a 1 x 1 layer stay."""
        onto = name if onto is None else onto
        weight = self.as_is(f"{name}.weight")
        self.put(f"{onto}.weight", weight.permute(0, 2, 3, 1) if weight.ndim == 4 else weight)
        self.put(f"{onto}.bias", self.take(f"{name}.bias") + bias)

    def time_conv(self, name: str, *, bias: Tensor | float = 0.0, share: Tensor | float = 1.0) -> None:
        """Carry over a convolution over time, scaled: weights (out, in, 3, 1, 1) become (out, 3, in)."""
        self.put(f"{name}.weight", self.take(f"{name}.weight")[..., 0, 0].mT * share)
        self.put(f"{name}.bias", (self.take(f"{name}.bias") + bias) * share)

    def upsampler(self, name: str, onto: str) -> None:
        """Carry over a convolution after doubling, as `layers.Upsample` has it."""
        weight = self.take(f"{name}.weight")
        rows = torch.stack(_halves(weight, 2))  # (a, out, in, 2, 3)
        squares = torch.stack(_halves(rows, 4), dim=1)  # (a, b, out, in, 2, 2)
        self.put(f"{onto}.weight", squares.permute(0, 1, 2, 4, 5, 3).flatten(0, 2))
        self.put(f"{onto}.bias", self.take(f"{name}.bias").repeat(4))


def _halves(weight: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Return the two taps on the small picture that three on the doubled one come to, for even and odd pixels."""
    before, same, after = weight.unbind(axis)
    return torch.stack((before, same + after), dim=axis), torch.stack((before + same, after), dim=axis)


def _fold_unet(net: _Folder, shape: NetworkShape, id_width: int) -> None:
    embedding = _embedding(net, shape.channels[0], id_width)
    levels = len(shape.channels)
    net.carry("conv_in")
    for level in range(levels):
        block = net.under(f"down_blocks.{level}.")
        for layer in range(shape.layers[level]):
            _fold_res_block(block.under(f"resnets.{layer}."), embedding)
            if shape.down_attention[level]:
                _fold_transformer(block.under(f"attentions.{layer}."))
        if level < levels - 1:
            block.carry("downsamplers.0.conv", "downsampler")
    _fold_transformer(net.under("mid_block.attentions.0."))
    for layer in range(2):
        _fold_res_block(net.under(f"mid_block.resnets.{layer}."), embedding)
    for level in range(levels):
        block = net.under(f"up_blocks.{level}.")
        for layer in range(shape.layers[levels - 1 - level] + 1):
            _fold_res_block(block.under(f"resnets.{layer}."), embedding)
            if shape.up_attention[level]:
                _fold_transformer(block.under(f"attentions.{layer}."))
        if level < levels - 1:
            block.upsampler("upsamplers.0.conv", "upsampler")
    net.carry("conv_norm_out")
    net.carry("conv_out")


def _embedding(net: _Folder, width: int, id_width: int) -> Tensor:
    """Return silu of the embedding of timestep and added ids, as every res-block uses it."""
    time = _mlp(net.under("time_embedding."), _sinusoid(torch.tensor([_TIMESTEP]), width))
    ids = _mlp(net.under("add_embedding."), _sinusoid(torch.tensor(_ADDED_IDS), id_width).reshape(1, -1))
    return functional.silu(time + ids)[0]


def _mlp(net: _Folder, x: Tensor) -> Tensor:
    hidden = functional.silu(x @ net.take("linear_1.weight").T + net.take("linear_1.bias"))
    return hidden @ net.take("linear_2.weight").T + net.take("linear_2.bias")


def _sinusoid(positions: Tensor, width: int) -> Tensor:
    """Return cosines, then sines (N, width), float64, rounded as in training: in float32."""
    half = width // 2
    frequency = torch.exp(-math.log(_LONGEST_PERIOD) * torch.arange(half, dtype=torch.float32) / half)
    angle = positions[:, None].float() * frequency
    return torch.cat((torch.cos(angle), torch.sin(angle)), dim=1).double()


def _fold_res_block(net: _Folder, embedding: Tensor | None, *, switched: bool = False) -> None:
    """Fold a block in space and time: the embedding into biases, the mixing into the temporal part.

    The mix of x and x + f(x) is x plus a share of f(x). `switched`: the share is the mixer's own, as in the VAE.
    """
    spatial, temporal = net.under("spatial_res_block."), net.under("temporal_res_block.")
    _fold_spatial(spatial, embedding)
    mix = torch.sigmoid(net.take("time_mixer.mix_factor"))
    temporal.carry("norm1")
    temporal.time_conv("conv1", bias=_constant(temporal, embedding))
    temporal.carry("norm2")
    temporal.time_conv("conv2", share=mix if switched else 1 - mix)


def _fold_spatial(net: _Folder, embedding: Tensor | None) -> None:
    net.carry("norm1")
    net.carry("conv1", bias=_constant(net, embedding))
    net.carry("norm2")
    if f"{net.prefix}conv_shortcut.weight" in net.source:
        net.put("shortcut", net.as_is("conv_shortcut.weight")[..., 0, 0])
        net.carry("conv2", bias=net.take("conv_shortcut.bias"))
    else:
        net.carry("conv2")


def _constant(net: _Folder, embedding: Tensor | None) -> Tensor | float:
    if embedding is None:
        return 0.0
    return net.take("time_emb_proj.weight") @ embedding + net.take("time_emb_proj.bias")


def _fold_transformer(net: _Folder) -> None:
    net.carry("norm")
    net.carry("proj_in")
    spatial = net.under("transformer_blocks.0.", "spatial.")
    temporal = net.under("temporal_transformer_blocks.0.", "temporal.")
    for block in (spatial, temporal):
        block.carry("norm1")
        _fold_attention(block.under("attn1."), constant=block.take("attn2.to_out.0.bias"))
        block.drop("attn2.", "norm2.")
        block.carry("norm3")
        _fold_feed_forward(block, "ff")
    temporal.carry("norm_in")
    _fold_feed_forward(temporal, "ff_in")
    net.put("positions", _mlp(net.under("time_pos_embed."), _sinusoid(torch.arange(FRAMES), _width(net))))
    net.put("mix", torch.sigmoid(net.take("time_mixer.mix_factor")))
    net.carry("proj_out")


def _width(net: _Folder) -> int:
    return net.source[f"{net.prefix}norm.weight"].shape[0]


def _fold_feed_forward(net: _Folder, name: str) -> None:
    net.carry(f"{name}.net.0.proj", f"{name}.proj")
    net.carry(f"{name}.net.2", f"{name}.out")


def _fold_attention(net: _Folder, constant: Tensor | float = 0.0) -> None:
    """Join queries, keys and values; add to the output what a cross-attention over one zero token always returns."""
    net.put("qkv.weight", torch.cat([net.as_is(f"to_{one}.weight") for one in "qkv"]))
    if f"{net.prefix}to_q.bias" in net.source:
        net.put("qkv.bias", torch.cat([net.take(f"to_{one}.bias") for one in "qkv"]))
    net.carry("to_out.0", "to_out", bias=constant)


def _fold_picture_attention(net: _Folder) -> None:
    net.carry("group_norm")
    _fold_attention(net.under("", "attention."))


def _fold_encoder(net: _Folder, shape: NetworkShape) -> None:
    levels = len(shape.vae_channels)
    net.carry("conv_in")
    first = net.take("conv_in.weight").sum(dim=1, keepdim=True)
    net.put("conv_in_mask.weight", first.permute(0, 2, 3, 1))
    net.put("conv_in_mask.bias", net.take("conv_in.bias"))
    for level in range(levels):
        block = net.under(f"down_blocks.{level}.")
        for layer in range(shape.vae_layers):
            _fold_spatial(block.under(f"resnets.{layer}."), None)
        if level < levels - 1:
            block.carry("downsamplers.0.conv", "downsampler")
    for layer in range(2):
        _fold_spatial(net.under(f"mid_block.resnets.{layer}.", f"mid_resnets.{layer}."), None)
    _fold_picture_attention(net.under("mid_block.attentions.0.", "mid_attention."))
    net.carry("conv_norm_out")
    _fold_moments(net)


def _fold_moments(net: _Folder) -> None:
    """Fold the 1 x 1 convolution of the moments into the last one of the encoder."""
    weight, bias = net.take("conv_out.weight"), net.take("conv_out.bias")
    quant = _Folder(net.source, "quant_conv.", {}, "", net.dtype)
    quant.used = net.used
    mixed = quant.take("weight")[..., 0, 0]
    net.put("conv_out.weight", torch.einsum("om,mikl->okli", mixed, weight))
    net.put("conv_out.bias", mixed @ bias + quant.take("bias"))


def _fold_decoder(net: _Folder, shape: NetworkShape) -> None:
    net.carry("conv_in")
    for layer in range(min(shape.vae_layers, 2)):
        _fold_res_block(net.under(f"mid_block.resnets.{layer}.", f"mid_resnets.{layer}."), None, switched=True)
    if shape.vae_layers > 1:
        _fold_picture_attention(net.under("mid_block.attentions.0.", "mid_attention."))
    net.drop("mid_block.")  # with one layer the attention, with more than two the rest, is built but never used
    for level in range(len(shape.vae_channels)):
        block = net.under(f"up_blocks.{level}.")
        if level:
            net.upsampler(f"up_blocks.{level - 1}.upsamplers.0.conv", f"up_blocks.{level}.upsampler")
        for layer in range(shape.vae_layers + 1):
            _fold_res_block(block.under(f"resnets.{layer}."), None, switched=True)
    net.carry("conv_norm_out")
    _fold_colour(net)


def _fold_colour(net: _Folder) -> None:
    """Fold the mean of the channels through the convolution over time into the last one: an output for each tap."""
    ending = net.under("", "rgb_out.")
    ending.carry("conv_out", "conv")
    over_time, constant = net.take("time_conv_out.weight")[..., 0, 0], net.take("time_conv_out.bias")
    ending.put("time.weight", over_time.mT)
    ending.put("time.bias", constant)
    taps = over_time.mean(dim=0).T  # (3 taps, 3 channels)
    bias = taps @ net.take("conv_out.bias")
    bias[1] += constant.mean()  # the frame itself is always there
    net.put("grey_out.weight", torch.einsum("tc,cikl->tkli", taps, net.take("conv_out.weight")))
    net.put("grey_out.bias", bias)
