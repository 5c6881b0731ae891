"""MEMatte once more, straight after its description and apart from the engine: plain functions over a state dict."""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F  # noqa: N812 - what everybody calls it

HEADS, WINDOW, GLOBAL = 6, 14, (2, 5, 8, 11)
MEAN = torch.tensor([123.675, 116.28, 103.53])[:, None, None] / 255
DEVIATION = torch.tensor([58.395, 57.12, 57.375])[:, None, None] / 255


def alpha(state, plate, trimap):
    """Return alpha (H, W) of a plate (3, H, W), 0..1, and a trimap (1, H, W) of 0, 128/255 and 1."""
    _, height, width = plate.shape
    picture = torch.cat([(plate - MEAN) / DEVIATION, trimap])
    if height % 32 or width % 32:
        canvas = torch.zeros(4, height + 32 - height % 32, width + 32 - width % 32)
        canvas[:, :height, :width] = picture
        picture = canvas
    features, kept = backbone(state, picture)
    found = decoder(state, features, picture)[:height, :width].clone()
    found[trimap[0] == 0] = 0
    found[trimap[0] == 1] = 1
    return found, kept


def linear(state, name, x):
    return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def norm(state, name, x, eps=1e-6):
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(variance + eps) * state[f"{name}.weight"] + state[f"{name}.bias"]


def gelu(x):
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def backbone(state, picture):
    """Return features (C, h, w), and the share of tokens that each router kept."""
    patches = F.unfold(picture[None], 16, stride=16)[0].T  # (N, 4 * 256)
    weight = state["backbone.patch_embed.proj.weight"].reshape(384, -1)
    rows, columns = picture.shape[1] // 16, picture.shape[2] // 16
    tokens = (patches @ weight.T + state["backbone.patch_embed.proj.bias"]).reshape(rows, columns, 384)
    table = state["backbone.pos_embed"][0, 1:].reshape(14, 14, 384).permute(2, 0, 1)[None]
    tokens = tokens + F.interpolate(table, size=(rows, columns), mode="bicubic", align_corners=False)[0].permute(
        1, 2, 0
    )
    shares = []
    for index in range(12):
        at = f"backbone.blocks.{index}"
        if index in GLOBAL:
            keep = router(state, f"backbone.routers.{GLOBAL.index(index)}", tokens.reshape(-1, 384))
            shares.append(float(keep.float().mean()))
            change = light(state, f"{at}.efficient_block", tokens).reshape(-1, 384)
            if keep.any():
                chosen = norm(state, f"{at}.norm1", tokens.reshape(-1, 384)[keep])
                change[keep] = attention(state, f"{at}.attn", chosen, None)
            tokens = tokens + change.reshape(tokens.shape)
        else:
            tokens = tokens + in_windows(state, f"{at}.attn", norm(state, f"{at}.norm1", tokens))
        inner = gelu(linear(state, f"{at}.mlp.fc1", norm(state, f"{at}.norm2", tokens)))
        tokens = tokens + linear(state, f"{at}.mlp.fc2", inner)
        if index in GLOBAL:
            tokens = tokens + bottleneck(state, f"{at}.residual", tokens)
    return tokens.permute(2, 0, 1), shares


def router(state, name, tokens):
    seen = gelu(linear(state, f"{name}.in_conv.1", norm(state, f"{name}.in_conv.0", tokens, eps=1e-5)))
    local, everywhere = seen[:, :192], seen[:, 192:].mean(0)
    x = torch.cat([local, everywhere[None].repeat(len(local), 1)], dim=1)
    x = gelu(linear(state, f"{name}.out_conv.0", x))
    x = gelu(linear(state, f"{name}.out_conv.2", x))
    likely = linear(state, f"{name}.out_conv.4", x).log_softmax(dim=1)
    return likely[:, 0] > likely[:, 1]


def light(state, name, tokens):
    inner = gelu(linear(state, f"{name}.fc1", tokens)).permute(2, 0, 1)[None]
    inner = F.conv2d(inner, state[f"{name}.dwconv.weight"], state[f"{name}.dwconv.bias"], padding=2, groups=768)
    out = linear(state, f"{name}.fc2", gelu(inner[0].permute(1, 2, 0)))
    mean = out.mean((0, 1))
    share = torch.sigmoid(F.conv1d(mean[None, None], state[f"{name}.eca.conv.weight"], padding=2)[0, 0])
    return out + out * share


