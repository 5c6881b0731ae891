"""Networks of the published construction, tiny, with random weights."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch

SIDE = 64
SIZE = (48, 80)  # of plates


def sam2_config(**other):
    from transformers import Sam2HieraDetConfig, Sam2VideoConfig, Sam2VisionConfig

    backbone = Sam2HieraDetConfig(
        hidden_size=8,
        num_attention_heads=1,
        image_size=[SIDE, SIDE],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=[8, 16, 32, 64],
        num_attention_heads_per_stage=[1, 1, 2, 2],
        window_size_per_stage=[4, 4, 4, 4],
        global_attention_blocks=[3],
        window_positional_embedding_background_size=[2, 2],
    )
    vision = Sam2VisionConfig(
        backbone_config=backbone,
        backbone_channel_list=[64, 32, 16, 8],
        backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]],
        fpn_hidden_size=128,
    )
    return Sam2VideoConfig(vision_config=vision, image_size=SIDE, **tracker_options(), **other)


def tracker_options():
    """Return the options that SAM 2 and the tracker of SAM 3 have in common, small."""
    return {
        "prompt_encoder_config": {"hidden_size": 128, "image_size": SIDE, "patch_size": 16, "mask_input_channels": 4},
        "mask_decoder_config": {"hidden_size": 128, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 32},
        "memory_attention_hidden_size": 128,
        "memory_attention_num_layers": 1,
        "memory_attention_feed_forward_hidden_size": 32,
        "memory_attention_rope_feat_sizes": [4, 4],
        "memory_encoder_hidden_size": 128,
        "mask_downsampler_embed_dim": 128,
        "memory_fuser_num_layers": 1,
        "memory_fuser_embed_dim": 128,
        "memory_fuser_intermediate_dim": 32,
    }


def randomise(model, seed=0):
    """Give every parameter a random value of a size that keeps results lively."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, values in model.named_parameters():
            if values.ndim > 1:
                values.normal_(0, values[0].numel() ** -0.5)
            else:
                values.normal_(0, 0.3).add_(1.0 if "norm" in name and name.endswith("weight") else 0.0)
    return model.eval()


def make_sam2(seed=0, **other):
    from transformers import Sam2VideoModel

    model = randomise(Sam2VideoModel(sam2_config(**other)), seed)
    with torch.no_grad():
        model.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(2.0)  # the object is there
    return model


def make_sam3(seed=0):
    """Return the whole of SAM 3, tiny: detector, words and tracker."""
    from transformers import Sam3VideoConfig, Sam3VideoModel

    eyes = {
        "model_type": "sam3_vision_model",
        "backbone_config": {
            "model_type": "sam3_vit_model",
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": SIDE,
            "patch_size": 16,
            "window_size": 2,
            "global_attn_indexes": [1],
            "pretrain_image_size": SIDE,
        },
        "fpn_hidden_size": 128,
        "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
    }
    words = {
        "model_type": "clip_text_model",
        "vocab_size": 64,
        "hidden_size": 32,
        "intermediate_size": 32,
        "projection_dim": 128,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_position_embeddings": 8,
    }
    small = {"hidden_size": 128, "num_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    detector = {
        "model_type": "sam3",
        "vision_config": eyes,
        "text_config": words,
        "geometry_encoder_config": small,
        "detr_encoder_config": small,
        "detr_decoder_config": {**small, "num_queries": 5},
        "mask_decoder_config": {"hidden_size": 128, "num_upsampling_stages": 3, "num_attention_heads": 2},
    }
    tracker = {"model_type": "sam3_tracker_video", "vision_config": eyes, **tracker_options()}
    config = Sam3VideoConfig(detector_config=detector, tracker_config=tracker, low_res_mask_size=16, image_size=SIDE)
    model = randomise(Sam3VideoModel(config), seed)
    with torch.no_grad():
        model.tracker_model.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(2.0)  # the object is there
    return model


