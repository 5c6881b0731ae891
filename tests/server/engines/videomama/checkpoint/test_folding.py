from __future__ import annotations

import pytest
import torch
from videomama_server.engines.videomama.checkpoint.folding import fold

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