def attention(state, name, tokens, sides):
    """Return what tokens (N, C) become; `sides` (rows, columns) asks for the bias of their distances."""
    qkv = linear(state, f"{name}.qkv", tokens).reshape(len(tokens), 3, HEADS, 64)
    out = []
    for head in range(HEADS):
        query, key, value = qkv[:, 0, head], qkv[:, 1, head], qkv[:, 2, head]
        scores = query @ key.T / 8
        if sides:
            scores = scores + bias(state, name, query, sides)
        out.append(scores.softmax(dim=1) @ value)
    return linear(state, f"{name}.proj", torch.cat(out, dim=1))


def bias(state, name, query, sides):
    rows, columns = sides
    y, x = torch.arange(rows * columns) // columns, torch.arange(rows * columns) % columns
    down = state[f"{name}.rel_pos_h"][y[:, None] - y[None, :] + rows - 1]
    along = state[f"{name}.rel_pos_w"][x[:, None] - x[None, :] + columns - 1]
    return (query[:, None, :] * (down + along)).sum(-1)


def in_windows(state, name, tokens):
    rows, columns = tokens.shape[:2]
    padded = torch.zeros(math.ceil(rows / WINDOW) * WINDOW, math.ceil(columns / WINDOW) * WINDOW, 384)
    padded[:rows, :columns] = tokens
    for top in range(0, padded.shape[0], WINDOW):
        for left in range(0, padded.shape[1], WINDOW):
            window = padded[top : top + WINDOW, left : left + WINDOW].reshape(-1, 384)
            out = attention(state, name, window, (WINDOW, WINDOW))
            padded[top : top + WINDOW, left : left + WINDOW] = out.reshape(WINDOW, WINDOW, 384)
    return padded[:rows, :columns]


def bottleneck(state, name, tokens):
    x = tokens.permute(2, 0, 1)[None]
    for number, padding in ((1, 0), (2, 1), (3, 0)):
        x = F.conv2d(x, state[f"{name}.conv{number}.weight"], padding=padding)
        x = norm(state, f"{name}.norm{number}", x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        if number < 3:
            x = gelu(x)
    return x[0].permute(1, 2, 0)


def batch_norm(state, name, x):
    mean, variance, weight, shift = (
        state[f"{name}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / torch.sqrt(variance + 1e-5) * weight + shift


def convolved(state, name, x, stride):
    return batch_norm(state, f"{name}.bn", F.conv2d(x, state[f"{name}.conv.weight"], stride=stride, padding=1)).relu()


def decoder(state, features, picture):
    """Return the alpha (H, W), decoded as published: in pieces of 512 with 64 pixels around, as far as there are."""
    height, width = picture.shape[1:]
    tall, wide = math.ceil(height / 512) * 512, math.ceil(width / 512) * 512
    whole, coarse = torch.zeros(4, tall, wide), torch.zeros(384, tall // 16, wide // 16)
    whole[:, :height, :width] = picture
    coarse[:, : features.shape[1], : features.shape[2]] = features
    out = torch.zeros(tall, wide)
    for top in range(0, tall, 512):
        for left in range(0, wide, 512):
            y0, y1, x0, x1 = max(0, top - 64), min(tall, top + 576), max(0, left - 64), min(wide, left + 576)
            piece = decoded(state, coarse[:, y0 // 16 : y1 // 16, x0 // 16 : x1 // 16], whole[:, y0:y1, x0:x1])
            out[top : top + 512, left : left + 512] = piece[top - y0 :, left - x0 :][:512, :512]
    return out[:height, :width]


def decoded(state, features, picture):
    details = [picture[None]]
    for number in range(3):
        details.append(convolved(state, f"decoder.convstream.convs.{number}", details[-1], 2))
    x = features[None]
    for number in range(4):
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        x = convolved(state, f"decoder.fusion_blks.{number}.conv", torch.cat([details[3 - number], x], dim=1), 1)
    head = "decoder.matting_head.matting_convs"
    x = F.conv2d(x, state[f"{head}.0.weight"], state[f"{head}.0.bias"], padding=1)
    x = batch_norm(state, f"{head}.1", x).relu()
    return torch.sigmoid(F.conv2d(x, state[f"{head}.3.weight"], state[f"{head}.3.bias"]))[0, 0]
