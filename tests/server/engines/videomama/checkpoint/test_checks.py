"""What is said of weights that are not what they should be, before anything is read."""

import json
import math
import os
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from videomama_client.errors import WeightsError
from videomama_server.engines.videomama.checkpoint import checks, layouts, weights

UNET_NAME = "VideoMaMa/unet/diffusion_pytorch_model.safetensors"
VAE_NAME = "stable-video-diffusion-img2vid-xt/vae/diffusion_pytorch_model.fp16.safetensors"


def check(folder):
    weights.check(layouts.find(folder))


def test_a_good_checkpoint_passes(checkpoint):
    weights.check(checkpoint)
    lines = list(checks.run(checkpoint, full=True))
    assert [line for line in lines if line.startswith("stored as")] == ["stored as F32", "stored as F16"]
    assert any("12 channels" in line for line in lines)
    assert [line for line in lines if "finite" in line] == lines[-2:]


@pytest.mark.parametrize("name", [UNET_NAME, VAE_NAME])
@pytest.mark.parametrize("bytes_left", [-1, 400_000])
def test_a_truncated_file(own_checkpoint, raises_with_hint, name, bytes_left):
    path = own_checkpoint / name
    os.truncate(path, bytes_left % path.stat().st_size)
    with raises_with_hint(WeightsError, path, "cut short", "bytes are missing"):
        check(own_checkpoint)


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.int8, torch.int64, torch.float8_e4m3fn], ids=lambda dtype: str(dtype)[6:]
)
def test_a_dtype_that_is_not_read(own_checkpoint, unet_file, raises_with_hint, dtype, change):
    change(unet_file, conv_out__bias=torch.ones(4).to(dtype))
    with raises_with_hint(WeightsError, unet_file, "conv_out.bias", "type that is not read"):
        check(own_checkpoint)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_read(own_checkpoint, unet_file, dtype):
    content = {name: tensor.to(dtype) for name, tensor in load_file(unet_file).items()}
    unet_file.unlink()
    save_file(content, unet_file)
    check(own_checkpoint)


def test_missing_tensors(own_checkpoint, unet_file, raises_with_hint, change):
    change(unet_file, conv_out__bias=None, conv_norm_out__weight=None)
    with raises_with_hint(WeightsError, unet_file, "misses 2 tensors", "conv_out.bias", "conv_norm_out.weight"):
        check(own_checkpoint)


def test_unexpected_tensors(own_checkpoint, vae_file, raises_with_hint, change):
    change(vae_file, post_quant_conv__weight=torch.zeros(4, dtype=torch.float16))
    with raises_with_hint(WeightsError, vae_file, "unexpected 1 tensors", "post_quant_conv.weight"):
        check(own_checkpoint)


def test_many_missing_tensors_are_counted_and_not_all_named(own_checkpoint, unet_file):
    content = {name: tensor for name, tensor in load_file(unet_file).items() if "temporal" not in name}
    unet_file.unlink()
    save_file(content, unet_file)
    with pytest.raises(WeightsError, match=r"misses \d{3} tensors") as caught:
        check(own_checkpoint)
    assert len(caught.value.message) < 500


def test_another_shape(own_checkpoint, unet_file, raises_with_hint, change):
    change(unet_file, conv_out__bias=torch.zeros(5))
    with raises_with_hint(WeightsError, unet_file, "another shape", "conv_out.bias [5] in place of [4]"):
        check(own_checkpoint)


def test_svds_own_unet_named_directly(checkpoint, own_checkpoint, unet_file, raises_with_hint, change):
    change(unet_file, conv_in__weight=torch.zeros(32, 8, 3, 3))
    with raises_with_hint(WeightsError, unet_file, "8 channels"):
        check(own_checkpoint)
    with raises_with_hint(WeightsError, unet_file, "8 channels"):
        weights.check(replace(checkpoint, unet=unet_file))


