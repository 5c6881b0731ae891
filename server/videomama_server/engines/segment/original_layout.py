"""Reads SAM 2 as its authors publish it: one `.pt` file, in the names of their own code, without a config."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor
from videomama_client.errors import WeightsError

from videomama_server.engines.runtime.pretrained import reason_of
from videomama_server.engines.segment.families import AGAIN

_RANDOM_POSITIONS = "prompt_encoder.shared_embedding.positional_embedding"
_CLICK = re.compile(r"sam_prompt_encoder\.point_embeddings\.(\d+)\.weight")
_CLICKS = 4  # kinds: beside the object, on it, two corners of a box
# From the authors' names to those of transformers, one after the other.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"^image_encoder\.trunk\.", "vision_encoder.backbone."),
        (r"^image_encoder\.neck\.convs\.(\d+)\.conv\.", r"vision_encoder.neck.convs.\1."),
        (r"patch_embed\.proj\.", "patch_embed.projection."),
        (r"^sam_prompt_encoder\.", "prompt_encoder."),
        (r"^sam_mask_decoder\.", "mask_decoder."),
        (r"pe_layer\.positional_encoding_gaussian_matrix$", "shared_embedding.positional_embedding"),
        (r"mask_downscaling\.0\.", "mask_embed.conv1."),
        (r"mask_downscaling\.1\.", "mask_embed.layer_norm1."),
        (r"mask_downscaling\.3\.", "mask_embed.conv2."),
        (r"mask_downscaling\.4\.", "mask_embed.layer_norm2."),
        (r"mask_downscaling\.6\.", "mask_embed.conv3."),
        (r"output_upscaling\.0\.", "upscale_conv1."),
        (r"output_upscaling\.1\.", "upscale_layer_norm."),
        (r"output_upscaling\.3\.", "upscale_conv2."),
        (r"^memory_encoder\.out_proj\.", "memory_encoder.projection."),
        (r"^memory_encoder\.pix_feat_proj\.", "memory_encoder.feature_projection."),
        (r"^memory_encoder\.fuser\.", "memory_encoder.memory_fuser."),
        (r"\.dwconv\.", ".depthwise_conv."),
        (r"\.pwconv(\d)\.", r".pointwise_conv\1."),
        (r"\.gamma$", ".scale"),
        (r"^obj_ptr_tpos_proj\.", "temporal_positional_encoding_projection_layer."),
        (r"^obj_ptr_proj\.", "object_pointer_proj."),
        (r"^no_obj_ptr$", "no_object_pointer"),
        (r"^no_obj_embed_spatial$", "occlusion_spatial_embedding_parameter"),
        (r"^maskmem_tpos_enc$", "memory_temporal_positional_encoding"),
        (r"^no_mem_embed$", "no_memory_embedding"),
        (r"^no_mem_pos_enc$", "no_memory_positional_encoding"),
        (r"\.out_proj\.", ".o_proj."),
        (r"\.norm", ".layer_norm"),
        (r"(\.mlp)\.layers\.0\.", r"\1.proj_in."),
        (r"(\.mlp)\.layers\.1\.", r"\1.proj_out."),
        (r"(_head|_mlps\.\d+|^object_pointer_proj)\.layers\.0\.", r"\1.proj_in."),
        (r"(_head|_mlps\.\d+|^object_pointer_proj)\.layers\.1\.", r"\1.layers.0."),
        (r"(_head|_mlps\.\d+|^object_pointer_proj)\.layers\.2\.", r"\1.proj_out."),
        (r"mask_downsampler\.encoder\.12\.", "mask_downsampler.final_conv."),
        *((rf"mask_downsampler\.encoder\.{3 * at}\.", f"mask_downsampler.layers.{at}.conv.") for at in range(4)),
        *(
            (rf"mask_downsampler\.encoder\.{3 * at + 1}\.", f"mask_downsampler.layers.{at}.layer_norm.")
            for at in range(4)
        ),
    )
)
# What tells the published sizes apart, and what cannot be seen in the shapes: channels and blocks of the trunk.
_SIZES: Mapping[tuple[int, int], dict[str, Any]] = {
    (96, 12): {},
    (96, 16): {"blocks_per_stage": [1, 2, 11, 2], "global_attention_blocks": [7, 10, 13]},
    (112, 24): {
        "num_attention_heads_per_stage": [2, 4, 8, 16],
        "blocks_per_stage": [2, 3, 16, 3],
        "global_attention_blocks": [12, 16, 20],
        "window_positional_embedding_background_size": [14, 14],
    },
    (144, 48): {
        "num_attention_heads_per_stage": [2, 4, 8, 16],
        "blocks_per_stage": [2, 6, 36, 4],
        "global_attention_blocks": [23, 33, 43],
        "window_size_per_stage": [8, 4, 16, 8],
    },
}


def read(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a `.pt` file by the authors' names; no code in it is run.

    Raises:
        WeightsError: it cannot be opened safely, or holds something else.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, AttributeError, TypeError, OSError) as error:
        raise WeightsError(f"{path} cannot be opened safely ({reason_of(error)})", AGAIN) from error
    inner = content.get("model", content) if isinstance(content, dict) else None
    if not isinstance(inner, dict) or not all(isinstance(value, Tensor) for value in inner.values()):
        raise WeightsError(f"{path} holds something other than a network's tensors", AGAIN)
    if "sam_mask_decoder.iou_token.weight" not in inner or "image_encoder.trunk.pos_embed" not in inner:
        raise WeightsError(f"{path} is not SAM 2", "Use a checkpoint of SAM 2 or 2.1, such as sam2.1_hiera_large.pt.")
    return inner


def renamed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors by transformers' names; those of the kinds of clicks become one."""
    found = {_name(name): tensor for name, tensor in tensors.items() if not _CLICK.fullmatch(name)}
    clicks = [tensors.get(f"sam_prompt_encoder.point_embeddings.{kind}.weight") for kind in range(_CLICKS)]
    present = [tensor for tensor in clicks if tensor is not None]
    if present:
        found["prompt_encoder.point_embed.weight"] = torch.cat(present)
    if _RANDOM_POSITIONS in found:
        found["shared_image_embedding.positional_embedding"] = found[_RANDOM_POSITIONS]
    return found


