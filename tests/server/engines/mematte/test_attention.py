"""The parts of the backbone by themselves; test_network.py holds the whole against its description."""

from __future__ import annotations

import torch
from videomama_server.engines.mematte.attention import GlobalAttention, LightBlock, Router, WindowAttention

WIDTH = 384


def tokens(height, width, seed=0):
    return torch.randn(1, height, width, WIDTH, generator=torch.Generator().manual_seed(seed))


def test_windows_do_not_see_each_other():
    attention = WindowAttention(WIDTH).eval()
    seen = tokens(14, 28)
    other = seen.clone()
    other[:, :, 14:] += 1
    with torch.inference_mode():
        assert torch.equal(attention(seen)[:, :, :14], attention(other)[:, :, :14])
        assert not torch.equal(attention(seen)[:, :, 14:], attention(other)[:, :, 14:])


def test_global_attention_does_not_depend_on_the_order_of_tokens():
    attention = GlobalAttention(WIDTH).eval()
    seen = tokens(1, 20)[0]
    order = torch.randperm(20, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        torch.testing.assert_close(attention(seen)[:, order], attention(seen[:, order]))


def test_the_light_block_reaches_two_tokens_beside_what_all_share():
    block = LightBlock(WIDTH).eval()
    block.eca.conv.weight.data.zero_()
    seen = tokens(9, 9)
    other = seen.clone()
    other[0, 4, 4] += 1
    with torch.inference_mode():
        changed = (block(seen) != block(other)).any(dim=-1)[0]
    expected = torch.zeros(9, 9, dtype=torch.bool)
    expected[2:7, 2:7] = True
    assert torch.equal(changed, expected)


def test_a_router_says_of_each_token_whether_it_is_kept():
    router = Router(WIDTH).eval()
    with torch.inference_mode():
        kept = router(tokens(1, 200)[0])
    assert kept.dtype == torch.bool
    assert kept.shape == (200,)


class Said(torch.nn.Module):
    """Says the same of three tokens, whatever it sees: how likely each is kept, and how likely not."""

    def forward(self, _):
        return torch.tensor([[[-0.1, -2.4], [-2.4, -0.1], [-0.7, -0.7]]])


def test_a_router_keeps_what_is_likelier_kept_than_not():
    router = Router(WIDTH).eval()
    router.out_conv = Said()
    with torch.inference_mode():
        assert router(tokens(1, 3)[0]).tolist() == [True, False, False]