def test_another_width_of_added_ids(own_checkpoint, unet_file, raises_with_hint, change):
    change(unet_file, add_embedding__linear_1__weight=torch.zeros(128, 512))
    with raises_with_hint(WeightsError, unet_file, "768", "512"):
        check(own_checkpoint)


@pytest.mark.parametrize("factor", [0.13025, None, "0.18215", math.nan])
def test_another_scaling_of_latents(own_checkpoint, vae_file, raises_with_hint, factor, change_config):
    change_config(vae_file, scaling_factor=factor)
    with raises_with_hint(WeightsError, vae_file, str(factor), "0.18215"):
        check(own_checkpoint)


@pytest.mark.parametrize(
    "values",
    [{"block_out_channels": [32]}, {"block_out_channels": "wide"}, {"down_block_types": ["Nonsense"] * 4}],
    ids=["short", "text", "unknown"],
)
def test_a_config_of_no_network(own_checkpoint, unet_file, raises_with_hint, values, change_config):
    change_config(unet_file, **values)
    with raises_with_hint(WeightsError, unet_file.parent / "config.json", "describes no network"):
        check(own_checkpoint)


def test_a_truncated_shard_is_named(own_checkpoint, unet_file, raises_with_hint):
    names = dict.fromkeys(load_file(unet_file), "whole.safetensors")
    shard = unet_file.rename(unet_file.with_name("whole.safetensors"))
    unet_file.with_name(f"{unet_file.name}.index.json").write_text(json.dumps({"weight_map": names}))
    check(own_checkpoint)
    os.truncate(shard, shard.stat().st_size - 10)
    with raises_with_hint(WeightsError, shard, "10 bytes"):
        check(own_checkpoint)


def test_an_input_layer_without_channels_is_not_there(checkpoint, unet_file, raises_with_hint, change):
    change(unet_file, conv_in__weight=torch.zeros(32))
    with raises_with_hint(WeightsError, unet_file, "conv_in.weight should take 12 channels and is not there"):
        checks._width(unet_file, {}, "conv_in.weight", 12)
    with raises_with_hint(WeightsError, unet_file, "conv_in.weight should take 12 channels and is not there"):
        weights.check(replace(checkpoint, unet=unet_file))


@pytest.mark.parametrize(("off", "passes"), [(5e-10, True), (2e-9, False)])
def test_the_scaling_of_latents_may_be_off_by_rounding_alone(own_checkpoint, vae_file, change_config, off, passes):
    change_config(vae_file, scaling_factor=0.18215 + off)
    if passes:
        check(own_checkpoint)
        return
    with pytest.raises(WeightsError, match="scales its latents by"):
        check(own_checkpoint)


def test_three_names_are_shown_and_more_are_left_to_dots(tmp_path):
    checks._refuse(tmp_path, "misses", [])
    with pytest.raises(WeightsError, match=r"misses 3 tensors: a, b, c\n"):
        checks._refuse(tmp_path, "misses", ["a", "b", "c"])
    with pytest.raises(WeightsError, match=r"misses 4 tensors: a, b, c, \.\.\.\n"):
        checks._refuse(tmp_path, "misses", ["a", "b", "c", "d"])


def test_what_was_checked_is_said_in_lines(checkpoint):
    lines = list(checks.run(checkpoint, full=True))
    assert len(lines) == 12
    assert lines[0].startswith(f"UNet {checkpoint.unet}: ")
    assert lines[2:5] == [
        "conv_in.weight takes 12 channels",
        "add_embedding.linear_1.weight takes 768 channels",
        "all tensors are there, in their shapes",
    ]
    assert lines[5].startswith(f"VAE {checkpoint.vae}: ")
    assert lines[7:] == [
        "latents are scaled by 0.18215",
        "all tensors are there, in their shapes",
        "the networks are built as published",
        "all numbers in the UNet are finite",
        "all numbers in the VAE are finite",
    ]


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(checks.run) == {"full": False}
