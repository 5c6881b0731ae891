"""The two kinds of attention in MEMatte's backbone, and the light block that stands in for the one among all tokens."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

HEADS = 6
WINDOW = 14  # tokens


class WindowAttention(nn.Module):
    """Attention within windows of 14 x 14 tokens, with a bias for how far two tokens lie apart along each axis."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.rel_pos_h, self.rel_pos_w = (nn.Parameter(torch.zeros(2 * WINDOW - 1, width // HEADS)) for _ in range(2))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (1, h, w, C) of tokens of that shape; windows that reach beyond them see zeros there."""
        _, height, width, channels = tokens.shape
        padded = functional.pad(tokens, (0, 0, 0, -width % WINDOW, 0, -height % WINDOW))
        rows, columns = padded.shape[1] // WINDOW, padded.shape[2] // WINDOW
        windows = padded.view(rows, WINDOW, columns, WINDOW, channels).transpose(1, 2)
        attended = self._attended(windows.reshape(rows * columns, WINDOW * WINDOW, channels))
        back = attended.view(rows, columns, WINDOW, WINDOW, channels).transpose(1, 2)
        return back.reshape(1, rows * WINDOW, columns * WINDOW, channels)[:, :height, :width]

    def _attended(self, windows: Tensor) -> Tensor:
        query, key, value = _split(self.qkv(windows))
        placed = query.reshape(*query.shape[:2], WINDOW, WINDOW, query.shape[3])
        down = torch.einsum("bnhwc,hkc->bnhwk", placed, self.rel_pos_h[_distances(query.device)])
        along = torch.einsum("bnhwc,wkc->bnhwk", placed, self.rel_pos_w[_distances(query.device)])
        bias = (down[..., :, None] + along[..., None, :]).flatten(4).flatten(2, 3)
        return _joined(self.proj, functional.scaled_dot_product_attention(query, key, value, attn_mask=bias))


class GlobalAttention(nn.Module):
    """Attention among any number of tokens, without a bias."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (1, N, C) of tokens of that shape."""
        query, key, value = _split(self.qkv(tokens))
        return _joined(self.proj, functional.scaled_dot_product_attention(query, key, value))


class LightBlock(nn.Module):
    """What tokens that are not kept go through in place of attention: a convolution, and a share by channel (LTRM)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.dwconv = nn.Conv2d(2 * width, 2 * width, 5, padding=2, groups=2 * width)
        self.eca = ChannelShare()

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (1, h, w, C) of tokens of that shape."""
        inner = functional.gelu(self.fc1(tokens)).permute(0, 3, 1, 2)
        found: Tensor = self.fc2(functional.gelu(self.dwconv(inner)).permute(0, 2, 3, 1))
        shared: Tensor = found + self.eca(found)
        return shared


class ChannelShare(nn.Module):
    """Weighs each channel by its mean and those of the four beside it (ECA)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 5, padding=2, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (1, h, w, C) of tokens of that shape."""
        mean = tokens.mean(dim=(1, 2))
        share: Tensor = torch.sigmoid(self.conv(mean[:, None]))[:, 0]
        return tokens * share[:, None, None, :]


class Router(nn.Module):
    """Says which tokens are worth attention among each other."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.in_conv = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU())
        self.out_conv = nn.Sequential(
            nn.Linear(width, width // 2),
            nn.GELU(),
            nn.Linear(width // 2, width // 4),
            nn.GELU(),
            nn.Linear(width // 4, 2),
            nn.LogSoftmax(dim=-1),
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Return which (N,) of tokens (1, N, C) are kept."""
        seen = self.in_conv(tokens)
        local, everywhere = seen.chunk(2, dim=-1)
        shared = everywhere.mean(dim=1, keepdim=True).expand_as(local)
        likely = self.out_conv(torch.cat((local, shared), dim=-1))[0]
        kept: Tensor = likely[:, 0] > likely[:, 1]
        return kept


def _split(qkv: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return query, key and value (B, heads, N, c) of what one layer made of them (B, N, 3 C)."""
    query, key, value = qkv.view(*qkv.shape[:2], 3, HEADS, -1).permute(2, 0, 3, 1, 4).unbind(0)
    return query, key, value


def _joined(project: nn.Linear, attended: Tensor) -> Tensor:
    """Return tokens (B, N, C) of those of all heads (B, heads, N, c)."""
    found: Tensor = project(attended.transpose(1, 2).flatten(2))
    return found


def _distances(device: torch.device) -> Tensor:
    """Return which entry (14, 14) of a table of distances holds for two tokens along one axis."""
    place = torch.arange(WINDOW, device=device)
    return place[:, None] - place[None, :] + WINDOW - 1
