"""MEMatte (Lin et al., Memory Efficient Matting with Adaptive Token Routing, AAAI 2025): ViT-S, for one picture.

Written after the published description; layers have the names of the published checkpoint. Tokens that the routers do
not keep take no part in attention among all. Attention is torch's own, which needs no memory that grows with the
square of the tokens, so none has to be dropped for its sake.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from videomama_server.engines.mematte.attention import GlobalAttention, LightBlock, Router, WindowAttention
from videomama_server.engines.mematte.decoder import Decoder

WIDTH = 384
PATCH = 16  # pixels
STEP = 32  # pixels, that pictures are padded to
_BLOCKS, _GLOBAL = 12, (2, 5, 8, 11)
_TRAINED = 14  # tokens along a side that positions were learned for
_EPSILON = 1e-6
_MEAN, _DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # of red, green and blue, 0..255


class MEMatte(nn.Module):
    """The network. It takes one picture at a time: kept tokens of several would attend to each other."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.backbone, self.decoder = Backbone(), Decoder(WIDTH)
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1) / 255, persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION).view(1, 3, 1, 1) / 255, persistent=False)

    def forward(self, plate: Tensor, trimap: Tensor) -> Tensor:
        """Return the alpha (1, 1, H, W), 0..1, of one picture.

        Args:
            plate: (1, 3, H, W), 0..1, display-referred.
            trimap: (1, 1, H, W): 0, 128/255 or 1.
        """
        height, width = plate.shape[2:]
        seen = _padded(torch.cat(((plate - self.mean) / self.deviation, trimap), dim=1))
        found: Tensor = self.decoder(self.backbone(seen), seen)[..., :height, :width]
        return torch.where(trimap == 0, 0, torch.where(trimap == 1, 1, found)).to(found.dtype)


class Backbone(nn.Module):
    """The vision transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + _TRAINED * _TRAINED, WIDTH))
        self.patch_embed = PatchEmbedding()
        self.blocks = nn.ModuleList(GlobalBlock() if index in _GLOBAL else WindowBlock() for index in range(_BLOCKS))
        self.routers = nn.ModuleList(Router(WIDTH) for _ in _GLOBAL)

    def forward(self, seen: Tensor) -> Tensor:
        """Return features (1, C, H / 16, W / 16) of a padded picture with its trimap (1, 4, H, W)."""
        tokens = self.patch_embed(seen)
        tokens = tokens + self._positions(tokens.shape[1], tokens.shape[2])
        routers = iter(self.routers)
        for block in self.blocks:
            if isinstance(block, GlobalBlock):
                tokens = block(tokens, next(routers)(tokens.flatten(1, 2)))
            else:
                tokens = block(tokens)
        features: Tensor = tokens.permute(0, 3, 1, 2)
        return features

    def _positions(self, height: int, width: int) -> Tensor:
        known = self.pos_embed[:, 1:].view(1, _TRAINED, _TRAINED, WIDTH).permute(0, 3, 1, 2)
        resized = functional.interpolate(known, size=(height, width), mode="bicubic", align_corners=False)
        return resized.permute(0, 2, 3, 1)


class PatchEmbedding(nn.Module):
    """One token of 16 x 16 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.proj = nn.Conv2d(4, WIDTH, PATCH, stride=PATCH)

    def forward(self, seen: Tensor) -> Tensor:
        """Return tokens (1, h, w, C) of a picture (1, 4, H, W)."""
        tokens: Tensor = self.proj(seen).permute(0, 2, 3, 1)
        return tokens


class WindowBlock(nn.Module):
    """A block that attends within windows."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(WIDTH, eps=_EPSILON) for _ in range(2))
        self.attn, self.mlp = WindowAttention(WIDTH), FeedForward()

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (1, h, w, C) of tokens of that shape."""
        tokens = tokens + self.attn(self.norm1(tokens))
        found: Tensor = tokens + self.mlp(self.norm2(tokens))
        return found


class GlobalBlock(nn.Module):
    """A block whose kept tokens attend to each other, wherever they lie; the others pass a light block."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(WIDTH, eps=_EPSILON) for _ in range(2))
        self.attn, self.mlp = GlobalAttention(WIDTH), FeedForward()
        self.efficient_block, self.residual = LightBlock(WIDTH), Bottleneck()

    def forward(self, tokens: Tensor, kept: Tensor) -> Tensor:
        """Return tokens (1, h, w, C) of tokens of that shape, (h w,) of which are kept."""
        change = self.efficient_block(tokens).flatten(1, 2)
        if kept.any():
            attending = tokens.flatten(1, 2)[:, kept]
            change[:, kept] = self.attn(self.norm1(attending)).to(change.dtype)
        tokens = tokens + change.view_as(tokens)
        tokens = tokens + self.mlp(self.norm2(tokens))
        found: Tensor = tokens + self.residual(tokens.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return found


class FeedForward(nn.Module):
    """Two layers over each token."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens of the same shape."""
        found: Tensor = self.fc2(functional.gelu(self.fc1(tokens)))
        return found


class Bottleneck(nn.Module):
    """Three convolutions, through half of the channels."""

    def __init__(self) -> None:
        super().__init__()
        half = WIDTH // 2
        self.conv1, self.norm1 = nn.Conv2d(WIDTH, half, 1, bias=False), ChannelNorm(half)
        self.conv2, self.norm2 = nn.Conv2d(half, half, 3, padding=1, bias=False), ChannelNorm(half)
        self.conv3, self.norm3 = nn.Conv2d(half, WIDTH, 1, bias=False), ChannelNorm(WIDTH)

    def forward(self, features: Tensor) -> Tensor:
        """Return features (1, C, h, w) of features of that shape."""
        inner = functional.gelu(self.norm1(self.conv1(features)))
        inner = functional.gelu(self.norm2(self.conv2(inner)))
        found: Tensor = self.norm3(self.conv3(inner))
        return found


class ChannelNorm(nn.LayerNorm):
    """A layer norm over the channels of features (1, C, h, w)."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=_EPSILON)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        return super().forward(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def _padded(seen: Tensor) -> Tensor:
    """Return a picture (1, 4, H, W) padded with zeros to whole steps.

    As published: where one side needs it, the other gets a whole step too, needed or not.
    """
    height, width = seen.shape[2:]
    if height % STEP == 0 and width % STEP == 0:
        return seen
    return functional.pad(seen, (0, STEP - width % STEP, 0, STEP - height % STEP))