def _name(name: str) -> str:
    for pattern, replacement in _RULES:
        name = pattern.sub(replacement, name)
    return name


def config_of(path: Path, tensors: Mapping[str, Tensor]) -> Any:
    """Return the config of a published size, by the authors' names of its tensors.

    Raises:
        WeightsError: it is none of the published sizes.
    """
    from transformers import Sam2HieraDetConfig, Sam2VideoConfig, Sam2VisionConfig

    width = tensors["image_encoder.trunk.pos_embed"].shape[1]
    blocks = len({name.split(".")[3] for name in tensors if name.startswith("image_encoder.trunk.blocks.")})
    if (width, blocks) not in _SIZES:
        raise WeightsError(
            f"{path} is a SAM 2 of {blocks} blocks and {width} channels, which is not a published size",
            "Put its config.json, in transformers' words, into the same folder.",
        )
    widths = [width * 2**stage for stage in range(4)]
    backbone = Sam2HieraDetConfig(hidden_size=width, embed_dim_per_stage=widths, **_SIZES[width, blocks])
    vision = Sam2VisionConfig(backbone_config=backbone, backbone_channel_list=widths[::-1])
    return Sam2VideoConfig(
        vision_config=vision,
        # SAM 2 and SAM 2.1 differ in these alone.
        enable_temporal_pos_encoding_for_object_pointers="obj_ptr_tpos_proj.weight" in tensors,
        enable_occlusion_spatial_embedding="no_obj_embed_spatial" in tensors,
    )
