from __future__ import annotations

import numpy as np
import pytest
import torch
from videomama_server.engines.videomama.checkpoint.folding import _fold_attention, _fold_res_block, _Folder, fold

pytestmark = pytest.mark.usefixtures("inference")
FOLDED_AWAY = ("attn2", "norm2", "time_emb", "add_embedding", "time_pos_embed", "mix_factor", "quant_conv", "to_q")


def test_what_is_constant_is_gone(stock):
    names = fold(*stock.tensors()).keys()
    attention = [name for name in names if ".spatial." in name or ".temporal." in name]
    assert not [name for name in attention if "norm2" in name]
    gone = [part for part in FOLDED_AWAY if part != "norm2"]
    assert not [name for name in names if any(part in name for part in gone)]


def test_the_result_has_the_dtype_that_was_asked_for(stock):
    folded = fold(*stock.tensors(torch.bfloat16))
    assert {values.dtype for values in folded.values()} == {torch.bfloat16}
    assert all(values.is_contiguous() for values in folded.values())


def test_no_two_tensors_share_memory(stock):
    """A safetensors file cannot hold such."""
    places = [values.untyped_storage().data_ptr() for values in fold(*stock.tensors()).values()]
    assert len(set(places)) == len(places)


def test_half_weights_are_folded_in_full_precision(stock):
    unet, vae, *rest = stock.tensors()
    halves = [{name: values.half() for name, values in part.items()} for part in (unet, vae)]
    wide = [{name: values.double() for name, values in part.items()} for part in halves]
    narrow, exact = fold(*halves, *rest), fold(*wide, *rest)
    assert all(torch.equal(narrow[name], exact[name]) for name in exact)


@pytest.mark.parametrize("part", [0, 1])
def test_a_tensor_that_has_no_use_is_refused(stock, part):
    parts = [dict(tensors) for tensors in stock.tensors()[:2]]
    parts[part]["decoder.odd.weight"] = torch.zeros(1)
    with pytest.raises(ValueError, match=r"1 tensors are left over: decoder\.odd\.weight"):
        fold(*parts, *stock.tensors()[2:])


def test_the_published_tensors_are_left_alone(stock):
    unet, vae, *rest = stock.tensors()
    before = [{name: values.clone() for name, values in part.items()} for part in (unet, vae)]
    fold(unet, vae, *rest)
    assert all(
        torch.equal(part[name], old[name]) for part, old in zip((unet, vae), before, strict=True) for name in old
    )


def test_the_mean_of_the_channels_goes_through_the_convolution_over_time_into_the_last_one(stock):
    unet, vae, *rest = stock.tensors()
    biases = {"time_conv_out": [1.0, 2.0, 6.0], "conv_out": [0.5, -1.0, 4.0]}
    vae = {**vae, **{f"decoder.{name}.bias": torch.tensor(values) for name, values in biases.items()}}
    over_time = vae["decoder.time_conv_out.weight"][..., 0, 0].double()  # out, in, taps
    folded = fold(unet, vae, *rest)
    for tap in range(3):
        shares = over_time[:, :, tap].mean(dim=0)
        weight = sum(
            share * kernel for share, kernel in zip(shares, vae["decoder.conv_out.weight"].double(), strict=True)
        )
        found = folded["decoder.grey_out.weight"][tap].permute(2, 0, 1).double()
        torch.testing.assert_close(found, weight, rtol=1e-4, atol=1e-6)
        bias = shares @ vae["decoder.conv_out.bias"].double() + (3.0 if tap == 1 else 0.0)
        torch.testing.assert_close(folded["decoder.grey_out.bias"][tap].double(), bias, rtol=1e-4, atol=1e-6)


def test_what_is_kept_on_disk_of_a_folded_network_is_as_of_old(stock, unchanged):
    """The folder of folded weights is used again by later versions."""
    folded = fold(*stock.tensors())
    unchanged(np.concatenate([folded[name].double().numpy().ravel() for name in sorted(folded)]), [-18548])


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(_fold_res_block) == {"switched": False}
    assert numbers_left_out(_fold_attention) == {"constant": 0.0}
    assert numbers_left_out(_Folder.carry) == {"bias": 0.0}
    assert numbers_left_out(_Folder.time_conv) == {"bias": 0.0, "share": 1.0}
