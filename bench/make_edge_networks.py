"""Edge networks with random weights, in the layout of the published ones: for tests, and for time and memory."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

SMALL, BASE = "vitmatte-small-composition-1k", "vitmatte-base-composition-1k"
MEMATTE = "mematte/MEMatte_ViTS_DIM.pth"
_NORMALISATION = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "size_divisibility": 32}
_SIZES = {  # hidden size, layers, heads, channels of the detail stream and of the fusion
    "tiny": (48, 4, 3, [12, 16, 24], [24, 16, 12, 8]),
    "small": (384, 12, 6, [48, 96, 192], [256, 128, 64, 32]),
    "base": (768, 12, 12, [48, 96, 192], [256, 128, 64, 32]),
}


def save_vitmatte(folder: Path, size: str = "tiny", seed: int = 0) -> Path:
    """Save a ViTMatte whose answers differ clearly from place to place, and return its folder."""
    import torch
    from transformers import VitMatteForImageMatting
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.manual_seed(seed)
    model = VitMatteForImageMatting(_config(size)).eval()
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            draw(name, tensor)
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(_NORMALISATION))
    return folder


def save_mematte(path: Path, seed: int = 0) -> Path:
    """Save a MEMatte as its authors' training leaves one, and return the file."""
    import torch
    from videomama_server.engines.mematte.network import MEMatte

    torch.manual_seed(seed)
    network = MEMatte().eval()
    with torch.no_grad():
        for name, tensor in network.named_parameters():
            draw(name, tensor)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": network.state_dict()}, path)
    return path


def draw(name: str, tensor: Any) -> None:
    """Fill a parameter with random values of a sane size."""
    if "rel_pos" in name or "pos" in name:
        tensor.normal_(0, 0.2)
    elif tensor.dim() > 1:
        tensor.normal_(0, 1.2 / max(1, tensor[0].numel()) ** 0.5)
    elif name.endswith("bias"):
        tensor.normal_(0, 0.1)
    else:
        tensor.uniform_(0.7, 1.3)


def _config(size: str) -> Any:
    from transformers import VitDetConfig, VitMatteConfig

    hidden, layers, heads, detail, fusion = _SIZES[size]
    residual = [index for index in range(layers) if (index + 1) % (layers // 4 if layers > 4 else 2) == 0]
    backbone = VitDetConfig(
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_channels=4,
        image_size=512,
        pretrain_image_size=224,
        window_size=14,
        window_block_indices=[index for index in range(layers) if index not in residual],
        residual_block_indices=residual,
        use_relative_position_embeddings=True,
        out_features=[f"stage{layers}"],
    )
    return VitMatteConfig(
        backbone_config=backbone, hidden_size=hidden, convstream_hidden_sizes=detail, fusion_hidden_sizes=fusion
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of weights")
    parser.add_argument("--size", choices=tuple(_SIZES), default="tiny")
    options = parser.parse_args()
    print(save_vitmatte(options.folder / (BASE if options.size == "base" else SMALL), options.size))
    print(save_mematte(options.folder / MEMATTE))