def make_detector(seed=0):
    """Return a tiny RT-DETR v2 that knows three things, a person among them."""
    from transformers import RTDetrResNetConfig, RTDetrV2Config, RTDetrV2ForObjectDetection

    backbone = RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 8, 16, 16],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    config = RTDetrV2Config(
        backbone_config=backbone,
        encoder_hidden_dim=16,
        encoder_in_channels=[8, 16, 16],
        encoder_ffn_dim=16,
        encoder_attention_heads=2,
        d_model=16,
        num_queries=5,
        decoder_in_channels=[16, 16, 16],
        decoder_ffn_dim=16,
        decoder_layers=2,
        decoder_attention_heads=2,
        id2label={0: "cat", 1: "person", 2: "sofa"},
        label2id={"cat": 0, "person": 1, "sofa": 2},
    )
    return randomise(RTDetrV2ForObjectDetection(config), seed)


def save_words(folder):
    """Write a tokenizer of the published kind that knows single letters."""
    letters = [*"abcdefghijklmnopqrstuvwxyz"]
    entries = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({entry: at for at, entry in enumerate(entries)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")


# Every tensor of sam2.1_hiera_*.pt, with its number of blocks open: the authors' names beside those of transformers.
NAMES = """
no_mem_embed = no_memory_embedding
no_mem_pos_enc = no_memory_positional_encoding
maskmem_tpos_enc = memory_temporal_positional_encoding
no_obj_ptr = no_object_pointer
no_obj_embed_spatial = occlusion_spatial_embedding_parameter
mask_downsample.* = mask_downsample.*
obj_ptr_proj.layers.0.* = object_pointer_proj.proj_in.*
obj_ptr_proj.layers.1.* = object_pointer_proj.layers.0.*
obj_ptr_proj.layers.2.* = object_pointer_proj.proj_out.*
obj_ptr_tpos_proj.* = temporal_positional_encoding_projection_layer.*
image_encoder.trunk.pos_embed = vision_encoder.backbone.pos_embed
image_encoder.trunk.pos_embed_window = vision_encoder.backbone.pos_embed_window
image_encoder.trunk.patch_embed.proj.* = vision_encoder.backbone.patch_embed.projection.*
image_encoder.trunk.blocks.#.norm1.* = vision_encoder.backbone.blocks.#.layer_norm1.*
image_encoder.trunk.blocks.#.attn.qkv.* = vision_encoder.backbone.blocks.#.attn.qkv.*
image_encoder.trunk.blocks.#.attn.proj.* = vision_encoder.backbone.blocks.#.attn.proj.*
image_encoder.trunk.blocks.#.norm2.* = vision_encoder.backbone.blocks.#.layer_norm2.*
image_encoder.trunk.blocks.#.mlp.layers.0.* = vision_encoder.backbone.blocks.#.mlp.proj_in.*
image_encoder.trunk.blocks.#.mlp.layers.1.* = vision_encoder.backbone.blocks.#.mlp.proj_out.*
image_encoder.trunk.blocks.#.proj.* = vision_encoder.backbone.blocks.#.proj.*
image_encoder.neck.convs.#.conv.* = vision_encoder.neck.convs.#.*
sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix = prompt_encoder.shared_embedding.positional_embedding
sam_prompt_encoder.not_a_point_embed.* = prompt_encoder.not_a_point_embed.*
sam_prompt_encoder.no_mask_embed.* = prompt_encoder.no_mask_embed.*
sam_prompt_encoder.mask_downscaling.0.* = prompt_encoder.mask_embed.conv1.*
sam_prompt_encoder.mask_downscaling.1.* = prompt_encoder.mask_embed.layer_norm1.*
sam_prompt_encoder.mask_downscaling.3.* = prompt_encoder.mask_embed.conv2.*
sam_prompt_encoder.mask_downscaling.4.* = prompt_encoder.mask_embed.layer_norm2.*
sam_prompt_encoder.mask_downscaling.6.* = prompt_encoder.mask_embed.conv3.*
sam_mask_decoder.iou_token.* = mask_decoder.iou_token.*
sam_mask_decoder.mask_tokens.* = mask_decoder.mask_tokens.*
sam_mask_decoder.obj_score_token.* = mask_decoder.obj_score_token.*
sam_mask_decoder.output_upscaling.0.* = mask_decoder.upscale_conv1.*
sam_mask_decoder.output_upscaling.1.* = mask_decoder.upscale_layer_norm.*
sam_mask_decoder.output_upscaling.3.* = mask_decoder.upscale_conv2.*
sam_mask_decoder.conv_s0.* = mask_decoder.conv_s0.*
sam_mask_decoder.conv_s1.* = mask_decoder.conv_s1.*
sam_mask_decoder.output_hypernetworks_mlps.#.layers.0.* = mask_decoder.output_hypernetworks_mlps.#.proj_in.*
sam_mask_decoder.output_hypernetworks_mlps.#.layers.1.* = mask_decoder.output_hypernetworks_mlps.#.layers.0.*
sam_mask_decoder.output_hypernetworks_mlps.#.layers.2.* = mask_decoder.output_hypernetworks_mlps.#.proj_out.*
sam_mask_decoder.iou_prediction_head.layers.0.* = mask_decoder.iou_prediction_head.proj_in.*
sam_mask_decoder.iou_prediction_head.layers.1.* = mask_decoder.iou_prediction_head.layers.0.*
sam_mask_decoder.iou_prediction_head.layers.2.* = mask_decoder.iou_prediction_head.proj_out.*
sam_mask_decoder.pred_obj_score_head.layers.0.* = mask_decoder.pred_obj_score_head.proj_in.*
sam_mask_decoder.pred_obj_score_head.layers.1.* = mask_decoder.pred_obj_score_head.layers.0.*
sam_mask_decoder.pred_obj_score_head.layers.2.* = mask_decoder.pred_obj_score_head.proj_out.*
sam_mask_decoder.transformer.layers.#.self_attn.q_proj.* = mask_decoder.transformer.layers.#.self_attn.q_proj.*
sam_mask_decoder.transformer.layers.#.self_attn.k_proj.* = mask_decoder.transformer.layers.#.self_attn.k_proj.*
sam_mask_decoder.transformer.layers.#.self_attn.v_proj.* = mask_decoder.transformer.layers.#.self_attn.v_proj.*
sam_mask_decoder.transformer.layers.#.self_attn.out_proj.* = mask_decoder.transformer.layers.#.self_attn.o_proj.*
sam_mask_decoder.transformer.layers.#.norm1.* = mask_decoder.transformer.layers.#.layer_norm1.*
sam_mask_decoder.transformer.layers.#.norm2.* = mask_decoder.transformer.layers.#.layer_norm2.*
sam_mask_decoder.transformer.layers.#.norm3.* = mask_decoder.transformer.layers.#.layer_norm3.*
sam_mask_decoder.transformer.layers.#.norm4.* = mask_decoder.transformer.layers.#.layer_norm4.*
sam_mask_decoder.transformer.layers.#.mlp.layers.0.* = mask_decoder.transformer.layers.#.mlp.proj_in.*
sam_mask_decoder.transformer.layers.#.mlp.layers.1.* = mask_decoder.transformer.layers.#.mlp.proj_out.*
sam_mask_decoder.transformer.norm_final_attn.* = mask_decoder.transformer.layer_norm_final_attn.*
memory_attention.norm.* = memory_attention.layer_norm.*
memory_attention.layers.#.norm1.* = memory_attention.layers.#.layer_norm1.*
memory_attention.layers.#.norm2.* = memory_attention.layers.#.layer_norm2.*
memory_attention.layers.#.norm3.* = memory_attention.layers.#.layer_norm3.*
memory_attention.layers.#.linear1.* = memory_attention.layers.#.linear1.*
memory_attention.layers.#.linear2.* = memory_attention.layers.#.linear2.*
memory_encoder.mask_downsampler.encoder.0.* = memory_encoder.mask_downsampler.layers.0.conv.*
memory_encoder.mask_downsampler.encoder.1.* = memory_encoder.mask_downsampler.layers.0.layer_norm.*
memory_encoder.mask_downsampler.encoder.3.* = memory_encoder.mask_downsampler.layers.1.conv.*
memory_encoder.mask_downsampler.encoder.4.* = memory_encoder.mask_downsampler.layers.1.layer_norm.*
memory_encoder.mask_downsampler.encoder.6.* = memory_encoder.mask_downsampler.layers.2.conv.*
memory_encoder.mask_downsampler.encoder.7.* = memory_encoder.mask_downsampler.layers.2.layer_norm.*
memory_encoder.mask_downsampler.encoder.9.* = memory_encoder.mask_downsampler.layers.3.conv.*
memory_encoder.mask_downsampler.encoder.10.* = memory_encoder.mask_downsampler.layers.3.layer_norm.*
memory_encoder.mask_downsampler.encoder.12.* = memory_encoder.mask_downsampler.final_conv.*
memory_encoder.pix_feat_proj.* = memory_encoder.feature_projection.*
memory_encoder.out_proj.* = memory_encoder.projection.*
memory_encoder.fuser.layers.#.gamma = memory_encoder.memory_fuser.layers.#.scale
memory_encoder.fuser.layers.#.dwconv.* = memory_encoder.memory_fuser.layers.#.depthwise_conv.*
memory_encoder.fuser.layers.#.norm.* = memory_encoder.memory_fuser.layers.#.layer_norm.*
memory_encoder.fuser.layers.#.pwconv1.* = memory_encoder.memory_fuser.layers.#.pointwise_conv1.*
memory_encoder.fuser.layers.#.pwconv2.* = memory_encoder.memory_fuser.layers.#.pointwise_conv2.*
"""
for _attention in (
    "sam_mask_decoder.transformer.layers.#.cross_attn_token_to_image",
    "sam_mask_decoder.transformer.layers.#.cross_attn_image_to_token",
    "sam_mask_decoder.transformer.final_attn_token_to_image",
    "memory_attention.layers.#.self_attn",
    "memory_attention.layers.#.cross_attn_image",
):
    for _theirs, _ours in (("q", "q"), ("k", "k"), ("v", "v"), ("out", "o")):
        _place = _attention.replace("sam_mask_decoder", "mask_decoder")
        NAMES += f"{_attention}.{_theirs}_proj.* = {_place}.{_ours}_proj.*\n"
PAIRS = [tuple(line.split(" = ")) for line in NAMES.strip().splitlines()]
CLICKS, TWICE = "prompt_encoder.point_embed.weight", "shared_image_embedding.positional_embedding"


def published(model):
    """Return the tensors of a network as the authors' code saves them."""
    tensors = {}
    for name, tensor in model.state_dict().items():
        if name == CLICKS:
            rows = {f"sam_prompt_encoder.point_embeddings.{at}.weight": tensor[at : at + 1] for at in range(4)}
            tensors.update({row: values.clone() for row, values in rows.items()})
        elif name != TWICE:
            tensors[authors_name(name)] = tensor
    return tensors


def authors_name(name):
    for theirs, ours in PAIRS:
        pattern = re.escape(ours).replace(r"\#", r"(?P<n>\d+)").replace("\\*", "(?P<kind>weight|bias)")
        found = re.fullmatch(pattern, name)
        if found:
            parts = found.groupdict()
            return theirs.replace("#", parts.get("n", "")).replace("*", parts.get("kind", ""))
    raise AssertionError(name)


def with_equal_tables(model):
    """Return the network with its two tables of random positions equal, as they are in every published one."""
    with torch.no_grad():
        model.shared_image_embedding.positional_embedding.copy_(
            model.prompt_encoder.shared_embedding.positional_embedding
        )
    return model


@pytest.fixture(scope="session")
def sam2():
    return make_sam2()


@pytest.fixture(scope="session")
def make():
    return SimpleNamespace(
        sam2=make_sam2,
        sam3=make_sam3,
        words=save_words,
        detector=make_detector,
        sam2_config=sam2_config,
        options=tracker_options,
        randomise=randomise,
        published=published,
        pairs=PAIRS,
        with_equal_tables=with_equal_tables,
    )


@pytest.fixture(scope="session")
def clip():
    """Plates of 24 frames in which a disc moves."""
    rng = np.random.default_rng(4)
    wall = rng.random((*SIZE, 3), np.float32) * 0.3
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    plates = []
    for frame in range(24):
        disc = np.hypot(x - 20 - 1.5 * frame, y - 22) < 10
        plates.append(np.where(disc[..., None], np.float32([0.9, 0.7, 0.2]), wall).astype(np.float32))
    return plates
