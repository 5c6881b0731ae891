"""Attention and the transformers made of it, beside attention written out; the whole is compared in test_unet.py."""

from __future__ import annotations

import pytest
import torch
from videomama_server.engines.videomama.network import attention
from videomama_server.engines.videomama.network.attention import (
    FeedForward,
    PictureAttention,
    SelfAttention,
    Transformer,
)

pytestmark = pytest.mark.usefixtures("inference")
SIZE = (16, 8)


def apart(one, other):
    assert one.shape == other.shape
    return (one - other).abs().max().item()


def test_no_attention_has_a_batch_over_what_cuda_allows(stock, network, noise, monkeypatch):
    batches = []
    attended = attention._attended
    monkeypatch.setattr(attention, "_MOST_BATCHES", 100)
    monkeypatch.setattr(
        attention, "_attended", lambda qkv: batches.append(qkv.shape[0] * qkv.shape[3]) or attended(qkv)
    )
    x = noise(3, 12, *SIZE)
    assert apart(network.unet(x), stock.alpha_latents(x)) <= 1e-5
    assert max(batches) == 100


def filled(layer, noise):
    """Return a layer whose every parameter is noise; those of norms lie around 1, as trained ones do."""
    for seed, (name, values) in enumerate(layer.named_parameters()):
        values.copy_(noise(*values.shape, seed=seed) * 0.2 + ("norm" in name and name.endswith("weight")))
    return layer


@pytest.mark.parametrize(("heads", "biased"), [(1, True), (2, False), (4, False)])
def test_self_attention_is_that_of_the_formula(noise, heads, biased):
    layer, x = filled(SelfAttention(32, heads, biased=biased), noise), noise(3, 5, 32)
    bias = layer.qkv.bias if biased else 0
    query, key, value = ((x @ layer.qkv.weight.T + bias).view(3, 5, 3, heads, 32 // heads)[:, :, i] for i in range(3))
    scores = torch.einsum("nqhd,nkhd->nhqk", query, key) / (32 // heads) ** 0.5
    seen = torch.einsum("nhqk,nkhd->nqhd", scores.softmax(dim=-1), value).flatten(2)
    assert apart(layer(x), seen @ layer.to_out.weight.T + layer.to_out.bias) <= 1e-5


def test_the_feed_forward_is_gated(noise):
    layer, x = filled(FeedForward(32), noise), noise(2, 3, 32)
    kept, gate = (x @ layer.proj.weight.T + layer.proj.bias).split(128, dim=-1)
    expected = (kept * torch.nn.functional.gelu(gate)) @ layer.out.weight.T + layer.out.bias
    assert apart(layer(x), expected) <= 1e-5


@pytest.mark.parametrize("make", [lambda: PictureAttention(32), lambda: Transformer(32, 2)], ids=["picture", "both"])
@pytest.mark.parametrize("passes", [1, 2, 7])
def test_frames_worked_on_a_few_at_a_time_come_out_the_same_and_in_place(noise, make, passes):
    layer, x = filled(make(), noise), noise(5, 4, 6, 32)
    whole, parts = x.clone(), x.clone()
    assert layer(whole) is whole
    layer(parts, passes)
    assert apart(whole, parts) <= 1e-5
    assert apart(whole, x) > 0.1


def test_pictures_attend_within_a_frame_and_transformers_across_frames(noise):
    x = noise(3, 4, 4, 32)
    other = x.clone()
    other[2] += 1 + noise(4, 4, 32, seed=9)
    for layer, apart_from in ((PictureAttention(32), False), (Transformer(32, 2), True)):
        filled(layer, noise)
        seen = apart(layer(x.clone())[:2], layer(other.clone())[:2])
        assert (seen > 1e-3) == apart_from


@pytest.mark.parametrize(("share", "frames_matter"), [(1.0, False), (0.0, True)])
def test_the_mix_is_the_share_of_the_spatial_result(noise, share, frames_matter):
    layer, x = filled(Transformer(32, 2), noise), noise(3, 4, 4, 32)
    layer.mix.fill_(share)
    alone = layer(x[:1].clone())
    assert (apart(layer(x.clone())[:1], alone) > 1e-3) == frames_matter


@pytest.mark.parametrize("scores", [1 << 25, 40, 1])
def test_a_product_a_softmax_and_a_product_for_some_queries_at_a_time_attend(noise, monkeypatch, scores):
    monkeypatch.setattr(attention, "_SCORES", scores)
    query, key, value = noise(3, 2, 1, 7, 512).unbind(0)
    expected = torch.nn.functional.scaled_dot_product_attention(query, key, value)
    assert apart(attention._by_products(query, key, value), expected) <= 1e-5


@pytest.mark.parametrize(("dtype", "by_products"), [(torch.float16, True), (torch.float32, False)])
def test_a_card_attends_by_products_where_heads_are_wide_and_numbers_half(monkeypatch, dtype, by_products):
    asked, real = [], attention._by_products
    monkeypatch.setattr(attention, "_by_products", lambda *of: asked.append(1) or real(*of))
    for width in (512, 64):
        attention._attended(torch.empty((2, 9, 3, 1, width), device="meta", dtype=dtype))
    assert asked == [1] * by_products


def test_cudnn_attends_first_where_heads_are_64_wide_and_sequences_long():
    cudnn = attention.SDPBackend.CUDNN_ATTENTION
    assert attention.backends(64, 9216)[0] == cudnn
    assert attention.backends(64, 16)[-1] == cudnn
    assert cudnn not in attention.backends(40, 9216)
    assert attention.SDPBackend.MATH not in attention.backends(64, 9216)


@pytest.mark.parametrize(
    ("width", "dtype", "by_products"),
    [
        (256, torch.float16, False),
        (257, torch.float16, True),
        (512, torch.bfloat16, True),
        (512, torch.float32, False),
    ],
)
def test_off_a_cpu_heads_too_wide_for_flash_kernels_are_multiplied_out(monkeypatch, width, dtype, by_products):
    """A meta tensor stands for one on a device."""
    taken, real = [], attention._by_products
    monkeypatch.setattr(attention, "_by_products", lambda *of: taken.append(1) or real(*of))
    found = attention._attended(torch.empty((2, 5, 3, 1, width), dtype=dtype, device="meta"))
    assert found.shape == (2, 5, width)
    assert bool(taken) == by_products


def test_heads_on_a_cpu_are_not_multiplied_out(monkeypatch):
    monkeypatch.setattr(attention, "_by_products", None)
    assert attention._attended(torch.zeros((1, 2, 3, 1, 512), dtype=torch.bfloat16)).shape == (1, 2, 512)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(SelfAttention) == {"biased": False}
