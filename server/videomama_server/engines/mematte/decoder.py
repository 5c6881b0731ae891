"""MEMatte's decoder: features and picture to an alpha, piece by piece, so that its memory does not grow."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_PATCH = 16  # pixels of a feature
_DETAIL = (48, 96, 192)  # channels of the picture's own features, each at half the size
_FUSED = (256, 128, 64, 32)  # channels after each step back to full size
_EPSILON = 1e-5


class Decoder(nn.Module):
    """Adds the picture's detail to the features of the backbone, at 1/8, 1/4, 1/2 and its full size.

    Args:
        width: channels of the features.
    """

    SIDE = 512  # pixels of a piece
    CONTEXT = 64  # pixels around a piece that are decoded with it, and not kept

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convstream = DetailStream()
        detail = (*reversed(_DETAIL), 4)
        before = (width, *_FUSED[:-1])
        self.fusion_blks = nn.ModuleList(
            Fusion(coarse + fine, out) for coarse, fine, out in zip(before, detail, _FUSED, strict=True)
        )
        self.matting_head = Head(_FUSED[-1])

    def forward(self, features: Tensor, seen: Tensor) -> Tensor:
        """Return the alpha (1, 1, H, W), 0..1, of features (1, C, H / 16, W / 16) and a picture (1, 4, H, W)."""
        height, width = seen.shape[2:]
        whole = functional.pad(seen, (0, -width % self.SIDE, 0, -height % self.SIDE))
        coarse = functional.pad(features, (0, (-width % self.SIDE) // _PATCH, 0, (-height % self.SIDE) // _PATCH))
        found = whole.new_empty((1, 1, *whole.shape[2:]))
        for top in range(0, height, self.SIDE):
            for left in range(0, width, self.SIDE):
                rows, columns = (
                    slice(max(0, start - self.CONTEXT), min(length, start + self.SIDE + self.CONTEXT))
                    for start, length in ((top, whole.shape[2]), (left, whole.shape[3]))
                )
                piece = self._decoded(_features(coarse, rows, columns), whole[..., rows, columns])
                y, x = top - rows.start, left - columns.start
                kept = piece[..., y : y + self.SIDE, x : x + self.SIDE]
                found[..., top : top + self.SIDE, left : left + self.SIDE] = kept
        return found[..., :height, :width]

    def _decoded(self, features: Tensor, seen: Tensor) -> Tensor:
        details = self.convstream(seen)
        for fusion, detail in zip(self.fusion_blks, reversed(details), strict=True):
            features = fusion(features, detail)
        return torch.sigmoid(self.matting_head(features))


class Convolution(nn.Module):
    """A 3 x 3 convolution, batch norm and ReLU."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(after, eps=_EPSILON)

    def forward(self, features: Tensor) -> Tensor:
        """Return features (1, C, h, w)."""
        return functional.relu(self.bn(self.conv(features)))


class DetailStream(nn.Module):
    """The picture at full size, and features of it at 1/2, 1/4 and 1/8."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            Convolution(before, after, stride=2) for before, after in zip((4, *_DETAIL[:-1]), _DETAIL, strict=True)
        )

    def forward(self, seen: Tensor) -> list[Tensor]:
        """Return them, the largest first, for a picture (1, 4, H, W)."""
        found = [seen]
        for convolution in self.convs:
            found.append(convolution(found[-1]))
        return found


class Fusion(nn.Module):
    """Joins features with detail of twice their size."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv = Convolution(before, after, stride=1)

    def forward(self, features: Tensor, detail: Tensor) -> Tensor:
        """Return features of the size of the detail."""
        larger = functional.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)
        found: Tensor = self.conv(torch.cat((detail, larger), dim=1))
        return found


class Head(nn.Module):
    """Features to one number per pixel."""

    def __init__(self, before: int) -> None:
        super().__init__()
        self.matting_convs = nn.Sequential(
            nn.Conv2d(before, 16, 3, padding=1), nn.BatchNorm2d(16, eps=_EPSILON), nn.ReLU(), nn.Conv2d(16, 1, 1)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return (1, 1, H, W), before the sigmoid."""
        found: Tensor = self.matting_convs(features)
        return found


def _features(coarse: Tensor, rows: slice, columns: slice) -> Tensor:
    """Return the features of pixels that begin and end at whole patches."""
    down = slice(rows.start // _PATCH, rows.stop // _PATCH)
    return coarse[..., down, columns.start // _PATCH : columns.stop // _PATCH]
