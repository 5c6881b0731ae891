"""The whole network: the UNet, and the encoder and the decoder of its latents."""

from __future__ import annotations

import torch
from torch import nn

from videomama_server.engines.videomama.network.shape import NetworkShape
from videomama_server.engines.videomama.network.unet import Unet
from videomama_server.engines.videomama.network.vae import Decoder, Encoder


class Network(nn.Module):
    """The folded network, for inference only.

    Build it under `torch.device("meta")` and load what `folding.fold` returns with `assign=True, strict=True`. Weights
    are cast to the activations' dtype where they are used, so their own decides about memory, not about arithmetic.
    """

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        self.unet = Unet(shape)
        self.encoder = Encoder(shape)
        self.decoder = Decoder(shape)

    @property
    def weights_dtype(self) -> torch.dtype:
        """What the weights are stored in."""
        return self.unet.conv_in.weight.dtype
